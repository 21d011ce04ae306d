package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/jobs"
	"github.com/spotter-video/spotter/internal/service"
)

// givenUp is one call of GiveUp.
type givenUp struct {
	task  service.Task
	cause error
}

func TestFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		run    func(attempt int) error
		runs   int
		gaveUp string // part of the cause; empty if it is not given up
	}{
		{"succeeds", func(int) error { return nil }, 1, ""},
		{"passes", func(n int) error {
			if n < 3 {
				return service.Errorf(service.Unavailable, "the bucket is asleep")
			}
			return nil
		}, 3, ""},
		{"never passes", func(int) error { return service.Errorf(service.Unavailable, "no bucket") }, 4, "no bucket"},
		{"fails without a kind", func(int) error { return errors.New("disk full") }, 4, "disk full"},
		{"cannot pass", func(int) error { return service.Errorf(service.Invalid, "no video") }, 1, "no video"},
		{"panics", func(int) error { panic("index out of range") }, 4, "index out of range"},
		{"panics once", func(n int) error {
			if n == 1 {
				panic("index out of range")
			}
			return nil
		}, 2, ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			db := newDB(t)
			c := config()
			c.Attempts = 4
			q := setup(t, db, c)
			var runs atomic.Int32
			ups := make(chan givenUp, 10)
			start(t, q, worker{
				run:    func(context.Context, service.Task) error { return tc.run(int(runs.Add(1))) },
				giveUp: func(_ context.Context, task service.Task, cause error) error { ups <- givenUp{task, cause}; return nil },
			})
			enqueue(t, db, q, plan("job"))
			settled(t, q)
			if got := int(runs.Load()); got != tc.runs {
				t.Errorf("%d runs, want %d", got, tc.runs)
			}
			if tc.gaveUp == "" {
				if len(ups) > 0 {
					t.Errorf("it was given up: %v", (<-ups).cause)
				}
				return
			}
			if len(ups) != 1 {
				t.Fatalf("it was given up %d times", len(ups))
			}
			if up := <-ups; up.task != plan("job") || !strings.Contains(up.cause.Error(), tc.gaveUp) {
				t.Errorf("given up: %+v", up)
			}
		})
	}
}

// GiveUp is repeated until it succeeds, with the cause there was, and the task is not run again meanwhile.
func TestGiveUpIsRepeated(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	c := config()
	c.Attempts = 2
	q := setup(t, db, c)
	var runs, ups atomic.Int32
	causes := make(chan error, 10)
	start(t, q, worker{
		run: func(context.Context, service.Task) error { runs.Add(1); return errors.New("cause of it all") },
		giveUp: func(_ context.Context, _ service.Task, cause error) error {
			causes <- cause
			switch ups.Add(1) {
			case 1:
				return errors.New("database is locked")
			case 2:
				panic("not yet")
			}
			return nil
		},
	})
	enqueue(t, db, q, segments("job", 1)...)
	settled(t, q)
	if runs.Load() != 2 || ups.Load() != 3 {
		t.Errorf("%d runs, given up %d times", runs.Load(), ups.Load())
	}
	for range 3 {
		if err := <-causes; !strings.HasPrefix(err.Error(), "cause of it all") {
			t.Errorf("cause: %v", err)
		}
	}
}

// An attempt that takes too long is cancelled and counts as failed; giving up has time of its own.
func TestTimeout(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	c := config()
	c.Attempts, c.Timeout, c.PlanTimeout = 2, 30*time.Millisecond, 30*time.Millisecond
	q := setup(t, db, c)
	var runs atomic.Int32
	causes, alive := make(chan error, 10), make(chan error, 10)
	start(t, q, worker{
		run: func(ctx context.Context, _ service.Task) error { runs.Add(1); <-ctx.Done(); return ctx.Err() },
		giveUp: func(ctx context.Context, _ service.Task, cause error) error {
			causes <- cause
			alive <- ctx.Err()
			return nil
		},
	})
	enqueue(t, db, q, plan("slow"))
	if err := receive(t, causes); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cause: %v", err)
	}
	if err := receive(t, alive); err != nil {
		t.Errorf("giving up was cut short: %v", err)
	}
	if runs.Load() != 2 {
		t.Errorf("%d runs", runs.Load())
	}
}

