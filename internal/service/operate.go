package service

import (
	"context"
)

// Progress of a job as it was read.
func (s *Service) Progress(j *Job) Progress { return j.progress(s.ports.Now()) }

// CancelJob ends a job that is in progress: it has failed, and says that it was cancelled. [NotFound]; [Invalid] if it has
// ended.
func (s *Service) CancelJob(ctx context.Context, id JobID) error {
	j, err := s.Job(ctx, id)
	if err != nil {
		return err
	}
	if j.State == InProgress {
		j.State, j.Message = Failed, "The job was cancelled."
		if won, err := s.end(ctx, j); won || err != nil {
			return err
		}
	}
	return Errorf(Invalid, "The job has ended already: there is nothing to cancel")
}

// DeleteJob deletes a job that has ended, with its results. [NotFound]; [Invalid] if it is in progress.
func (s *Service) DeleteJob(ctx context.Context, id JobID) error {
	err := s.ports.Store.DeleteJob(ctx, id)
	switch KindOf(err) {
	case NotFound:
		return errNoJob()
	case Conflict:
		return Errorf(Invalid, "The job is in progress: cancel it first")
	default:
		return err
	}
}

// Jobs lists jobs, newest first; an empty state means those of any. [BadPage].
func (s *Service) Jobs(ctx context.Context, state JobState, page PageRequest) (*JobList, error) {
	const usual = 100
	listing := "jobs " + string(state)
	before, err := s.pages.serial(listing, page.Token)
	if err != nil {
		return nil, err
	}
	size := page.size(usual, mostResults)
	list, err := s.ports.Store.Jobs(ctx, JobQuery{State: state, Before: before, Limit: size + 1})
	if err != nil || len(list) <= size {
		return &JobList{Jobs: list}, err
	}
	next, err := s.pages.serialToken(listing, list[size-1].Serial)
	return &JobList{Jobs: list[:size], Next: next}, err
}

// sweepBatch is how many expired rows are deleted in one transaction: few enough that others hardly wait.
const sweepBatch = 100

// Sweep deletes what has expired.
func (s *Service) Sweep(ctx context.Context) error {
	for {
		n, err := s.ports.Store.Sweep(ctx, s.ports.Now(), sweepBatch)
		if err != nil || n < sweepBatch {
			return err
		}
	}
}
