package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/spotter-video/spotter/internal/service"
)

// bench is a store with jobs on videos that are told apart by a number.
type bench struct {
	*testing.T
	service.Store
	q queue
}

const keepAnalyses = 24 * time.Hour

// sharing is that of a job on a video.
func sharing(job int, video byte, now time.Time) *service.Sharing {
	with := newJob(job).Terms
	with.Version = service.TermsVersion
	return &service.Sharing{Key: service.AnalysisKey{video, 0, 0xff}, Terms: with, Now: now, Until: now.Add(keepAnalyses)}
}

// plan gives a job on the seventh video three segments that others can use.
func (b *bench) plan(job int) {
	b.Helper()
	_, err := b.SavePlan(b.Context(), jobID(job), newPlan(3), service.Pace{Ahead: 9, Step: 1}, sharing(job, 7, day()))
	ok(b.T, err)
}

func (b *bench) save(job int, segments ...int) {
	b.Helper()
	for _, n := range segments {
		_, err := b.SaveSegment(b.Context(), jobID(job), n, fmt.Appendf(nil, "%d %d", job, n), service.Pace{Ahead: 9, Step: 1})
		ok(b.T, err)
	}
}

// share has a job use what is known of a video, and wants it to be or not.
func (b *bench) share(job int, video byte, now time.Time, want bool) {
	b.Helper()
	got, err := b.ShareAnalysis(b.Context(), jobID(job), sharing(job, video, now))
	ok(b.T, err)
	if got != want {
		b.Fatalf("job %d uses what is known of its video: %v, want %v", job, got, want)
	}
}

func (b *bench) end(job int, state service.JobState) {
	b.Helper()
	j := ended(job)
	j.State = state
	if state == service.Failed {
		j.Results = nil
	}
	_, err := b.EndJob(b.Context(), j, nil, keepAnalyses)
	ok(b.T, err)
}

// wantQueued wants tasks of one kind of these jobs, and no others, to have been enqueued since it was asked last.
func (b *bench) wantQueued(kind service.TaskKind, jobs ...int) {
	b.Helper()
	want := make([]service.Task, 0, len(jobs))
	for _, n := range jobs {
		want = append(want, task(kind, n, 0))
	}
	if diff := cmp.Diff(want, b.q.take(), cmpopts.EquateEmpty()); diff != "" {
		b.Fatalf("tasks (-want +got):\n%s", diff)
	}
}

// wantUse wants a job to be so far, with the segments of another one.
func (b *bench) wantUse(job, of, done int) {
	b.Helper()
	j, err := b.Job(b.Context(), jobID(job))
	ok(b.T, err)
	if j.SegmentsDone != done || j.Plan == nil || j.Plan.Segments != 3 || j.Shares != (job != of) {
		b.Fatalf("job %d: %d segments are done, plan %+v, shares %v", job, j.SegmentsDone, j.Plan, j.Shares)
	}
	data, err := b.PlanData(b.Context(), jobID(job))
	ok(b.T, err)
	if diff := cmp.Diff(newPlan(3).Data, data); diff != "" {
		b.Fatalf("data of the plan (-want +got):\n%s", diff)
	}
	want := make([][]byte, 3)
	for n := range done {
		want[n] = fmt.Appendf(nil, "%d %d", of, n)
	}
	wantSegments(b.T, b.Store, job, want...)
}

func (b *bench) wantKept(n int, bytes int64) {
	b.Helper()
	got, size, err := b.Analyses(b.Context())
	ok(b.T, err)
	if got != n || size != bytes {
		b.Fatalf("%d analyses of %d bytes are kept, want %d of %d", got, size, n, bytes)
	}
}

func newBench(u suite, jobs int) *bench {
	b := &bench{T: u.T}
	b.Store = u.open(u.T, b.q.enqueue)
	for n := range jobs {
		createJob(u.T, b.Store, n)
	}
	b.q.take()
	return b
}

