package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

func jobID(n int) service.JobID { return service.JobID(fmt.Sprintf("%064x", n)) }

func newJob(n int) *service.Job {
	return &service.Job{
		ID: jobID(n), Operation: service.FaceSearch, State: service.InProgress,
		Video:      service.Object{Bucket: "videos", Key: "a b/ü?#%.mp4", Version: "v1"},
		Pinned:     service.ObjectInfo{Size: 1 << 40, ETag: `"abc-3"`, Version: "v1"},
		Collection: "people", CollectionSerial: 7, Threshold: 80.1, Attributes: true,
		Tag: "tag", Topic: "arn:topic", Role: "arn:role",
		Created: day().Add(time.Duration(n) * time.Second),
	}
}

func task(kind service.TaskKind, n, segment int) service.Task {
	return service.Task{Kind: kind, Job: jobID(n), Segment: segment}
}

func createJob(t *testing.T, s service.Store, n int) *service.Job {
	t.Helper()
	j := newJob(n)
	_, err := s.CreateJob(t.Context(), j, 1000, nil, task(service.PlanTask, n, 0))
	ok(t, err)
	return j
}

func newPlan(segments int) *service.JobPlan {
	return &service.JobPlan{
		Info: face.VideoInfo{
			Codec: "h264", Format: "QuickTime / MOV", Duration: 90*time.Minute + 1, FrameRate: 30000. / 1001,
			Width: 1920, Height: 1080, FullRange: true, Interlaced: true, Rotation: 270,
		},
		Segments: segments, Data: []byte{0, 1, 0xff, 0}, Warnings: []string{"the index is damaged"},
	}
}

// ended is what a job is to become.
func ended(n int) *service.Job {
	return &service.Job{
		ID: jobID(n), State: service.Succeeded, Message: "fine", Results: &service.Results{Sightings: 5, Persons: 2, Lists: 1},
		Finished: day().Add(time.Hour), Expires: day().Add(48 * time.Hour),
	}
}

func endJob(t *testing.T, s service.Store, n int) {
	t.Helper()
	done, err := s.EndJob(t.Context(), ended(n), nil)
	ok(t, err)
	if !done {
		t.Fatalf("job %d had ended already", n)
	}
}

func wantJob(t *testing.T, s service.Store, want *service.Job) {
	t.Helper()
	got, err := s.Job(t.Context(), want.ID)
	ok(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("job (-want +got):\n%s", diff)
	}
}

func wantOpen(t *testing.T, s service.Store, want int, since time.Time) {
	t.Helper()
	n, oldest, err := s.OpenJobs(t.Context())
	ok(t, err)
	if n != want || !oldest.Equal(since) {
		t.Fatalf("%d open jobs since %v, want %d since %v", n, oldest, want, since)
	}
}

// together calls do at once n times, and gives what each says.
func together(n int, do func(i int) error) []error {
	results := make([]error, n)
	var start, all sync.WaitGroup
	start.Add(1)
	for i := range n {
		all.Go(func() {
			start.Wait()
			results[i] = do(i)
		})
	}
	start.Done()
	all.Wait()
	return results
}

// wantOnce checks that one call of many has succeeded, and that the others say the same of it.
func wantOnce(t *testing.T, results []error, others service.Kind) {
	t.Helper()
	succeeded := 0
	for _, err := range results {
		if err == nil {
			succeeded++
		} else {
			wantKind(t, err, others)
		}
	}
	if succeeded != 1 {
		t.Fatalf("%d of %d calls succeeded, want one", succeeded, len(results))
	}
}

