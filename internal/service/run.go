package service

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/shelf"
)

// running knows the tasks that this process is running, so that those of a job can be stopped.
type running struct {
	mu   sync.Mutex
	next int
	jobs map[JobID]map[int]context.CancelCauseFunc // guarded by mu
}

// errEnded is why the context of a task was cancelled whose job has ended.
var errEnded = errors.New("the job has ended")

// enter gives the context for a task of a job; leave ends it.
func (r *running) enter(ctx context.Context, id JobID) (_ context.Context, leave func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	n := r.next
	if r.jobs[id] == nil {
		r.jobs[id] = map[int]context.CancelCauseFunc{}
	}
	r.jobs[id][n] = cancel
	return ctx, func() {
		cancel(nil)
		r.mu.Lock()
		defer r.mu.Unlock()
		if delete(r.jobs[id], n); len(r.jobs[id]) == 0 {
			delete(r.jobs, id)
		}
	}
}

// stop ends the tasks of a job that run in this process.
func (r *running) stop(id JobID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, cancel := range r.jobs[id] {
		cancel(errEnded)
	}
}

// Run runs one task. A task whose job has ended, or that has been run already, is done at once. What is wrong with the
// video, its object or its collection ends the job, and the error is nil. An error means that the task is to be run again.
func (s *Service) Run(ctx context.Context, t Task) (err error) {
	began := s.ports.Now()
	defer func() { s.ports.Events.TaskRun(t, s.ports.Now().Sub(began), err) }()
	ctx, leave := s.running.enter(ctx, t.Job) // before the job is read: whoever ends it later finds the task
	defer leave()
	j, err := s.ports.Store.Job(ctx, t.Job)
	if KindOf(err) == NotFound {
		return nil
	}
	if err != nil || j.State != InProgress {
		return err
	}
	err = s.watched(ctx, j, t)
	switch {
	case err == nil, errors.Is(context.Cause(ctx), errEnded):
		return nil
	case ctx.Err() != nil:
		return err // whatever it says, it is because the process stops
	}
	switch KindOf(err) {
	case Invalid, BadObject, VideoTooLarge, NotFound:
		return s.fail(ctx, j, err)
	default:
		return err
	}
}

// GiveUp ends the job of a task that has failed too often.
func (s *Service) GiveUp(ctx context.Context, t Task, cause error) error {
	j, err := s.ports.Store.Job(ctx, t.Job)
	if KindOf(err) == NotFound {
		return nil
	}
	if err != nil || j.State != InProgress {
		return err
	}
	s.ports.Log.LogAttrs(ctx, slog.LevelError, "task given up", slog.String("job_id", string(t.Job)),
		slog.String("task", string(t.Kind)), slog.Int("segment", t.Segment), slog.Any("cause", cause))
	return s.fail(ctx, j, cause)
}

// fail ends a job with the reason, as far as it is one to tell.
func (s *Service) fail(ctx context.Context, j *Job, cause error) error {
	j.State, j.Message = Failed, "Internal server error"
	if e := (*Error)(nil); errors.As(cause, &e) && e.Kind != Internal {
		j.Message = e.Message
	}
	_, err := s.end(ctx, j)
	return err
}

// end writes the end of a job, with the notice of it. It says false if the job has ended already.
func (s *Service) end(ctx context.Context, j *Job) (bool, error) {
	j.Finished = s.ports.Now()
	j.Expires = j.Finished.Add(s.settings.KeepResults)
	won, err := s.ports.Store.EndJob(ctx, j, s.notice(j))
	if err != nil || !won {
		return false, err
	}
	s.running.stop(j.ID)
	s.ports.Events.JobEnded(j)
	s.ports.Log.LogAttrs(ctx, slog.LevelInfo, "job ended", slog.String("job_id", string(j.ID)),
		slog.String("state", string(j.State)), slog.String("message", j.Message),
		slog.Duration("took", j.Finished.Sub(j.Created)))
	if j.Topic != "" && !s.ports.Knows(j.Topic) {
		s.ports.Log.LogAttrs(ctx, slog.LevelWarn, "nobody is told of the end of a job: its topic is not configured",
			slog.String("job_id", string(j.ID)), slog.String("topic", j.Topic))
	}
	s.ports.Wake()
	return true, nil
}