// testAnalyses has jobs on one video use the segments of the first of them: while it makes them, after its end, and after its results have
// expired; until nobody has used them for long enough.
func testAnalyses(u suite) {
	b := newBench(u, 8)
	now := day()
	b.share(1, 7, now, false)
	b.plan(0)
	b.q.take()
	b.plan(6) // which has looked for itself, at the same time
	b.wantQueued("")
	b.wantUse(6, 0, 0)
	b.wantKept(0, 0)

	b.share(1, 7, now, true)
	b.share(1, 7, now, false) // it does so already
	b.share(2, 8, now, false) // another video
	b.wantQueued("")
	b.save(0, 0)
	b.wantUse(0, 0, 1)
	b.wantUse(1, 0, 1)
	tasks, err := b.Resume(b.Context(), jobID(1), service.Pace{Ahead: 9})
	ok(b.T, err)
	if len(tasks) > 0 {
		b.Fatalf("a job that waits for another one's segments needs %+v", tasks)
	}
	b.save(0, 1, 2)
	b.wantQueued(service.FinishTask, 0, 1, 6)
	b.wantKept(1, 9)
	b.plan(7)
	b.wantQueued(service.FinishTask, 7)
	b.wantUse(7, 0, 3)
	b.share(2, 7, now, true)
	b.wantQueued(service.FinishTask, 2)
	b.wantUse(2, 0, 3)
	got, err := b.Job(b.Context(), jobID(2))
	ok(b.T, err)
	if got.Terms.Version != service.TermsVersion {
		b.Fatalf("a job that others would not understand has terms of the form %d", got.Terms.Version)
	}
	tasks, err = b.Resume(b.Context(), jobID(1), service.Pace{Ahead: 9})
	ok(b.T, err)
	if len(tasks) != 1 || tasks[0].Kind != service.FinishTask {
		b.Fatalf("a job whose segments are there needs %+v", tasks)
	}
	b.q.take()

	b.end(0, service.Succeeded)
	b.end(1, service.Succeeded)
	b.wantUse(2, 0, 3) // it is still at it
	_, err = b.Sweep(b.Context(), now, 10)
	ok(b.T, err)
	b.share(3, 7, ended(0).Finished.Add(keepAnalyses-1), true)
	b.wantUse(3, 0, 3)
	b.end(3, service.Succeeded)

	// The first one's results have expired, and the second time it is used later still.
	late := ended(0).Finished.Add(2*keepAnalyses - 1)
	_, err = b.Sweep(b.Context(), late.Add(-time.Second), 10)
	ok(b.T, err)
	b.share(4, 7, late.Add(-time.Second), true)
	b.wantUse(4, 0, 3)
	_, err = b.Sweep(b.Context(), late.Add(keepAnalyses), 10)
	ok(b.T, err)
	b.wantUse(4, 0, 3) // it is used
	b.wantUse(2, 0, 3)
	for _, job := range []int{2, 6, 7} {
		b.end(job, service.Succeeded)
	}
	b.end(4, service.Failed)
	_, err = b.Sweep(b.Context(), late.Add(keepAnalyses), 10)
	ok(b.T, err)
	b.wantKept(0, 0)
	b.share(5, 7, late.Add(keepAnalyses), false)
	b.plan(5)
	b.save(5, 0, 1, 2)
	b.wantUse(5, 5, 3)
	b.wantKept(1, 9)
}

// testAnalysisThatDoesNotCome ends jobs that others wait for, before all segments are there: they begin anew. A complete one is used, whatever
// has become of its job.
func testAnalysisThatDoesNotCome(u suite) {
	b := newBench(u, 6)
	b.plan(0)
	b.save(0, 0, 1)
	b.share(1, 7, day(), true)
	b.share(2, 7, day(), true)
	b.q.take()
	b.end(0, service.Failed)
	b.wantQueued(service.PlanTask, 1, 2)
	for _, job := range []int{1, 2} {
		j, err := b.Job(b.Context(), jobID(job))
		ok(b.T, err)
		if j.Plan != nil || j.SegmentsDone != 0 || j.Shares {
			b.Fatalf("job %d begins with the plan %+v and %d segments", job, j.Plan, j.SegmentsDone)
		}
	}
	b.share(2, 7, day(), false)
	b.plan(1)
	b.share(2, 7, day(), true)
	b.q.take()
	b.save(1, 2, 1, 0)
	b.wantQueued(service.FinishTask, 1, 2)
	b.end(1, service.Failed)
	b.wantQueued("")
	b.share(3, 7, day(), true)
	b.wantUse(3, 1, 3)
}