func testJobs(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	_, err := s.Job(ctx, jobID(1))
	wantKind(t, err, service.NotFound)
	wantOpen(t, s, 0, time.Time{})

	first, token := newJob(1), newToken("job")
	n, err := s.CreateJob(ctx, first, 2, token, task(service.PlanTask, 1, 0))
	ok(t, err)
	if n != 1 || first.Serial < 1 {
		t.Fatalf("%d open jobs and serial %d", n, first.Serial)
	}
	if diff := cmp.Diff([]service.Task{task(service.PlanTask, 1, 0)}, q.take()); diff != "" {
		t.Fatalf("tasks (-want +got):\n%s", diff)
	}
	wantJob(t, s, first)
	wantToken(t, s, token, token.Scope, token.Token, day())
	_, err = s.CreateJob(ctx, newJob(2), 2, token, task(service.PlanTask, 2, 0))
	wantKind(t, err, service.TokenReused)
	second := createJob(t, s, 2)
	if second.Serial <= first.Serial {
		t.Fatalf("serial %d after %d", second.Serial, first.Serial)
	}
	q.take()
	n, err = s.CreateJob(ctx, newJob(3), 2, newToken("third"), task(service.PlanTask, 3, 0))
	wantKind(t, err, service.TooManyJobs)
	if n != 3 || len(q.take()) != 0 {
		t.Fatalf("%d jobs would be open, want 3, and nothing enqueued", n)
	}
	wantToken(t, s, nil, "op people", "third", day())
	wantOpen(t, s, 2, first.Created)
	endJob(t, s, 1)
	wantOpen(t, s, 1, second.Created)
	n, err = s.CreateJob(ctx, newJob(3), 2, nil, task(service.PlanTask, 3, 0))
	ok(t, err)
	if n != 2 {
		t.Fatalf("%d open jobs, want 2", n)
	}
	if _, err := s.CreateJob(ctx, newJob(3), 20, nil, task(service.PlanTask, 3, 0)); err == nil {
		t.Fatal("two jobs have one id")
	}
	wantOpen(t, s, 2, second.Created)
	if _, err := s.CreateJob(ctx, ended(4), 20, nil, task(service.PlanTask, 4, 0)); err == nil {
		t.Fatal("a job was created that has ended")
	}
}

