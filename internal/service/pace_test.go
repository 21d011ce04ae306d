package service_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/service"
)

// TestWindow: the windows of all jobs together keep the workers busy as long as there is something to do, and keys that want more than their
// share get the same.
func TestWindow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.IntRange(1, 500).Draw(t, "all")
		open := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) service.OpenJobs {
			working := rapid.IntRange(1, 40).Draw(t, "working")
			return service.OpenJobs{Working: working, Segments: int64(working) + rapid.Int64Range(0, 2000).Draw(t, "more")}
		}), 1, 12).Draw(t, "open")
		var want, inQueue, jobs int64
		most, least := 0, 1<<30
		for i, o := range open {
			w := service.Window(all, o, slices.Concat(open[:i], open[i+1:]))
			if w < 1 {
				t.Fatalf("a window of %d", w)
			}
			share := w * o.Working
			want, inQueue, jobs = want+o.Segments, inQueue+int64(share), jobs+int64(o.Working)
			if int64(share) < o.Segments { // it wants more
				most, least = max(most, share-o.Working), min(least, share)
			}
		}
		if inQueue < min(int64(all), want) {
			t.Fatalf("%d segments are in the queue, %d are there and %d workers want some", inQueue, want, all)
		}
		if inQueue > int64(all+len(open))+jobs { // each key, and each job, has one more at most
			t.Fatalf("%d segments of %d jobs are in the queue for %d workers", inQueue, jobs, all)
		}
		if most > least { // each may have one more a job than its share
			t.Fatalf("of those who want more one gets more than %d, and one %d", most, least)
		}
	})
}

// TestBackgroundIsApart: what is in the background takes nothing from others, and the other way round.
func TestBackgroundIsApart(t *testing.T) {
	t.Parallel()
	for _, background := range []bool{false, true} {
		own := service.OpenJobs{Key: "a", Background: background, Jobs: 1, Working: 1, Segments: 100, Turn: 70}
		other := service.OpenJobs{Key: "a", Background: !background, Jobs: 3, Working: 3, Segments: 100, Turn: 7}
		third := service.OpenJobs{Key: "b", Background: !background, Jobs: 2, Working: 2, Segments: 100, Turn: 5}
		open := []service.OpenJobs{other, own, third}
		if p := service.PaceOf(own, false, open, 10, 60); p != (service.Pace{Ahead: 10, Turn: 60, Step: 1}) {
			t.Errorf("%+v", p)
		}
		if p := service.PaceOf(own, true, open, 10, 0); p != (service.Pace{Ahead: 5, Turn: 60, Step: 2}) { // ten segments before 70
			t.Errorf("of one that begins: %+v", p)
		}
	}
}

// turns is a queue that runs the segment with the lowest turn next, and of equal ones the one that came first; those of background jobs after
// all others; what is no segment at once.
type turns struct {
	*bed
	now [2]int64
}

func takesTurns(t *testing.T, workers int) *turns {
	t.Helper()
	q := &turns{bed: setup(t)}
	settings := service.DefaultSettings()
	settings.SegmentsAhead, settings.OpenJobs, settings.KeepAnalyses = 2*workers, 100, 0
	world := q.ports()
	world.Turn = func(background bool) int64 { return q.now[index(background)] }
	q.startOn(world, settings)
	q.collection("people")
	return q
}

func index(background bool) int {
	if background {
		return 1
	}
	return 0
}

func order(t service.Task) [3]int64 {
	if t.Kind != service.SegmentTask {
		return [3]int64{-1}
	}
	return [3]int64{0, int64(index(t.Background)), t.Turn}
}

// run runs the next task.
func (q *turns) run() service.Task {
	q.t.Helper()
	slices.SortStableFunc(q.tasks, func(a, b service.Task) int {
		x, y := order(a), order(b)
		return slices.Compare(x[:], y[:])
	})
	task, more := q.take()
	if !more {
		q.t.Fatal("nothing is in the queue")
	}
	if n := &q.now[index(task.Background)]; task.Kind == service.SegmentTask {
		*n = max(*n, task.Turn)
	}
	if err := q.Run(q.t.Context(), task); err != nil {
		q.t.Fatal(err)
	}
	return task
}

