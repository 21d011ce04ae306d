package service

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
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
	// watching ends the watch over them; nil while there are none.
	watching func()
}

// ids are the jobs whose tasks run.
func (r *running) ids() []JobID {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.jobs))
}

// errEnded is why the context of a task was cancelled whose job has ended.
var errEnded = errors.New("the job has ended")

// enter gives the context for a task of a job; leave ends it. The first task begins a watch, and the last one ends it.
func (r *running) enter(ctx context.Context, id JobID, watch func() (end func())) (_ context.Context, leave func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.watching == nil {
		r.watching = watch()
	}
	r.next++
	n := r.next
	if r.jobs[id] == nil {
		r.jobs[id] = map[int]context.CancelCauseFunc{}
	}
	r.jobs[id][n] = cancel
	return ctx, func() {
		cancel(nil)
		if end := r.leave(id, n); end != nil {
			end()
		}
	}
}

// leave forgets a task, and gives what ends the watch if it was the last one.
func (r *running) leave(id JobID, n int) (end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if delete(r.jobs[id], n); len(r.jobs[id]) == 0 {
		delete(r.jobs, id)
	}
	if len(r.jobs) == 0 {
		end, r.watching = r.watching, nil
	}
	return end
}

// stop ends the tasks of a job that run in this process, and says whether there are any that it has not ended before.
func (r *running) stop(id JobID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	tasks := r.jobs[id]
	for _, cancel := range tasks {
		cancel(errEnded)
	}
	found := len(tasks) > 0
	clear(tasks)
	return found
}

// Run runs one task. A task whose job has ended, or that has been run already, is done at once. What is wrong with the
// video, its object or its collection ends the job, and the error is nil. An error means that the task is to be run again.
func (s *Service) Run(ctx context.Context, t Task) (err error) {
	began := s.ports.Now()
	defer func() { s.ports.Events.TaskRun(t, s.ports.Now().Sub(began), err) }()
	ctx, leave := s.running.enter(ctx, t.Job, s.watch) // before the job is read: whoever ends it later finds the task
	defer leave()
	j, err := s.ports.Store.Job(ctx, t.Job)
	if KindOf(err) == NotFound {
		return nil
	}
	if err != nil || j.State != InProgress {
		return err
	}
	err = s.step(ctx, j, t)
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
	won, err := s.ports.Store.EndJob(ctx, j, s.notice(j), s.settings.KeepAnalyses)
	if err != nil || !won {
		return false, err
	}
	s.running.stop(j.ID)
	s.ports.Events.JobEnded(j)
	s.ports.Log.LogAttrs(ctx, slog.LevelInfo, "job ended", slog.String("job_id", string(j.ID)),
		slog.String("state", string(j.State)), slog.String("message", j.Message),
		slog.Duration("took", j.Finished.Sub(j.Created)))
	if j.Topic != "" && !s.tells(j) {
		s.ports.Log.LogAttrs(ctx, slog.LevelWarn, "nobody is told of the end of a job: its topic is not configured",
			slog.String("job_id", string(j.ID)), slog.String("topic", j.Topic))
	}
	s.ports.Wake()
	return true, nil
}

// tells says whether somebody is to be told of the end of a job: what counts is who was known when it was started, as this process
// need not know the topic.
func (s *Service) tells(j *Job) bool {
	switch {
	case j.Topic == "":
		return false
	case j.Terms == nil || j.Terms.Version > TermsVersion: // it is not known here
		return s.ports.Knows(j.Topic)
	default:
		return j.Terms.Tell
	}
}

// notice is what is to be told of the end of a job; nil if nobody is to be told.
func (s *Service) notice(j *Job) *Notice {
	if !s.tells(j) {
		return nil
	}
	sum := sha256.Sum256([]byte("notice of " + j.ID))
	return &Notice{
		ID:    face.HashedID(sum[:]).String(), // the same in every attempt to end the job
		Topic: j.Topic, Job: j.ID, Operation: j.Operation, State: j.State, Tag: j.Tag, Video: j.Video,
		Ended: j.Finished, Due: j.Finished,
	}
}