func testJobListing(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	const n = 7
	var open3, all []service.JobID
	for i := range n {
		createJob(t, s, i)
		all = append([]service.JobID{jobID(i)}, all...)
		if i%2 == 0 {
			endJob(t, s, i)
		} else {
			open3 = append([]service.JobID{jobID(i)}, open3...)
		}
	}
	_, err := s.SavePlan(ctx, jobID(1), newPlan(3), nil)
	ok(t, err)
	ok(t, s.DeleteJob(ctx, jobID(2)))
	all = append(all[:4:4], all[5:]...)
	for limit := 1; limit <= n; limit++ {
		for state, want := range map[service.JobState][]service.JobID{"": all, service.InProgress: open3, service.Failed: nil} {
			var got []service.JobID
			for before := service.Serial(0); ; {
				var page []service.Job
				page, err = s.Jobs(ctx, service.JobQuery{State: state, Before: before, Limit: limit})
				ok(t, err)
				if len(page) == 0 {
					break
				}
				for _, j := range page {
					got, before = append(got, j.ID), j.Serial
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("state %q in pages of %d (-want +got):\n%s", state, limit, diff)
			}
		}
	}
	page, err := s.Jobs(ctx, service.JobQuery{State: service.InProgress, Limit: 10})
	ok(t, err)
	if p := page[2].Plan; p == nil || p.Segments != 3 || len(p.Data) != 0 || p.Info != newPlan(3).Info {
		t.Fatalf("a listed job's plan is %+v, want all but the data", p)
	}
}

func testPlans(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	_, err := s.SavePlan(ctx, jobID(1), newPlan(1), nil)
	wantKind(t, err, service.NotFound)
	j := createJob(t, s, 1)
	q.take()
	next := []service.Task{task(service.SegmentTask, 1, 0), task(service.SegmentTask, 1, 1)}
	saved, err := s.SavePlan(ctx, j.ID, newPlan(2), next)
	ok(t, err)
	if diff := cmp.Diff(next, q.take()); !saved || diff != "" {
		t.Fatalf("saved %v, tasks (-want +got):\n%s", saved, diff)
	}
	j.Plan = newPlan(2)
	wantJob(t, s, j)
	saved, err = s.SavePlan(ctx, j.ID, newPlan(5), next)
	ok(t, err)
	if saved || len(q.take()) != 0 {
		t.Fatal("a second plan was saved")
	}
	wantJob(t, s, j)

	createJob(t, s, 2)
	endJob(t, s, 2)
	q.take()
	saved, err = s.SavePlan(ctx, jobID(2), newPlan(5), next)
	ok(t, err)
	if saved || len(q.take()) != 0 {
		t.Fatal("the plan of a job that has ended was saved")
	}
	// A video without anything to look at has nothing planned but the end.
	createJob(t, s, 3)
	q.take()
	empty := &service.JobPlan{}
	saved, err = s.SavePlan(ctx, jobID(3), empty, []service.Task{task(service.FinishTask, 3, 0)})
	ok(t, err)
	got, err := s.Job(ctx, jobID(3))
	ok(t, err)
	if !saved || got.Plan == nil || got.Plan.Segments != 0 || len(q.take()) != 1 {
		t.Fatalf("saved %v, plan %+v", saved, got.Plan)
	}
}

func testSegments(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	last := task(service.FinishTask, 1, 0)
	refusedSegments(t, s, last)
	q.take()
	steps := []struct {
		name    string
		segment int
		data    []byte
		done    int
		tasks   int
	}{
		{"the last first", 2, []byte("two"), 1, 0},
		{"another", 0, nil, 2, 0},
		{"again", 2, []byte("two again"), 2, 0},
		{"the last to be saved", 1, []byte{0, 0xff}, 3, 1},
		{"again when all are there", 1, []byte("one"), 3, 0},
	}
	for _, step := range steps {
		saved, err := s.SaveSegment(ctx, jobID(1), step.segment, step.data, last)
		ok(t, err)
		j, err := s.Job(ctx, jobID(1))
		ok(t, err)
		if tasks := q.take(); !saved || j.SegmentsDone != step.done || len(tasks) != step.tasks {
			t.Fatalf("%s: saved %v, %d done, tasks %v", step.name, saved, j.SegmentsDone, tasks)
		}
	}
	wantSegments(t, s, 1, []byte{}, []byte("one"), []byte("two again"))
	endJob(t, s, 1)
	wantSegments(t, s, 1, nil, nil, nil)
	saved, err := s.SaveSegment(ctx, jobID(1), 0, []byte("late"), last)
	ok(t, err)
	if saved || len(q.take()) != 0 {
		t.Fatal("a segment of a job that has ended was saved")
	}
	wantSegments(t, s, 1, nil)
	wantSegments(t, s, 2, nil)
}

// refusedSegments saves segments that do not exist, and the plan of job 1 with three that do.
func refusedSegments(t *testing.T, s service.Store, last service.Task) {
	t.Helper()
	ctx := t.Context()
	_, err := s.SaveSegment(ctx, jobID(1), 0, nil, last)
	wantKind(t, err, service.NotFound)
	createJob(t, s, 1)
	if _, err = s.SaveSegment(ctx, jobID(1), 0, nil, last); err == nil {
		t.Fatal("a segment was saved without a plan")
	}
	_, err = s.SavePlan(ctx, jobID(1), newPlan(3), nil)
	ok(t, err)
	for _, n := range []int{-1, 3} {
		if _, err = s.SaveSegment(ctx, jobID(1), n, nil, last); err == nil {
			t.Fatalf("segment %d of 3 was saved", n)
		}
	}
}

func wantSegments(t *testing.T, s service.Store, job int, want ...[]byte) {
	t.Helper()
	for n, data := range want {
		got, err := s.Segment(t.Context(), jobID(job), n)
		ok(t, err)
		if (data == nil) != (got == nil) || string(got) != string(data) {
			t.Fatalf("segment %d is %q, want %q", n, got, data)
		}
	}
}

func testChunks(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	chunk := func(kind service.ChunkKind, n int, data string) service.Chunk {
		return service.Chunk{Kind: kind, Number: n, Data: []byte(data)}
	}
	wantKind(t, s.SaveChunks(ctx, jobID(1), []service.Chunk{chunk(0, 0, "a")}), service.NotFound)
	createJob(t, s, 1)
	createJob(t, s, 2)
	ok(t, s.SaveChunks(ctx, jobID(1), nil))
	ok(t, s.SaveChunks(ctx, jobID(1), []service.Chunk{
		chunk(service.SightingsByTime, 2, "t2"), chunk(service.SightingsByTime, 0, "t0"),
		chunk(service.SightingsByPerson, 0, "p0"), chunk(service.MatchLists, 0, "m0"),
	}))
	ok(t, s.SaveChunks(ctx, jobID(1), []service.Chunk{
		chunk(service.SightingsByTime, 1, "t1"), chunk(service.SightingsByTime, 0, "t0 again"), chunk(service.MatchLists, 1, ""),
	}))
	ok(t, s.SaveChunks(ctx, jobID(2), []service.Chunk{chunk(service.SightingsByTime, 0, "of another job")}))

	read := func(kind service.ChunkKind, from, to int, want ...service.Chunk) {
		t.Helper()
		got, err := s.Chunks(ctx, jobID(1), kind, from, to)
		ok(t, err)
		if len(got) != len(want) {
			t.Fatalf("%d chunks, want %d", len(got), len(want))
		}
		if diff := cmp.Diff(want, got); len(want) > 0 && diff != "" {
			t.Fatalf("chunks (-want +got):\n%s", diff)
		}
	}
	all := func() {
		t.Helper()
		read(service.SightingsByTime, 0, 100, chunk(0, 0, "t0 again"), chunk(0, 1, "t1"), chunk(0, 2, "t2"))
		read(service.SightingsByTime, 1, 2, chunk(0, 1, "t1"))
		read(service.SightingsByTime, 3, 9)
		read(service.SightingsByPerson, 0, 1, chunk(1, 0, "p0"))
		read(service.MatchLists, 0, 9, chunk(2, 0, "m0"), chunk(2, 1, ""))
	}
	all()
	endJob(t, s, 1)
	all()
	wantKind(t, s.SaveChunks(ctx, jobID(1), []service.Chunk{chunk(0, 0, "late")}), service.Conflict)
	all()
	ok(t, s.DeleteJob(ctx, jobID(1)))
	read(service.SightingsByTime, 0, 100)
}

func testEndJob(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	_, err := s.EndJob(ctx, ended(1), nil)
	wantKind(t, err, service.NotFound)
	j := createJob(t, s, 1)
	if _, err = s.EndJob(ctx, newJob(1), nil); err == nil {
		t.Fatal("a job ended that is in progress")
	}
	done, err := s.EndJob(ctx, ended(1), newNotice(1))
	ok(t, err)
	if !done {
		t.Fatal("the job had ended already")
	}
	e := ended(1)
	j.State, j.Message, j.Results, j.Finished, j.Expires = e.State, e.Message, e.Results, e.Finished, e.Expires
	wantJob(t, s, j)
	wantDue(t, s, day(), 10, 1)

	// The first end counts.
	failed := ended(1)
	failed.State, failed.Results, failed.Message = service.Failed, nil, "late"
	done, err = s.EndJob(ctx, failed, newNotice(2))
	ok(t, err)
	if done {
		t.Fatal("a job ended twice")
	}
	wantJob(t, s, j)
	wantDue(t, s, day(), 10, 1)
	wantOpen(t, s, 0, time.Time{})

	// Without its notice a job does not end: one with this id is there.
	createJob(t, s, 3)
	n := newNotice(3)
	n.ID = newNotice(1).ID
	if done, err := s.EndJob(ctx, ended(3), n); err == nil || done {
		t.Fatalf("a job ended without its notice: %v", err)
	}
	wantOpen(t, s, 1, newJob(3).Created)
}

func testDeleteJob(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	wantKind(t, s.DeleteJob(ctx, jobID(1)), service.NotFound)
	createJob(t, s, 1)
	wantKind(t, s.DeleteJob(ctx, jobID(1)), service.Conflict)
	_, err := s.EndJob(ctx, ended(1), newNotice(1))
	ok(t, err)
	ok(t, s.DeleteJob(ctx, jobID(1)))
	_, err = s.Job(ctx, jobID(1))
	wantKind(t, err, service.NotFound)
	wantKind(t, s.DeleteJob(ctx, jobID(1)), service.NotFound)
	_, err = s.EndJob(ctx, ended(1), nil)
	wantKind(t, err, service.NotFound)
	// Who was to be told still is.
	wantDue(t, s, day(), 10, 1)
	swept, err := s.Sweep(ctx, day().Add(1000*time.Hour), 10)
	ok(t, err)
	if swept != 0 {
		t.Fatalf("%d were swept, want none: the job had been deleted", swept)
	}
	wantDue(t, s, day(), 10, 1)
}

// testEnqueue checks that nothing happens where the queue refuses the tasks.
func testEnqueue(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	createJob(t, s, 1)
	createJob(t, s, 2)
	_, err := s.SavePlan(ctx, jobID(2), newPlan(1), nil)
	ok(t, err)
	q.failWith(errQueue)

	third := newJob(3)
	_, err = s.CreateJob(ctx, third, 10, newToken("third"), task(service.PlanTask, 3, 0))
	if !errors.Is(err, errQueue) || third.Serial != 0 {
		t.Fatalf("CreateJob: %v, serial %d", err, third.Serial)
	}
	_, err = s.Job(ctx, jobID(3))
	wantKind(t, err, service.NotFound)
	wantToken(t, s, nil, "op people", "third", day())
	wantOpen(t, s, 2, newJob(1).Created)

	saved, err := s.SavePlan(ctx, jobID(1), newPlan(1), []service.Task{task(service.SegmentTask, 1, 0)})
	if saved || !errors.Is(err, errQueue) {
		t.Fatalf("SavePlan: %v, %v", saved, err)
	}
	j, err := s.Job(ctx, jobID(1))
	ok(t, err)
	if j.Plan != nil {
		t.Fatal("the plan was kept")
	}
	saved, err = s.SaveSegment(ctx, jobID(2), 0, []byte("x"), task(service.FinishTask, 2, 0))
	if saved || !errors.Is(err, errQueue) {
		t.Fatalf("SaveSegment: %v, %v", saved, err)
	}
	wantSegments(t, s, 2, nil)

	q.failWith(nil)
	saved, err = s.SaveSegment(ctx, jobID(2), 0, []byte("x"), task(service.FinishTask, 2, 0))
	ok(t, err)
	if !saved || len(q.take()) != 3 {
		t.Fatal("the segment was not saved, or the finish task not enqueued")
	}
}

// testRaces has twenty callers do one thing at once.
func testRaces(u suite) {
	t, open := u.T, u.open
	const callers = 20
	var q queue
	s, ctx := open(t, q.enqueue), t.Context()
	results := together(callers, func(i int) error {
		_, err := s.CreateJob(ctx, newJob(i), 1000, newToken("one"), task(service.PlanTask, i, 0))
		return err
	})
	wantOnce(t, results, service.TokenReused)
	list, err := s.Jobs(ctx, service.JobQuery{Limit: 100})
	ok(t, err)
	tasks := q.take()
	if len(list) != 1 || len(tasks) != 1 || tasks[0].Job != list[0].ID {
		t.Fatalf("%d jobs and tasks %v, want one of each", len(list), tasks)
	}
	results = together(callers, func(i int) error {
		_, err := s.CreateJob(ctx, newJob(100+i), 2, nil, task(service.PlanTask, 100+i, 0))
		return err
	})
	wantOnce(t, results, service.TooManyJobs)
	segmentRace(t, s, &q, list[0].ID, callers)
	endRace(t, s, list[0].ID, callers)
}

func segmentRace(t *testing.T, s service.Store, q *queue, id service.JobID, callers int) {
	t.Helper()
	ctx := t.Context()
	_, err := s.SavePlan(ctx, id, newPlan(callers/2), nil)
	ok(t, err)
	q.take()
	// Each segment twice, as when a worker was thought dead and is not.
	for _, err := range together(callers, func(i int) error {
		return saveSegment(ctx, s, id, i/2, strconv.Itoa(i/2))
	}) {
		ok(t, err)
	}
	if tasks := q.take(); len(tasks) != 1 || tasks[0].Kind != service.FinishTask {
		t.Fatalf("tasks %v, want one to finish", tasks)
	}
	j, err := s.Job(ctx, id)
	ok(t, err)
	if j.SegmentsDone != callers/2 {
		t.Fatalf("%d segments are done, want %d", j.SegmentsDone, callers/2)
	}
}

func saveSegment(ctx context.Context, s service.Store, id service.JobID, n int, data string) error {
	saved, err := s.SaveSegment(ctx, id, n, []byte(data), service.Task{Kind: service.FinishTask, Job: id})
	if err == nil && !saved {
		return errors.New("the segment was not saved")
	}
	return err
}

func endRace(t *testing.T, s service.Store, id service.JobID, callers int) {
	t.Helper()
	var mu sync.Mutex
	winner := -1
	for _, err := range together(callers, func(i int) error {
		j := ended(0)
		j.ID, j.Message = id, strconv.Itoa(i)
		done, err := s.EndJob(t.Context(), j, newNotice(i))
		if done {
			mu.Lock()
			defer mu.Unlock()
			if winner >= 0 {
				return errors.New("the job ended twice")
			}
			winner = i
		}
		return err
	}) {
		ok(t, err)
	}
	j, err := s.Job(t.Context(), id)
	ok(t, err)
	if j.Message != strconv.Itoa(winner) {
		t.Fatalf("the job was ended by %s, and %d was told so", j.Message, winner)
	}
	wantDue(t, s, day(), 100, winner)
}

func testSweep(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	for i := range 5 {
		_, err := s.CreateJob(ctx, newJob(i), 100, newToken(strconv.Itoa(i)), task(service.PlanTask, i, 0))
		ok(t, err)
		if i == 4 {
			break
		}
		ok(t, s.SaveChunks(ctx, jobID(i), []service.Chunk{{Kind: service.MatchLists, Number: 0, Data: []byte("m")}}))
		j := ended(i)
		j.Expires = day().Add(time.Duration(i) * time.Hour)
		if i == 3 {
			j.Expires = time.Time{} // for ever
		}
		_, err = s.EndJob(ctx, j, nil)
		ok(t, err)
	}
	sweep := func(now time.Time, limit, want int) {
		t.Helper()
		n, err := s.Sweep(ctx, now, limit)
		ok(t, err)
		if n != want {
			t.Fatalf("%d were swept, want %d", n, want)
		}
	}
	sweep(day().Add(-time.Millisecond), 10, 0)
	sweep(day(), 10, 1)                // job 0
	sweep(day().Add(time.Hour), 2, 3)  // job 1, and two of five tokens
	sweep(day().Add(time.Hour), 10, 3) // the other three
	sweep(day().Add(1000*time.Hour), 10, 1)
	sweep(day().Add(1000*time.Hour), 10, 0)
	for i := range 5 {
		_, err := s.Job(ctx, jobID(i))
		if i < 3 {
			wantKind(t, err, service.NotFound)
		} else {
			ok(t, err)
		}
		chunks, err := s.Chunks(ctx, jobID(i), service.MatchLists, 0, 10)
		ok(t, err)
		if (len(chunks) == 1) != (i == 3) {
			t.Fatalf("job %d has %d chunks", i, len(chunks))
		}
		wantToken(t, s, nil, "op people", strconv.Itoa(i), day())
	}
}