// notice is what is to be told of the end of a job; nil if nobody is to be told.
func (s *Service) notice(j *Job) *Notice {
	if j.Topic == "" || !s.ports.Knows(j.Topic) {
		return nil
	}
	sum := sha256.Sum256([]byte("notice of " + j.ID))
	return &Notice{
		ID:    face.HashedID(sum[:]).String(), // the same in every attempt to end the job
		Topic: j.Topic, Job: j.ID, Operation: j.Operation, State: j.State, Tag: j.Tag, Video: j.Video,
		Ended: j.Finished, Due: j.Finished,
	}
}

// watched does a step and watches meanwhile whether another process ends the job.
func (s *Service) watched(ctx context.Context, j *Job, t Task) error {
	defer s.watch(ctx, j.ID)()
	return s.step(ctx, j, t)
}

func (s *Service) step(ctx context.Context, j *Job, t Task) error {
	if err := s.unchanged(ctx, j); err != nil {
		return err
	}
	switch t.Kind {
	case PlanTask:
		return s.plan(ctx, j)
	case SegmentTask:
		return s.segment(ctx, j, t.Segment)
	case FinishTask:
		return s.finish(ctx, j)
	default:
		return fmt.Errorf("there is no task of kind %q", t.Kind)
	}
}

// began tells that a task has found something to do. Who wants to know what a crash has cost counts these.
func (s *Service) began(ctx context.Context, t Task) {
	s.ports.Log.LogAttrs(ctx, slog.LevelDebug, "task begins", slog.String("task", string(t.Kind)),
		slog.String("job_id", string(t.Job)), slog.Int("segment", t.Segment))
}

// unchanged says whether the collection that a job searches is still there.
func (s *Service) unchanged(ctx context.Context, j *Job) error {
	if j.Operation != FaceSearch {
		return nil
	}
	c, err := s.ports.Store.Collection(ctx, j.Collection)
	if KindOf(err) == NotFound || err == nil && c.Serial != j.CollectionSerial {
		return Errorf(NotFound, "The collection %s was deleted before the search was done.", j.Collection)
	}
	if err == nil && c.Model != s.ports.Model.ID {
		return Errorf(Invalid, "The collection %s holds faces of another model than the one in use.", j.Collection)
	}
	return err
}

// readVideo uses the job's video as it was when the job began. What was read of a file that has changed meanwhile is worth
// nothing, and the change is the error that counts.
func (s *Service) readVideo(ctx context.Context, j *Job, use func(*os.File) error) error {
	f, err := s.ports.Objects.Open(ctx, j.Video, j.Pinned)
	if err != nil {
		return err
	}
	err = use(f.File())
	if changed := f.Verify(ctx); changed != nil {
		err = changed
	}
	return errors.Join(err, f.Close())
}

// plan looks at the video and enqueues its first segments. Each one that is done enqueues one more, so that a long video has no
// more in the queue than [Settings.SegmentsAhead], and a short one that comes later waits for these only.
func (s *Service) plan(ctx context.Context, j *Job) error {
	if j.Plan != nil {
		return nil
	}
	s.began(ctx, Task{Kind: PlanTask, Job: j.ID})
	var p *JobPlan
	err := s.readVideo(ctx, j, func(f *os.File) (err error) {
		p, err = s.ports.Videos.Plan(ctx, f)
		return err
	})
	if err != nil {
		return err
	}
	_, err = s.ports.Store.SavePlan(ctx, j.ID, p, segmentTasks(j.ID, 0, min(s.settings.SegmentsAhead, p.Segments)))
	return err
}