// A task that this process cannot do is left to another one, however often, and does not count as tried.
func TestTaskIsPassedOn(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	var out lockedBuffer
	c := config()
	c.Attempts, c.PassOn, c.Logger = 1, time.Millisecond, slog.New(slog.NewTextHandler(&out, nil))
	q := setup(t, db, c)
	var runs atomic.Int32
	done := make(chan service.Task, 10)
	start(t, q, worker{
		run: func(_ context.Context, task service.Task) error {
			if runs.Add(1) < 5 {
				return service.Errorf(service.Elsewhere, "the other models are needed")
			}
			done <- task
			return nil
		},
		giveUp: func(_ context.Context, task service.Task, cause error) error {
			t.Errorf("given up: %v", cause)
			done <- task
			return nil
		},
	})
	enqueue(t, db, q, plan("job"))
	receive(t, done)
	settled(t, q)
	var attempt, failures int
	const query = `SELECT attempt, CASE WHEN errors IS NULL THEN 0 ELSE 1 END FROM river_job`
	if err := db.QueryRowContext(t.Context(), query).Scan(&attempt, &failures); err != nil || attempt != 1 || failures != 0 {
		t.Errorf("%d attempts and %d failures count, %v", attempt, failures, err)
	}
	if n := strings.Count(out.String(), "task left to another server"); n != 1 || !strings.Contains(out.String(), "other models") {
		t.Errorf("the log says so %d times:\n%s", n, out.String())
	}
}

// What nobody can do comes to an end, and says why.
func TestTaskThatNobodyCanDo(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	c := config()
	c.PassOn, c.Elsewhere = time.Millisecond, 3*time.Millisecond
	q := setup(t, db, c)
	var runs atomic.Int32
	ups := make(chan givenUp, 10)
	start(t, q, worker{
		run: func(context.Context, service.Task) error {
			runs.Add(1)
			return service.Errorf(service.Elsewhere, "The other models are needed.")
		},
		giveUp: func(_ context.Context, task service.Task, cause error) error { ups <- givenUp{task, cause}; return nil },
	})
	enqueue(t, db, q, plan("job"))
	up := receive(t, ups)
	if e := (*service.Error)(nil); !errors.As(up.cause, &e) || e.Kind != service.Unavailable || !strings.Contains(e.Message, "The other models are needed.") {
		t.Errorf("given up: %v", up.cause)
	}
	settled(t, q)
	if n := runs.Load(); n != 4 {
		t.Errorf("%d runs, want three that passed it on and one that did not", n)
	}
}

// Tasks that failed and wait to be tried again are counted as such.
func TestRetryingIsCounted(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	c := config()
	c.MinBackoff, c.MaxBackoff = time.Hour, time.Hour
	q := setup(t, db, c)
	start(t, q, worker{run: func(context.Context, service.Task) error { return errors.New("passes") }})
	enqueue(t, db, q, finish("job"))
	waitFor(t, q, func(s jobs.Stats) bool { return s[service.FinishTask] == jobs.Depth{Retrying: 1} })
}

func TestSweepIsRepeatedWhateverHappens(t *testing.T) {
	t.Parallel()
	c := config()
	c.SweepEvery = time.Millisecond
	q := setup(t, newDB(t), c)
	sweeps := make(chan int32, 100)
	var n atomic.Int32
	start(t, q, worker{sweep: func(ctx context.Context) error {
		i := n.Add(1)
		select {
		case sweeps <- i:
		case <-ctx.Done():
		}
		switch i {
		case 1:
			return errors.New("database is locked")
		case 2:
			panic("surprise")
		}
		return nil
	}})
	for range 3 {
		receive(t, sweeps)
	}
}

// What River tells is kept down, what this package tells is told.
func TestLog(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	var out lockedBuffer
	c := config()
	c.Attempts = 2
	c.Logger = slog.New(slog.NewTextHandler(&out, nil))
	q := setup(t, db, c)
	start(t, q, worker{run: func(context.Context, service.Task) error { return errors.New("disk full") }})
	enqueue(t, db, q, plan("job"))
	settled(t, q)
	stop(t, q)
	log := out.String()
	for _, want := range []string{"task failed and is tried again", "task given up", "disk full", "job_id=job"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not say %q:\n%s", want, log)
		}
	}
	if n := strings.Count(log, "\n"); n != 2 {
		t.Errorf("the log has %d lines:\n%s", n, log)
	}
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
