package service_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/jobs"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/sqlite"
	"github.com/spotter-video/spotter/internal/testkit/patience"
)

// TestLostTasksAreEnqueuedAgain takes the rows of a job's tasks out of the queue, or has them done, behind the back of the server, at
// each stage of a job. The job ends all the same.
func TestLostTasksAreEnqueuedAgain(t *testing.T) {
	t.Parallel()
	for name, loss := range map[string]string{
		"deleted":  `DELETE FROM river_job`,
		"finished": `UPDATE river_job SET state = 'completed', finalized_at = datetime('now')`,
	} {
		for stage, done := range map[string][]service.Task{
			"plan":             nil,
			"all segments":     {{Kind: service.PlanTask}},
			"the last segment": {{Kind: service.PlanTask}, {Kind: service.SegmentTask, Segment: 0}, {Kind: service.SegmentTask, Segment: 2}},
			"finish": {
				{Kind: service.PlanTask},
				{Kind: service.SegmentTask, Segment: 0},
				{Kind: service.SegmentTask, Segment: 1},
				{Kind: service.SegmentTask, Segment: 2},
			},
		} {
			t.Run(name+" "+stage, func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				db, q := b.queued()
				id := b.begin(service.StartRequest{Operation: service.FaceDetection, Video: b.objects.put("clip.mp4", clip())})
				for _, task := range done {
					task.Job = id
					if err := b.Run(t.Context(), task); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := db.Writer().ExecContext(t.Context(), loss); err != nil {
					t.Fatal(err)
				}
				if err := q.Start(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				b.ends(id)
				page, err := b.Results(t.Context(), service.ResultRequest{Operation: service.FaceDetection, Job: id})
				if err != nil || len(page.Sightings) != 25 {
					t.Errorf("%d sightings, %v", len(page.Sightings), err)
				}
			})
		}
	}
}

// queued puts the bed onto a database with a job queue, which is not started.
func (b *bed) queued() (*sqlite.DB, *jobs.Queue) {
	b.t.Helper()
	db, err := sqlite.Open(b.t.Context(), filepath.Join(b.t.TempDir(), "queued.db"))
	if err == nil {
		b.t.Cleanup(func() { _ = db.Close() })
		err = jobs.Migrate(b.t.Context(), jobs.SQLite(db.Writer()))
	}
	if err != nil {
		b.t.Fatal(err)
	}
	c := jobs.Default()
	c.Now, c.Workers, c.Poll = time.Now, 2, 20*time.Millisecond
	q, err := jobs.New(jobs.SQLite(db.Writer()), c)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := q.Stop(context.Background()); err != nil {
			b.t.Error(err)
		}
	})
	b.store = sqlite.New(db, q.Enqueue)
	world := b.ports()
	world.Tasks = q.Open
	b.startOn(world, service.DefaultSettings())
	return db, q
}

// ends waits for the end of a job.
func (b *bed) ends(id service.JobID) {
	b.t.Helper()
	ctx, cancel := patience.Patience{Idle: 20 * time.Second, Effort: 3 * time.Minute}.Context(b.t.Context())
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		j, err := b.store.Job(ctx, id)
		if err != nil {
			b.t.Fatal(err)
		}
		if j.State != service.InProgress {
			return
		}
		<-tick.C
	}
}

// resuming counts how often a job is resumed.
type resuming struct {
	service.Store
	times int
}

func (r *resuming) Resume(ctx context.Context, id service.JobID, pace service.Pace) ([]service.Task, error) {
	r.times++
	return r.Store.Resume(ctx, id, pace)
}

// TestJobsThatLackNothingAreLeftAlone sweeps after every task. Then it loses tasks, one after another.
func TestJobsThatLackNothingAreLeftAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	counted := &resuming{Store: b.store}
	world := b.ports()
	world.Store, world.Tasks = counted, b.waiting
	b.startOn(world, service.DefaultSettings())
	long := testVideo{Times: 1}
	for range 9 {
		long.Segments = append(long.Segments, []testFace{looks(1)})
	}
	video := b.objects.put("long.mp4", long)
	first := b.begin(service.StartRequest{Operation: service.FaceDetection, Video: video})
	for more := true; more; {
		if err := b.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		var task service.Task
		if task, more = b.take(); more {
			if err := b.Run(t.Context(), task); err != nil {
				t.Fatal(err)
			}
		}
	}
	if j, err := b.store.Job(t.Context(), first); err != nil || j.State != service.Succeeded || counted.times != 0 {
		t.Errorf("the job is %v and was resumed %d times, %v", j.State, counted.times, err)
	}

	second := b.begin(service.StartRequest{Operation: service.FaceDetection, Video: video})
	lost := 0
	for {
		task, more := b.take()
		if !more {
			break
		}
		if lost++; lost%2 == 1 { // and what is left runs on
			if err := b.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := b.Run(t.Context(), task); err != nil {
			t.Fatal(err)
		}
	}
	if j, err := b.store.Job(t.Context(), second); err != nil || j.State != service.Succeeded || counted.times == 0 {
		t.Errorf("the job is %v and was resumed %d times, %v", j.State, counted.times, err)
	}
	if !strings.Contains(b.log(), "job goes on that lacked tasks") {
		t.Error("nothing is said of it")
	}
	if d := cmp.Diff(b.detections(first), b.detections(second)); d != "" {
		t.Error("results differ:\n" + d)
	}
}

func (b *bed) detections(id service.JobID) []service.JobSighting {
	b.t.Helper()
	page, err := b.Results(b.t.Context(), service.ResultRequest{Operation: service.FaceDetection, Job: id})
	if err != nil {
		b.t.Fatal(err)
	}
	return page.Sightings
}

// waiting are the tasks in the bed's queue.
func (b *bed) waiting(context.Context) (service.OpenTasks, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	open := service.OpenTasks{}
	for _, t := range b.tasks {
		if open[t.Job] == nil {
			open[t.Job] = map[service.TaskKind]int{}
		}
		open[t.Job][t.Kind]++
	}
	return open, nil
}

// TestProcessesThatLookAheadDifferently: a server is started again with another number of workers in the middle of a job, and none of
// the segments is left out.
func TestProcessesThatLookAheadDifferently(t *testing.T) {
	t.Parallel()
	for _, ahead := range [][2]int{{2, 8}, {8, 2}, {1, 3}} {
		b := setup(t, func(s *service.Settings) { s.SegmentsAhead = ahead[0] })
		long := testVideo{Times: 1}
		for range 20 {
			long.Segments = append(long.Segments, []testFace{looks(1)})
		}
		id := b.begin(service.StartRequest{Operation: service.FaceDetection, Video: b.objects.put("long.mp4", long)})
		for range 3 {
			task, _ := b.take()
			if err := b.Run(t.Context(), task); err != nil {
				t.Fatal(err)
			}
		}
		b.start(func(s *service.Settings) { s.SegmentsAhead = ahead[1] })
		b.work()
		if j, err := b.store.Job(t.Context(), id); err != nil || j.State != service.Succeeded || j.SegmentsDone != 20 {
			t.Errorf("%d segments ahead, then %d: the job is %v, %d segments are done, %v", ahead[0], ahead[1], j.State, j.SegmentsDone, err)
		}
	}
}
