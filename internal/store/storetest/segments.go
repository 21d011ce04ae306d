package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/service"
)

// wantTasks ends the test if something else was enqueued than the segments with these numbers, -1 standing for the finish.
func wantTasks(t *testing.T, q *queue, job int, want ...int) {
	t.Helper()
	var tasks []service.Task
	for _, n := range want {
		if n < 0 {
			tasks = append(tasks, task(service.FinishTask, job, 0))
		} else {
			tasks = append(tasks, task(service.SegmentTask, job, n))
		}
	}
	if diff := cmp.Diff(tasks, q.take()); diff != "" {
		t.Fatalf("tasks (-want +got):\n%s", diff)
	}
}

func testPlans(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	_, err := s.SavePlan(ctx, jobID(1), newPlan(1), service.Pace{Ahead: 1}, nil)
	wantKind(t, err, service.NotFound)
	j := createJob(t, s, 1)
	q.take()
	saved, err := s.SavePlan(ctx, j.ID, newPlan(3), service.Pace{Ahead: 2}, nil)
	ok(t, err)
	if wantTasks(t, &q, 1, 0, 1); !saved {
		t.Fatal("a plan was not saved")
	}
	j.Plan = newPlan(3)
	data := j.Plan.Data
	j.Plan.Data = nil
	wantJob(t, s, j)
	wantData := func() {
		t.Helper()
		got, unread := s.PlanData(ctx, j.ID)
		ok(t, unread)
		if diff := cmp.Diff(data, got); diff != "" {
			t.Fatalf("data (-want +got):\n%s", diff)
		}
	}
	wantData()
	saved, err = s.SavePlan(ctx, j.ID, newPlan(5), service.Pace{Ahead: 5}, nil)
	ok(t, err)
	if wantTasks(t, &q, 1); saved {
		t.Fatal("a second plan was saved")
	}
	wantJob(t, s, j)
	wantData()

	createJob(t, s, 2)
	_, err = s.PlanData(ctx, jobID(2))
	wantKind(t, err, service.NotFound)
	endJob(t, s, 2)
	q.take()
	saved, err = s.SavePlan(ctx, jobID(2), newPlan(5), service.Pace{Ahead: 5}, nil)
	ok(t, err)
	if wantTasks(t, &q, 2); saved {
		t.Fatal("the plan of a job that has ended was saved")
	}
	// A video without anything to look at has nothing planned but the end.
	createJob(t, s, 3)
	q.take()
	saved, err = s.SavePlan(ctx, jobID(3), &service.JobPlan{}, service.Pace{Ahead: 4}, nil)
	ok(t, err)
	got, err := s.Job(ctx, jobID(3))
	ok(t, err)
	if wantTasks(t, &q, 3, -1); !saved || got.Plan == nil || got.Plan.Segments != 0 {
		t.Fatalf("saved %v, plan %+v", saved, got.Plan)
	}
}

func testSegments(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	refusedSegments(t, s)
	q.take()
	steps := []struct {
		name    string
		segment int
		data    []byte
		ahead   int
		done    int
		tasks   []int
	}{
		{"out of order", 2, []byte("two"), 3, 1, []int{3}},
		{"another", 0, nil, 3, 2, []int{4}},
		{"again", 2, []byte("two again"), 3, 2, nil},
		{"by a process that looks less far ahead", 1, []byte{0, 0xff}, 1, 3, nil},
		{"by one that looks further", 4, []byte("four"), 9, 4, []int{5, 6}},
		{"next to last", 6, []byte("six"), 3, 5, nil},
		{"one more", 5, []byte("five"), 3, 6, nil},
		{"the last to be saved", 3, []byte("three"), 3, 7, []int{-1}},
		{"again when all are there", 1, []byte("one"), 3, 7, nil},
	}
	for _, step := range steps {
		saved, err := s.SaveSegment(ctx, jobID(1), step.segment, step.data, service.Pace{Ahead: step.ahead})
		ok(t, err)
		j, err := s.Job(ctx, jobID(1))
		ok(t, err)
		if !saved || j.SegmentsDone != step.done {
			t.Fatalf("%s: saved %v, %d done", step.name, saved, j.SegmentsDone)
		}
		wantTasks(t, &q, 1, step.tasks...)
	}
	wantSegments(t, s, 1, []byte{}, []byte{0, 0xff}, []byte("two"), []byte("three"), []byte("four"), []byte("five"), []byte("six"), nil)
	endJob(t, s, 1)
	wantSegments(t, s, 1, nil, nil, nil)
	saved, err := s.SaveSegment(ctx, jobID(1), 0, []byte("late"), service.Pace{Ahead: 3})
	ok(t, err)
	if wantTasks(t, &q, 1); saved {
		t.Fatal("a segment of a job that has ended was saved")
	}
	wantSegments(t, s, 1, nil)
	wantSegments(t, s, 2, nil)
}

