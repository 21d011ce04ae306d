package jobs_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/jobs"
	"github.com/spotter-video/spotter/internal/service"
)

// A stop with time lets the running task end, and starts no other.
func TestStopDrains(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	q := setup(t, db, config())
	began, release := make(chan service.Task, 10), make(chan struct{})
	cancelled := make(chan error, 10)
	start(t, q, worker{run: func(ctx context.Context, task service.Task) error {
		began <- task
		<-release
		cancelled <- ctx.Err()
		return nil
	}})
	enqueue(t, db, q, segments("job", 3)...)
	receive(t, began)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop(t, q)
	}()
	select {
	case <-stopped:
		t.Error("it stopped with a task running")
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	receive(t, stopped)
	if err := receive(t, cancelled); err != nil {
		t.Errorf("the task was cancelled: %v", err)
	}
	if len(began) > 0 {
		t.Errorf("%+v was begun after the stop", <-began)
	}
	wantDepth(t, q, service.SegmentTask, jobs.Depth{Waiting: 2})
}

// A stop without time cancels the running task and hands it back: it is run first by the next process, as if it had not
// been begun, though one failure more would have been its last.
func TestStopHandsBack(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		err  func(ctx context.Context) error
	}{
		{"cancelled", func(ctx context.Context) error { return ctx.Err() }},
		{"any error", func(context.Context) error { return service.Errorf(service.Invalid, "decoder was killed") }},
		{"panic", func(context.Context) error { panic("decoder was killed") }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			db := newDB(t)
			c := config()
			c.Attempts = 1
			first := setup(t, db, c)
			began := make(chan service.Task, 10)
			giveUp := func(_ context.Context, task service.Task, cause error) error {
				t.Errorf("%+v was given up: %v", task, cause)
				return nil
			}
			start(t, first, worker{giveUp: giveUp, run: func(ctx context.Context, task service.Task) error {
				if task.Segment == 1 {
					began <- task
					<-ctx.Done()
					return tc.err(ctx)
				}
				return nil
			}})
			enqueue(t, db, first, segments("job", 4)...)
			receive(t, began)
			short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			stopUntil(short, t, first)
			cancel()
			wantDepth(t, first, service.SegmentTask, jobs.Depth{Waiting: 3})

			c.Recover = false
			second := setup(t, db, c)
			var r record
			start(t, second, worker{giveUp: giveUp, run: func(_ context.Context, task service.Task) error { r.add(task); return nil }})
			settled(t, second)
			if got := r.all(); !slices.Equal(got, segments("job", 4)[1:]) {
				t.Errorf("ran %+v", got)
			}
		})
	}
}

// A task that does not listen makes the stop fail, and not hang.
func TestStopTellsOfTasksThatGoOn(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	c := config()
	c.Grace = 20 * time.Millisecond
	q, err := jobs.New(db.engine, c)
	if err != nil {
		t.Fatal(err)
	}
	began, release := make(chan struct{}), make(chan struct{})
	start(t, q, worker{run: func(context.Context, service.Task) error { close(began); <-release; return nil }})
	enqueue(t, db, q, plan("deaf"))
	receive(t, began)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	close(release)
	stop(t, q) // and it may be stopped again
	wantDepth(t, q, service.PlanTask, jobs.Depth{})
}
