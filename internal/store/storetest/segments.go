package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/service"
)

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
	next, last := []service.Task{task(service.SegmentTask, 1, 7)}, task(service.FinishTask, 1, 0)
	refusedSegments(t, s, last)
	q.take()
	steps := []struct {
		name    string
		segment int
		data    []byte
		done    int
		tasks   int
	}{
		{"the last first", 2, []byte("two"), 1, 1},
		{"another", 0, nil, 2, 1},
		{"again", 2, []byte("two again"), 2, 0},
		{"the last to be saved", 1, []byte{0, 0xff}, 3, 2},
		{"again when all are there", 1, []byte("one"), 3, 0},
	}
	for _, step := range steps {
		saved, err := s.SaveSegment(ctx, jobID(1), step.segment, step.data, next, last)
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
	saved, err := s.SaveSegment(ctx, jobID(1), 0, []byte("late"), nil, last)
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
	_, err := s.SaveSegment(ctx, jobID(1), 0, nil, nil, last)
	wantKind(t, err, service.NotFound)
	createJob(t, s, 1)
	if _, err = s.SaveSegment(ctx, jobID(1), 0, nil, nil, last); err == nil {
		t.Fatal("a segment was saved without a plan")
	}
	_, err = s.SavePlan(ctx, jobID(1), newPlan(3), nil)
	ok(t, err)
	for _, n := range []int{-1, 3} {
		if _, err = s.SaveSegment(ctx, jobID(1), n, nil, nil, last); err == nil {
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