// testTurns has segments enqueued at the turns that the pace says, and all tasks of a background job in the background.
func testTurns(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	j := newJob(1)
	j.Background = true
	_, err := s.CreateJob(ctx, j, service.Places{OfKey: 1, All: 1}, nil, task(service.PlanTask, 1, 0))
	ok(t, err)
	q.take()
	want := func(kind service.TaskKind, turns map[int]int64) {
		t.Helper()
		got := map[int]int64{}
		for _, task := range q.take() {
			if !task.Background || task.Kind != kind {
				t.Fatalf("%+v was enqueued", task)
			}
			got[task.Segment] = task.Turn
		}
		if diff := cmp.Diff(turns, got); diff != "" {
			t.Fatalf("turns (-want +got):\n%s", diff)
		}
	}
	save := func(n int, p service.Pace) {
		t.Helper()
		_, saving := s.SaveSegment(ctx, j.ID, n, []byte("x"), p)
		ok(t, saving)
	}
	tasks, err := s.Resume(ctx, j.ID, service.Pace{Ahead: 1, Turn: 5, Step: 1})
	ok(t, err)
	if len(tasks) != 1 {
		t.Fatalf("%+v", tasks)
	}
	want(service.PlanTask, map[int]int64{0: 0})
	_, err = s.SavePlan(ctx, j.ID, newPlan(7), service.Pace{Ahead: 2, Turn: 40, Step: 3}, nil)
	ok(t, err)
	want(service.SegmentTask, map[int]int64{0: 40, 1: 43})
	save(1, service.Pace{Ahead: 3, Turn: 41, Step: 5}) // another key's job has begun: its own turns come first
	want(service.SegmentTask, map[int]int64{2: 46, 3: 51})
	save(0, service.Pace{Ahead: 3, Turn: 1000, Step: 1}) // it has been away: what it has missed is not made up for
	want(service.SegmentTask, map[int]int64{4: 1000})
	// Of what is resumed nobody knows where it is in the queue: that is left as it is, and what was lost is run soon.
	tasks, err = s.Resume(ctx, j.ID, service.Pace{Ahead: 4, Turn: 1000, Step: 2})
	ok(t, err)
	if len(tasks) != 4 {
		t.Fatalf("%+v", tasks)
	}
	want(service.SegmentTask, map[int]int64{2: 1000, 3: 1000, 4: 1000, 5: 1001})
	for n := 2; n < 6; n++ {
		save(n, service.Pace{Ahead: 1, Step: 1})
	}
	want(service.SegmentTask, map[int]int64{6: 1003})
	save(6, service.Pace{Ahead: 1, Step: 1})
	want(service.FinishTask, map[int]int64{0: 0})
}

// refusedSegments saves segments that do not exist, and the plan of job 1 with seven that do.
func refusedSegments(t *testing.T, s service.Store) {
	t.Helper()
	ctx := t.Context()
	_, err := s.SaveSegment(ctx, jobID(1), 0, nil, service.Pace{Ahead: 1})
	wantKind(t, err, service.NotFound)
	createJob(t, s, 1)
	if _, err = s.SaveSegment(ctx, jobID(1), 0, nil, service.Pace{Ahead: 1}); err == nil {
		t.Fatal("a segment was saved without a plan")
	}
	_, err = s.SavePlan(ctx, jobID(1), newPlan(7), service.Pace{Ahead: 3}, nil)
	ok(t, err)
	for _, n := range []int{-1, 7} {
		if _, err = s.SaveSegment(ctx, jobID(1), n, nil, service.Pace{Ahead: 3}); err == nil {
			t.Fatalf("segment %d of 7 was saved", n)
		}
	}
	j, err := s.Job(ctx, jobID(1))
	ok(t, err)
	if j.SegmentsDone != 0 {
		t.Fatalf("%d segments are done, and none was saved", j.SegmentsDone)
	}
}