// testAnalysisOfADeletedJob: it goes with its job, as soon as those have ended that use it.
func testAnalysisOfADeletedJob(u suite) {
	b := newBench(u, 4)
	b.plan(0)
	b.save(0, 0, 1, 2)
	b.share(1, 7, day(), true)
	b.end(0, service.Succeeded)
	ok(b.T, b.DeleteJob(b.Context(), jobID(0)))
	b.share(2, 7, day(), false)
	_, err := b.Sweep(b.Context(), day(), 10)
	ok(b.T, err)
	b.wantUse(1, 0, 3)
	b.plan(2)
	b.save(2, 0, 1, 2)
	b.end(1, service.Succeeded)
	_, err = b.Sweep(b.Context(), day(), 10)
	ok(b.T, err)
	b.wantKept(1, 9)
	got, err := b.Job(b.Context(), jobID(1)) // whose results are there yet
	ok(b.T, err)
	if got.State != service.Succeeded || got.SegmentsDone != 3 || got.Plan == nil || got.Plan.Info != newPlan(3).Info {
		b.Fatalf("%+v", got)
	}
	b.end(2, service.Succeeded)
	b.share(3, 7, day(), true)
	b.wantUse(3, 2, 3)
	b.end(3, service.Succeeded)
	ok(b.T, b.DeleteJob(b.Context(), jobID(3))) // which has only used it
	createJob(b.T, b.Store, 5)
	b.share(5, 7, day(), false)
	_, err = b.Sweep(b.Context(), day(), 10)
	ok(b.T, err)
	b.wantKept(0, 0)
	got, err = b.Job(b.Context(), jobID(2)) // likewise
	ok(b.T, err)
	if got.State != service.Succeeded || got.Plan == nil {
		b.Fatalf("%+v", got)
	}
}

// testForegroundDoesNotWait: what is being made in the background is not waited for in the foreground.
func testForegroundDoesNotWait(u suite) {
	b := newBench(u, 0)
	for n, background := range []bool{true, false, true, false} {
		j := newJob(n)
		j.Background = background
		_, err := b.CreateJob(b.Context(), j, service.Places{OfKey: 9, All: 9}, nil, task(service.PlanTask, n, 0))
		ok(b.T, err)
	}
	b.plan(0)
	b.share(1, 7, day(), false)
	b.share(2, 7, day(), true)
	b.save(0, 0, 1, 2)
	b.share(3, 7, day(), true)
}

// sharers is how many work on jobs that share at once, and sharedJobs how many jobs there are, on a few videos.
const (
	sharers      = 8
	sharedJobs   = 40
	sharedVideos = 3
)

// play is workers at jobs that share, while others cancel, delete and sweep.
type play struct {
	*bench
	mu   sync.Mutex
	rand *rand.Rand
	busy int
	over map[service.JobID]int // how often a finish came before its segments
	errs []error
}

// testSharingRaces has many work on jobs that share, as the service does, and wants every job to come to an end: none waits for ever, and none is
// finished without its segments.
func testSharingRaces(u suite) {
	p := &play{bench: newBench(u, 0), rand: rand.New(rand.NewPCG(1, 2)), over: map[service.JobID]int{}} //nolint:gosec // G404: to be repeated
	for n := range sharedJobs {
		createJob(p.T, p.Store, n)
	}
	var group sync.WaitGroup
	for range sharers {
		group.Go(p.work)
	}
	group.Wait()
	ok(p.T, errors.Join(p.errs...))
	for n := range sharedJobs {
		j, err := p.Job(p.Context(), jobID(n))
		if service.KindOf(err) != service.NotFound {
			ok(p.T, err)
			if j.State == service.InProgress {
				p.Fatalf("job %d waits for ever: %d of %+v, shares %v", n, j.SegmentsDone, j.Plan, j.Shares)
			}
		}
	}
	for more := 1; more > 0; {
		var err error
		more, err = p.Sweep(p.Context(), day().AddDate(1, 0, 0), 10)
		ok(p.T, err)
	}
	p.wantKept(0, 0)
}

