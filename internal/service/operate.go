package service

import (
	"context"
	"errors"
	"log/slog"
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

// Sweep has jobs go on whose tasks were lost, and deletes what has expired.
func (s *Service) Sweep(ctx context.Context) error {
	return errors.Join(s.resumeJobs(ctx), s.expire(ctx))
}

// pageOfJobs is how many open jobs are read at once; any number will do.
const pageOfJobs = 100

// resumeJobs compares the jobs that are in progress with the tasks that are in the queue. A task whose outcome was written by a worker
// that was thought dead, or by hand, is missing there, and its job would never end. Two queries are all that it costs as long
// as nothing is missing. The queue is read first: a task that comes to it in between is taken for lost, and enqueuing it again
// does nothing.
func (s *Service) resumeJobs(ctx context.Context) error {
	if s.ports.Tasks == nil {
		return nil
	}
	tasks, err := s.ports.Tasks(ctx)
	if err != nil {
		return err
	}
	for before := Serial(0); ; {
		list, err := s.ports.Store.Jobs(ctx, JobQuery{State: InProgress, Before: before, Limit: pageOfJobs})
		if err != nil || len(list) == 0 {
			return err
		}
		for i := range list {
			before = list[i].Serial
			if err := s.resume(ctx, &list[i], tasks[list[i].ID]); err != nil {
				return err
			}
		}
	}
}

// resume has a job go on that has fewer tasks than it needs.
func (s *Service) resume(ctx context.Context, j *Job, has map[TaskKind]int) error {
	left := 0
	if j.Plan != nil {
		left = j.Plan.Segments - j.SegmentsDone
	}
	p := s.pace(ctx, j, left)
	kind, needs := j.needs(p.Ahead)
	if has[kind] >= needs {
		return nil
	}
	tasks, err := s.ports.Store.Resume(ctx, j.ID, p)
	if err == nil && len(tasks) > 0 {
		level := slog.LevelWarn
		if has[kind] > 0 {
			level = slog.LevelInfo // it would have gone on without: there may be more workers now
		}
		s.ports.Log.LogAttrs(ctx, level, "job goes on that lacked tasks", slog.String("job_id", string(j.ID)),
			slog.String("task", string(kind)), slog.Int("there", has[kind]), slog.Int("needed", len(tasks)))
	}
	return err
}

// needs is which kind of tasks a job in progress needs next, and how many of them.
func (j *Job) needs(ahead int) (TaskKind, int) {
	switch {
	case j.Plan == nil:
		return PlanTask, 1
	case j.SegmentsDone < j.Plan.Segments && j.Shares:
		return SegmentTask, 1 // they are another job's, which may have gone
	case j.SegmentsDone < j.Plan.Segments:
		return SegmentTask, min(ahead, j.Plan.Segments-j.SegmentsDone)
	default:
		return FinishTask, 1
	}
}

func (s *Service) expire(ctx context.Context) error {
	err := batches(func() (int, error) { return s.ports.Store.Sweep(ctx, s.ports.Now(), sweepBatch) })
	if err != nil {
		return err
	}
	return batches(func() (int, error) {
		return s.ports.Store.SweepAudit(ctx, s.ports.Now().Add(-s.settings.KeepAudit), sweepBatch)
	})
}

// batches calls sweep until it finds less than a batch.
func batches(sweep func() (int, error)) error {
	for {
		n, err := sweep()
		if err != nil || n < sweepBatch {
			return err
		}
	}
}