// testResume asks what a job needs to go on, at each stage: what is missing, and nothing else.
func testResume(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	resume := func(want ...service.Task) {
		t.Helper()
		q.take()
		said, err := s.Resume(ctx, jobID(1), service.Pace{Ahead: 3})
		ok(t, err)
		if diff := cmp.Diff(want, said); diff != "" {
			t.Fatalf("said (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, q.take()); diff != "" {
			t.Fatalf("enqueued (-want +got):\n%s", diff)
		}
	}
	segments := func(numbers ...int) (tasks []service.Task) {
		for _, n := range numbers {
			tasks = append(tasks, task(service.SegmentTask, 1, n))
		}
		return tasks
	}
	save := func(n int) {
		t.Helper()
		_, err := s.SaveSegment(ctx, jobID(1), n, []byte("x"), service.Pace{Ahead: 3})
		ok(t, err)
	}
	resume()
	createJob(t, s, 1)
	resume(task(service.PlanTask, 1, 0))
	_, err := s.SavePlan(ctx, jobID(1), newPlan(6), service.Pace{Ahead: 2}, nil)
	ok(t, err)
	resume(segments(0, 1, 2)...) // as many as this process has ahead
	save(1)
	resume(segments(0, 2, 3)...)
	resume(segments(0, 2, 3)...)
	save(3)
	save(4) // from a window that was larger
	resume(segments(0, 2, 5)...)
	save(0)
	save(2)
	resume(segments(5)...)
	save(5)
	resume(task(service.FinishTask, 1, 0))
	endJob(t, s, 1)
	resume()
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

func chunk(kind service.ChunkKind, n int, data string) service.Chunk {
	return service.Chunk{Kind: kind, Number: n, Data: []byte(data)}
}

func wantChunks(t *testing.T, s service.Store, job int, kind service.ChunkKind, from, to int, want ...service.Chunk) {
	t.Helper()
	got, err := s.Chunks(t.Context(), jobID(job), kind, from, to)
	ok(t, err)
	if len(got) != len(want) {
		t.Fatalf("%d chunks, want %d", len(got), len(want))
	}
	if diff := cmp.Diff(want, got); len(want) > 0 && diff != "" {
		t.Fatalf("chunks (-want +got):\n%s", diff)
	}
}

func testChunks(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	wantKind(t, s.SaveChunks(ctx, jobID(1), 1, []service.Chunk{chunk(0, 0, "a")}), service.NotFound)
	createJob(t, s, 1)
	createJob(t, s, 2)
	ok(t, s.SaveChunks(ctx, jobID(1), 1, nil))
	ok(t, s.SaveChunks(ctx, jobID(1), 1, []service.Chunk{
		chunk(service.SightingsByTime, 2, "t2"), chunk(service.SightingsByTime, 0, "t0"),
		chunk(service.SightingsByPerson, 0, "p0"), chunk(service.MatchLists, 0, "m0"),
	}))
	ok(t, s.SaveChunks(ctx, jobID(1), 1, []service.Chunk{
		chunk(service.SightingsByTime, 1, "t1"), chunk(service.SightingsByTime, 0, "t0 again"), chunk(service.MatchLists, 1, ""),
	}))
	ok(t, s.SaveChunks(ctx, jobID(2), 1, []service.Chunk{chunk(service.SightingsByTime, 0, "of another job")}))
	wantChunks(t, s, 1, service.SightingsByTime, 0, 100) // as long as it is in progress
	endJob(t, s, 1)
	all := func() {
		t.Helper()
		wantChunks(t, s, 1, service.SightingsByTime, 0, 100, chunk(0, 0, "t0 again"), chunk(0, 1, "t1"), chunk(0, 2, "t2"))
		wantChunks(t, s, 1, service.SightingsByTime, 1, 2, chunk(0, 1, "t1"))
		wantChunks(t, s, 1, service.SightingsByTime, 3, 9)
		wantChunks(t, s, 1, service.SightingsByPerson, 0, 1, chunk(1, 0, "p0"))
		wantChunks(t, s, 1, service.MatchLists, 0, 9, chunk(2, 0, "m0"), chunk(2, 1, ""))
	}
	all()
	wantKind(t, s.SaveChunks(ctx, jobID(1), 1, []service.Chunk{chunk(0, 0, "late")}), service.Conflict)
	all()
	ok(t, s.DeleteJob(ctx, jobID(1)))
	wantChunks(t, s, 1, service.SightingsByTime, 0, 100)
}

// testAttempts has attempts at an end save side by side: those of the one that has ended the job are its results.
func testAttempts(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	const first, second = int64(1<<40 + 7), int64(1<<40 + 8)
	for job := range 2 {
		createJob(t, s, job)
		for number := range 40 {
			ok(t, s.SaveChunks(ctx, jobID(job), first, []service.Chunk{chunk(service.SightingsByTime, number, "first")}))
			ok(t, s.SaveChunks(ctx, jobID(job), second, []service.Chunk{chunk(service.SightingsByTime, number, "second")}))
		}
	}
	j := ended(0)
	j.Results.Attempt = second
	_, err := s.EndJob(ctx, j, nil, 0)
	ok(t, err)
	failed := ended(1)
	failed.State, failed.Results, failed.Message = service.Failed, nil, "ends\x00 badly: \xff"
	_, err = s.EndJob(ctx, failed, nil, 0)
	ok(t, err)
	wantKind(t, s.SaveChunks(ctx, jobID(0), first, []service.Chunk{chunk(service.SightingsByTime, 0, "late")}), service.Conflict)
	for range 2 { // before and after others are swept away
		wantChunks(t, s, 0, service.SightingsByTime, 0, 2, chunk(0, 0, "second"), chunk(0, 1, "second"))
		wantChunks(t, s, 1, service.SightingsByTime, 0, 2)
		_, err = s.Sweep(ctx, day(), 10)
		ok(t, err)
	}
	got, err := s.Job(ctx, jobID(0))
	ok(t, err)
	if diff := cmp.Diff(j.Results, got.Results); diff != "" {
		t.Fatalf("results (-want +got):\n%s", diff)
	}
	got, err = s.Job(ctx, jobID(1))
	ok(t, err)
	if got.Message != "ends\uFFFD badly: \uFFFD" {
		t.Fatalf("the message is %q, and every engine must take it", got.Message)
	}
}