func (p *play) draw(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rand.IntN(n)
}

// next is a task; wait says that there is none now.
func (p *play) next() (task service.Task, wait, end bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.q.mu.Lock()
	defer p.q.mu.Unlock()
	if len(p.q.tasks) == 0 || len(p.errs) > 0 {
		return task, true, p.busy == 0
	}
	task, p.q.tasks = p.q.tasks[0], p.q.tasks[1:]
	p.busy++
	return task, false, false
}

func (p *play) work() {
	for {
		task, wait, end := p.next()
		if end {
			return
		}
		if wait {
			time.Sleep(time.Millisecond)
			continue
		}
		err := errors.Join(gone(p.disturb()), gone(p.run(task)))
		p.mu.Lock()
		p.busy--
		if err != nil {
			p.errs = append(p.errs, err)
		}
		p.mu.Unlock()
	}
}

// disturb does what somebody else might at any time.
func (p *play) disturb() error {
	n := p.draw(sharedJobs)
	var err error
	switch p.draw(12) {
	case 0:
		j := ended(n)
		j.State, j.Results = service.Failed, nil
		_, err = p.EndJob(p.Context(), j, nil, keepAnalyses)
	case 1:
		err = p.DeleteJob(p.Context(), jobID(n))
	case 2:
		_, err = p.Sweep(p.Context(), day().Add(3*keepAnalyses), 5)
	}
	return err
}

// gone leaves out that a job was deleted, has ended, or has not.
func gone(err error) error {
	if k := service.KindOf(err); k == service.NotFound || k == service.Conflict {
		return nil
	}
	return err
}

func (p *play) run(t service.Task) error {
	ctx := p.Context()
	j, err := p.Job(ctx, t.Job)
	if service.KindOf(err) == service.NotFound || err == nil && j.State != service.InProgress {
		return nil
	}
	if err != nil {
		return err
	}
	var n int
	if _, err = fmt.Sscanf(string(t.Job), "%x", &n); err != nil {
		return err
	}
	how := sharing(n, byte(n%sharedVideos), day()) //nolint:gosec // G115: few
	pace := service.Pace{Ahead: 2, Step: 1}
	switch {
	case t.Kind == service.FinishTask:
		return p.finish(t, n)
	case t.Kind == service.SegmentTask:
		_, err = p.SaveSegment(ctx, t.Job, t.Segment, []byte{1}, pace)
	case j.Plan == nil:
		var shared bool
		if p.draw(2) == 0 {
			shared, err = p.ShareAnalysis(ctx, t.Job, how)
		}
		if err == nil && !shared {
			_, err = p.SavePlan(ctx, t.Job, newPlan(3), pace, how)
		}
	}
	return err
}

// finish ends a job whose segments are there. What is enqueued here is known before its transaction is kept.
func (p *play) finish(t service.Task, n int) error {
	for segment := range 3 {
		data, err := p.Segment(p.Context(), t.Job, segment)
		if err != nil {
			return err
		}
		if data != nil {
			continue
		}
		p.mu.Lock()
		p.over[t.Job]++
		often := p.over[t.Job]
		p.mu.Unlock()
		if j, err := p.Job(p.Context(), t.Job); err != nil || j.State != service.InProgress {
			return nil //nolint:nilerr // it was deleted or has ended
		}
		if often > 2000 {
			return fmt.Errorf("job %d is finished without its segment %d", n, segment)
		}
		time.Sleep(time.Millisecond)
		return p.q.enqueue([]service.Task{t})
	}
	_, err := p.EndJob(p.Context(), ended(n), nil, keepAnalyses)
	return err
}
