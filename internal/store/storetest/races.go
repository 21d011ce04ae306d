package storetest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"

	"github.com/spotter-video/spotter/internal/service"
)

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

// testEnqueue checks that nothing happens where the queue refuses the tasks.
func testEnqueue(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	createJob(t, s, 1)
	createJob(t, s, 2)
	_, err := s.SavePlan(ctx, jobID(2), newPlan(1), service.Pace{Ahead: 1}, nil)
	ok(t, err)
	q.failWith(errQueue)

	third := newJob(3)
	_, err = s.CreateJob(ctx, third, service.Places{OfKey: 10, All: 10}, newToken("third"), task(service.PlanTask, 3, 0))
	if !errors.Is(err, errQueue) || third.Serial != 0 {
		t.Fatalf("CreateJob: %v, serial %d", err, third.Serial)
	}
	_, err = s.Job(ctx, jobID(3))
	wantKind(t, err, service.NotFound)
	wantToken(t, s, nil, "op people", "third", day())
	wantOpen(t, s, 2, newJob(1).Created)

	saved, err := s.SavePlan(ctx, jobID(1), newPlan(1), service.Pace{Ahead: 1}, nil)
	if saved || !errors.Is(err, errQueue) {
		t.Fatalf("SavePlan: %v, %v", saved, err)
	}
	j, err := s.Job(ctx, jobID(1))
	ok(t, err)
	if j.Plan != nil {
		t.Fatal("the plan was kept")
	}
	saved, err = s.SaveSegment(ctx, jobID(2), 0, []byte("x"), service.Pace{Ahead: 1})
	if saved || !errors.Is(err, errQueue) {
		t.Fatalf("SaveSegment: %v, %v", saved, err)
	}
	wantSegments(t, s, 2, nil)
	tasks, err := s.Resume(ctx, jobID(2), service.Pace{Ahead: 1})
	if tasks != nil || !errors.Is(err, errQueue) {
		t.Fatalf("Resume: %v, %v", tasks, err)
	}

	q.failWith(nil)
	saved, err = s.SaveSegment(ctx, jobID(2), 0, []byte("x"), service.Pace{Ahead: 1})
	ok(t, err)
	if !saved || len(q.take()) != 4 {
		t.Fatal("the segment was not saved, or the finish task not enqueued")
	}
}

// callers is how many do one thing at once.
const callers = 16

// testRaces has many callers do one thing at once.
func testRaces(u suite) {
	t, open := u.T, u.open
	var q queue
	s, ctx := open(t, q.enqueue), t.Context()
	results := together(callers, func(i int) error {
		_, err := s.CreateJob(ctx, newJob(i), service.Places{OfKey: 1000, All: 1000}, newToken("one"), task(service.PlanTask, i, 0))
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
		_, err := s.CreateJob(ctx, newJob(100+i), service.Places{OfKey: 2, All: 2}, nil, task(service.PlanTask, 100+i, 0))
		return err
	})
	wantOnce(t, results, service.TooManyJobs)
	segmentRace(t, s, &q, list[0].ID)
	endRace(t, s, list[0].ID)
}

func segmentRace(t *testing.T, s service.Store, q *queue, id service.JobID) {
	t.Helper()
	ctx := t.Context()
	_, err := s.SavePlan(ctx, id, newPlan(callers/2), service.Pace{Ahead: callers}, nil)
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
	saved, err := s.SaveSegment(ctx, id, n, []byte(data), service.Pace{Ahead: callers})
	if err == nil && !saved {
		return errors.New("the segment was not saved")
	}
	return err
}

func endRace(t *testing.T, s service.Store, id service.JobID) {
	t.Helper()
	var mu sync.Mutex
	winner := -1
	for _, err := range together(callers, func(i int) error {
		j := ended(0)
		j.ID, j.Message = id, strconv.Itoa(i)
		done, err := s.EndJob(t.Context(), j, newNotice(i), 0)
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