// segmentTasks are those of the segments from number from up to and without to.
func segmentTasks(job JobID, from, to int) []Task {
	var tasks []Task
	for n := from; n < to; n++ {
		tasks = append(tasks, Task{Kind: SegmentTask, Job: job, Segment: n})
	}
	return tasks
}

// segment analyses one segment and saves what it gives; the last one enqueues the finish.
func (s *Service) segment(ctx context.Context, j *Job, n int) error {
	if j.Plan == nil || n < 0 || n >= j.Plan.Segments {
		return fmt.Errorf("job %s has no segment %d", j.ID, n)
	}
	if saved, err := s.ports.Store.Segment(ctx, j.ID, n); err != nil || saved != nil {
		return err
	}
	began := s.ports.Now()
	s.began(ctx, Task{Kind: SegmentTask, Job: j.ID, Segment: n})
	var data []byte
	err := s.readVideo(ctx, j, func(f *os.File) (err error) {
		data, err = s.ports.Videos.Segment(ctx, f, j.Plan, n, j.Attributes)
		return err
	})
	if err != nil {
		return err
	}
	ahead := n + s.settings.SegmentsAhead
	next := segmentTasks(j.ID, ahead, min(ahead+1, j.Plan.Segments))
	kept, err := s.ports.Store.SaveSegment(ctx, j.ID, n, data, next, Task{Kind: FinishTask, Job: j.ID})
	if err != nil || !kept {
		return err
	}
	s.ports.Events.SegmentDone(j.Plan.Info.Duration/time.Duration(j.Plan.Segments), s.ports.Now().Sub(began))
	s.ports.Log.LogAttrs(ctx, slog.LevelDebug, "segment saved", slog.String("job_id", string(j.ID)), slog.Int("segment", n))
	return nil
}

// finish matches what the segments gave against the collection as it is now, and ends the job.
func (s *Service) finish(ctx context.Context, j *Job) error {
	s.began(ctx, Task{Kind: FinishTask, Job: j.ID})
	saved := func(n int) ([]byte, error) {
		data, err := s.ports.Store.Segment(ctx, j.ID, n)
		if err == nil && data == nil {
			err = fmt.Errorf("segment %d of job %s is not saved", n, j.ID)
		}
		return data, err
	}
	m := Matching{Threshold: j.Threshold, MaxMatches: s.settings.MaxMatches}
	var c *Collection
	if j.Operation == FaceSearch {
		var v *shelf.View
		var err error
		if c, v, err = s.opened(ctx, j.Collection); err != nil {
			return err
		}
		defer v.Release()
		m.Gallery, m.Person = v.Faces(), s.personOf(ctx, c, v)
	}
	found, err := s.ports.Videos.Finish(ctx, j.Plan, saved, m)
	if err != nil {
		return err
	}
	if j.Results, err = s.saveResults(ctx, j, c, found); err != nil {
		return err
	}
	if err = s.unchanged(ctx, j); err != nil { // deleted while it was matched
		return err
	}
	j.State, j.Message = Succeeded, found.Message
	_, err = s.end(ctx, j)
	return err
}

// personOf says for which person an enrolled face stands: the user that it is associated with, or else its external id,
// as many give all photos of a person the same one, or else the face itself. The answer is used within one matching.
func (s *Service) personOf(ctx context.Context, c *Collection, v *shelf.View) func(face.ID) string {
	named := map[face.ID]string{}
	return func(id face.ID) string {
		if user := v.Owner(id); user != "" {
			return "user " + user
		}
		name, known := named[id]
		if known {
			return name
		}
		name = "face " + id.String()
		if list, err := s.ports.Store.Faces(ctx, c.Serial, FaceQuery{IDs: []face.ID{id}, Limit: 1}); err == nil && len(list) > 0 {
			if list[0].ExternalID != "" {
				name = "name " + list[0].ExternalID
			}
		}
		named[id] = name
		return name
	}
}