func (s *Service) step(ctx context.Context, j *Job, t Task) error {
	eyes, err := s.eyes(j)
	if err != nil {
		return err
	}
	if err := s.unchanged(ctx, j); err != nil {
		return err
	}
	switch t.Kind {
	case PlanTask:
		return s.plan(ctx, j, eyes)
	case SegmentTask:
		return s.segment(ctx, j, eyes, t.Segment)
	case FinishTask:
		return s.finish(ctx, j, eyes, t.Attempt)
	default:
		return fmt.Errorf("there is no task of kind %q", t.Kind)
	}
}

// eyes are those that keep to a job's terms. [Elsewhere] where this process has none, which comes before everything else: what
// looks wrong to such a process need not be.
func (s *Service) eyes(j *Job) (Eyes, error) {
	switch {
	case j.Terms == nil:
		return s.ports.Videos.Under(nil)
	case j.Terms.Version > TermsVersion:
		return nil, Errorf(Elsewhere, "A newer Spotter has started the job: its terms have the form %d, and this one reads up to %d.",
			j.Terms.Version, TermsVersion)
	default:
		return s.ports.Videos.Under(j.Terms.Analysis)
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
func (s *Service) readVideo(ctx context.Context, j *Job, use func(VideoFile) error) error {
	f, err := s.ports.Objects.Open(ctx, j.Video, j.Pinned)
	if err != nil {
		return err
	}
	err = use(f)
	if changed := f.Verify(ctx); changed != nil {
		err = changed
	}
	return errors.Join(err, f.Close())
}

// plan looks at the video and enqueues its first segments. Each one that is done enqueues what is missing to the job's [Window], so that
// a long video has no more in the queue than that. Where one process works
// alone all of the video is fetched first: segments, of which only a few are worked on at once, then wait for no slow bucket.
func (s *Service) plan(ctx context.Context, j *Job, eyes Eyes) error {
	if j.Plan != nil {
		return nil
	}
	how := s.sharing(j)
	if shared, err := s.share(ctx, j, how); shared || err != nil {
		return err
	}
	s.began(ctx, Task{Kind: PlanTask, Job: j.ID})
	var p *JobPlan
	err := s.readVideo(ctx, j, func(f VideoFile) (err error) {
		if p, err = eyes.Plan(ctx, f); err == nil && s.settings.WholeVideos {
			_, err = f.Fetch(ctx, 0, j.Pinned.Size)
		}
		return err
	})
	if err != nil {
		return err
	}
	_, err = s.ports.Store.SavePlan(ctx, j.ID, p, s.pace(ctx, j, p.Segments), how)
	return err
}

// plans keeps the data of plans that were needed last: each segment needs its job's, which has hundreds of kilobytes for hours of
// video, and does not change.
type plans struct {
	mu    sync.Mutex
	data  map[JobID][]byte
	order []JobID // the one first that came first
}

// mostPlans is how many plans are kept: some megabytes.
const mostPlans = 32

func (p *plans) get(id JobID) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.data[id]
}

func (p *plans) put(id JobID, data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.data[id]; known {
		return
	}
	if len(p.order) == mostPlans {
		delete(p.data, p.order[0])
		p.order = p.order[1:]
	}
	p.data[id], p.order = data, append(p.order, id)
}

// readPlan puts the data of a job's plan into it.
func (s *Service) readPlan(ctx context.Context, j *Job) (err error) {
	if j.Plan == nil {
		return fmt.Errorf("job %s has no plan", j.ID)
	}
	if j.Plan.Data = s.plans.get(j.ID); j.Plan.Data != nil {
		return nil
	}
	if j.Plan.Data, err = s.ports.Store.PlanData(ctx, j.ID); err != nil {
		return fmt.Errorf("plan of job %s: %w", j.ID, err)
	}
	s.plans.put(j.ID, j.Plan.Data)
	return nil
}

// segment analyses one segment and saves what it gives; the last one enqueues the finish.
func (s *Service) segment(ctx context.Context, j *Job, eyes Eyes, n int) error {
	if j.Plan == nil || n < 0 || n >= j.Plan.Segments {
		return fmt.Errorf("job %s has no segment %d", j.ID, n)
	}
	if saved, err := s.ports.Store.Segment(ctx, j.ID, n); err != nil || saved != nil {
		return err
	}
	if err := s.readPlan(ctx, j); err != nil {
		return err
	}
	began := s.ports.Now()
	s.began(ctx, Task{Kind: SegmentTask, Job: j.ID, Segment: n})
	var data []byte
	err := s.readVideo(ctx, j, func(f VideoFile) (err error) {
		data, err = eyes.Segment(ctx, f, j.Plan, n, j.Attributes)
		return err
	})
	if err != nil {
		return err
	}
	kept, err := s.ports.Store.SaveSegment(ctx, j.ID, n, data, s.pace(ctx, j, j.Plan.Segments-j.SegmentsDone))
	if err != nil || !kept {
		return err
	}
	s.ports.Events.SegmentDone(j.Plan.Info.Duration/time.Duration(j.Plan.Segments), s.ports.Now().Sub(began))
	s.ports.Log.LogAttrs(ctx, slog.LevelDebug, "segment saved", slog.String("job_id", string(j.ID)), slog.Int("segment", n))
	return nil
}

// finish matches what the segments gave against the collection as it is now, and ends the job. Where two attempts do so at the same
// time, the first that ends the job counts, and what the other has saved is not seen by anybody.
func (s *Service) finish(ctx context.Context, j *Job, eyes Eyes, attempt int64) error {
	s.began(ctx, Task{Kind: FinishTask, Job: j.ID})
	if err := s.readPlan(ctx, j); err != nil {
		return err
	}
	saved := func(n int) ([]byte, error) {
		data, err := s.ports.Store.Segment(ctx, j.ID, n)
		if err == nil && data == nil {
			err = fmt.Errorf("segment %d of job %s is not saved", n, j.ID)
		}
		return data, err
	}
	m := Matching{Threshold: j.Threshold, MaxMatches: s.settings.MaxMatches}
	if j.Terms != nil {
		m.MaxMatches = j.Terms.MaxMatches
	}
	var c *Collection
	if j.Operation == FaceSearch {
		var v *shelf.View
		var err error
		if c, v, err = s.opened(ctx, j.Collection); err != nil {
			return err
		}
		defer v.Release()
		m.Gallery, m.People = v.Faces(), s.peopleOf(c, v)
	}
	found, err := eyes.Finish(ctx, j.Plan, saved, m)
	if err != nil {
		return err
	}
	j.Results, err = s.saveResults(ctx, j, c, found, attempt)
	if KindOf(err) == Conflict {
		return nil // another attempt has ended the job
	}
	if err != nil {
		return err
	}
	if err = s.unchanged(ctx, j); err != nil { // deleted while it was matched
		return err
	}
	j.State, j.Message = Succeeded, found.Message
	_, err = s.end(ctx, j)
	return err
}

// peopleOf says for which persons enrolled faces stand: the user that one is associated with, or else its external id, as many give
// all photos of a person the same one. The names of a matching are read together.
func (s *Service) peopleOf(c *Collection, v *shelf.View) func(context.Context, []face.ID) (map[face.ID]string, error) {
	return func(ctx context.Context, ids []face.ID) (map[face.ID]string, error) {
		named := make(map[face.ID]string, len(ids))
		var others []face.ID
		for _, id := range ids {
			if user := v.Owner(id); user != "" {
				named[id] = "user " + user
			} else {
				others = append(others, id)
			}
		}
		known, err := s.facesByID(ctx, c, others)
		for id, f := range known {
			if f.ExternalID != "" {
				named[id] = "name " + f.ExternalID
			}
		}
		return named, err
	}
}