// start begins a job of so many segments, and has its video looked at.
func (q *turns) start(key string, segments int) service.JobID {
	q.t.Helper()
	video := testVideo{Times: 1, Segments: make([][]testFace, segments)}
	r := q.request(q.objects.put(fmt.Sprintf("%s-%d.mp4", key, segments), video))
	r.Caller = service.Caller{Key: key, Name: "arn:" + key, Background: key == "night"}
	id := q.begin(r)
	if task := q.run(); task.Job != id || task.Kind != service.PlanTask {
		q.t.Fatalf("%+v was run, and not the plan of %s", task, id)
	}
	return id
}

// TestKeysTakeTurns has one key begin nine long jobs, another one a single one some time later, and a third one in the background: the two get
// through as many segments, the nine jobs among themselves too, and the background nothing.
func TestKeysTakeTurns(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 4, 30} {
		q := takesTurns(t, workers)
		whose := map[service.JobID]string{q.start("night", 50): "night"}
		for range 9 {
			whose[q.start("many", 400)] = "many"
		}
		for range 12 * workers { // nothing was known of the others when the first began
			q.run()
			q.advance(openJobsAreKnown)
		}
		whose[q.start("one", 400)] = "one"
		q.advance(openJobsAreKnown)
		of, jobs := map[string]int{}, map[service.JobID]int{}
		const rounds = 180
		for range rounds {
			task := q.run()
			of[whose[task.Job]]++
			jobs[task.Job]++
			q.advance(openJobsAreKnown)
		}
		if of["night"] > 0 || of["one"] < rounds/2-3 || of["one"] > rounds/2+3 {
			t.Errorf("%d workers: of %d segments each key got %v", workers, rounds, of)
		}
		for id, n := range jobs {
			if whose[id] == "many" && (n < 7 || n > 13) {
				t.Errorf("%d workers: one job of nine got through %d of %d segments", workers, n, of["many"])
			}
		}
	}
}

// openJobsAreKnown is how long it takes until a service has counted the open jobs anew.
const openJobsAreKnown = 1 << 32 // ns

// TestWhoComesIsNotBehind has a job begin beside one that has come far, by a process that has run no segment yet; and one go on that was
// held up. Neither waits, and neither has anything to catch up on.
func TestWhoComesIsNotBehind(t *testing.T) {
	t.Parallel()
	q := takesTurns(t, 2)
	far := q.start("far", 500)
	for range 300 {
		q.run()
	}
	q.now = [2]int64{} // another process's
	late := q.start("late", 100)
	q.advance(openJobsAreKnown)
	first := q.run()
	count := map[service.JobID]int{first.Job: 1}
	for range 19 {
		count[q.run().Job]++
	}
	if count[late] < 8 || count[late] > 15 {
		t.Errorf("of 20 segments %d are of the job that began", count[late])
	}
	// What is in the queue of the late job cannot be run for a while.
	var held []service.Task
	q.tasks = slices.DeleteFunc(q.tasks, func(task service.Task) bool {
		if task.Job == late {
			held = append(held, task)
		}
		return task.Job == late
	})
	for range 100 {
		if task := q.run(); task.Job != far {
			t.Fatalf("%+v was run", task)
		}
	}
	q.tasks = append(q.tasks, held...)
	clear(count)
	for range 40 {
		count[q.run().Job]++
		q.advance(openJobsAreKnown)
	}
	if n := count[late]; n > 20+len(held)+2 || n < 20-2 {
		t.Errorf("of 40 segments %d are of the job that was held up with %d of them", n, len(held))
	}
}

// TestOpenJobsOfAll: a key that has its own share of places free is refused while all together have too many.
func TestOpenJobsOfAll(t *testing.T) {
	t.Parallel()
	b := setup(t, func(s *service.Settings) { s.OpenJobs, s.AllOpenJobs = 2, 3 })
	b.collection("people")
	start := func(key string) error {
		r := b.request(b.objects.put("clip.mp4", clip()))
		r.Caller = service.Caller{Key: key, Name: "arn:" + key}
		_, err := b.StartJob(t.Context(), r)
		return err
	}
	for _, step := range []struct{ key, refused string }{
		{"a", ""},
		{"a", ""},
		{"a", "3  open Jobs for User arn:a. Maximum limit: 2"},
		{"b", ""},
		{"b", "4  open Jobs of all users together. Maximum limit: 3"},
		{"c", "4  open Jobs of all users together. Maximum limit: 3"},
		{"a", "3  open Jobs for User arn:a. Maximum limit: 2"},
	} {
		err := start(step.key)
		if step.refused == "" && err == nil {
			continue
		}
		if service.KindOf(err) != service.TooManyJobs || err.Error() != step.refused {
			t.Errorf("a job of %s: %v, want %q", step.key, err, step.refused)
		}
	}
}
