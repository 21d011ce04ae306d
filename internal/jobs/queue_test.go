package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/jobs"
	"github.com/spotter-video/spotter/internal/service"
)

func TestEnqueueBelongsToTheTransaction(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	q := setup(t, db, config())
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Enqueue(t.Context(), tx, append(segments("rolled-back", 3), plan("rolled-back"))); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	var rows int
	const query = `SELECT (SELECT count(*) FROM river_job) + (SELECT count(*) FROM river_notification)`
	if err := db.QueryRowContext(t.Context(), query).Scan(&rows); err != nil || rows != 0 {
		t.Fatalf("%d rows are left, %v", rows, err)
	}
	ran := make(chan service.Task, 10)
	start(t, q, worker{run: func(_ context.Context, task service.Task) error { ran <- task; return nil }})
	enqueue(t, db, q, plan("committed"))
	if got := receive(t, ran); got != plan("committed") {
		t.Errorf("ran %+v", got)
	}
}

func TestEnqueueRefuses(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	q := setup(t, db, config())
	tests := []struct {
		name string
		task service.Task
	}{
		{"no kind", service.Task{Job: "j"}},
		{"unknown kind", service.Task{Kind: "sweep", Job: "j"}},
		{"no job", service.Task{Kind: service.PlanTask}},
		{"negative segment", service.Task{Kind: service.SegmentTask, Job: "j", Segment: -1}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := q.Enqueue(t.Context(), tx, []service.Task{plan("good"), tc.task}); err == nil {
				t.Error("it was taken")
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestTaskIsOneRowWhileItIsOpen(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	q := setup(t, db, config())
	task := segments("job", 1)[0]
	enqueue(t, db, q, task, task)
	enqueue(t, db, q, task)
	wantDepth(t, q, service.SegmentTask, jobs.Depth{Waiting: 1})

	ran, release := make(chan service.Task, 10), make(chan struct{})
	start(t, q, worker{run: func(_ context.Context, task service.Task) error { ran <- task; <-release; return nil }})
	receive(t, ran)
	enqueue(t, db, q, task)
	wantDepth(t, q, service.SegmentTask, jobs.Depth{Running: 1})
	close(release)
	settled(t, q)
	if len(ran) > 0 {
		t.Errorf("%+v was run a second time", <-ran)
	}
	enqueue(t, db, q, task)
	receive(t, ran) // a task that was done may be enqueued anew
}

func wantDepth(t *testing.T, q *jobs.Queue, k service.TaskKind, want jobs.Depth) {
	t.Helper()
	s, err := q.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := s[k]
	got.OldestWaiting = time.Time{}
	if got != want {
		t.Errorf("%s tasks: %+v, want %+v", k, got, want)
	}
}

func TestStatsTellSinceWhenTasksWait(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	q := setup(t, db, config())
	before := time.Now().Add(-time.Second)
	enqueue(t, db, q, segments("a", 3)...)
	s, err := q.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	since := s[service.SegmentTask].OldestWaiting
	if since.Before(before) || since.After(time.Now().Add(time.Second)) {
		t.Errorf("the oldest is said to wait since %v", since)
	}
	if d := s[service.PlanTask]; d != (jobs.Depth{}) {
		t.Errorf("plan tasks: %+v", d)
	}
	if len(s) != 3 {
		t.Errorf("there are counts of %d kinds", len(s))
	}
}

func TestOpenTasks(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	q := setup(t, db, config())
	enqueue(t, db, q, append(segments("a", 3), plan("b"), finish("a"))...)
	for _, change := range []string{
		`UPDATE river_job SET state = 'running' WHERE kind = 'plan'`,
		`UPDATE river_job SET state = 'completed', finalized_at = CURRENT_TIMESTAMP WHERE kind = 'segment' AND CAST(args ->> 'segment' AS INTEGER) = 1`,
	} {
		if _, err := db.ExecContext(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
	open, err := q.Open(t.Context())
	want := service.OpenTasks{"a": {service.SegmentTask: 2, service.FinishTask: 1}, "b": {service.PlanTask: 1}}
	if err != nil || !reflect.DeepEqual(open, want) {
		t.Errorf("open are %v, want %v; %v", open, want, err)
	}
}

// All segments of a very long video are enqueued in one transaction, and each is run once.
func TestManySegments(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	c := config()
	c.Workers = 200
	q := setup(t, db, c)
	var r record
	done := make(chan struct{})
	start(t, q, worker{run: func(_ context.Context, task service.Task) error {
		if r.add(task) == many {
			close(done)
		}
		return nil
	}})
	enqueue(t, db, q, segments("long", many)...)
	receive(t, done)
	settled(t, q)
	ran := r.all()
	slices.SortFunc(ran, func(a, b service.Task) int { return a.Segment - b.Segment })
	if !slices.Equal(ran, segments("long", many)) {
		t.Errorf("%d tasks were run, and not each once", len(ran))
	}
}

// While every slot for segments is taken and more are waiting, other jobs are planned and finished.
func TestKindsDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	q := setup(t, db, config())
	began, others, release := make(chan service.Task, 1000), make(chan service.Task, 10), make(chan struct{})
	defer close(release)
	start(t, q, worker{run: func(_ context.Context, task service.Task) error {
		if task.Kind == service.SegmentTask {
			began <- task
			<-release
			return nil
		}
		others <- task
		return nil
	}})
	enqueue(t, db, q, segments("long", 500)...)
	receive(t, began)
	enqueue(t, db, q, plan("short"))
	enqueue(t, db, q, finish("short"))
	got := []service.Task{receive(t, others), receive(t, others)}
	for _, want := range []service.Task{plan("short"), finish("short")} {
		if !slices.Contains(got, want) {
			t.Errorf("ran %+v, and not %+v", got, want)
		}
	}
}

// Tasks are run in the order in which they were enqueued; one that failed goes before the others.
func TestOrder(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	c := config()
	c.MaxBackoff = c.MinBackoff
	q := setup(t, db, c)
	enqueue(t, db, q, segments("first", 3)...)
	time.Sleep(2 * time.Millisecond) // the database's clock has milliseconds
	enqueue(t, db, q, segments("second", 3)...)

	var r record
	first, second := segments("first", 3), segments("second", 3)
	start(t, q, worker{run: func(_ context.Context, task service.Task) error {
		n := r.add(task)
		switch {
		case n == 2:
			return errors.New("passes")
		case n == 3 && task == first[2]: // ran in the pause: wait until the one that failed is there again
			return reach(q, func(s jobs.Stats) bool { return s[service.SegmentTask].Retrying == 1 })
		}
		return nil
	}})
	settled(t, q)
	got := r.all()
	atOnce := slices.Concat(first[:2], first[1:], second)
	afterOne := slices.Concat(first, first[1:2], second)
	if !slices.Equal(got, atOnce) && !slices.Equal(got, afterOne) {
		t.Errorf("order: %+v, want %+v or %+v", got, atOnce, afterOne)
	}
}

// turned is a segment with a turn.
func turned(job service.JobID, n int, background bool, turn int64) service.Task {
	return service.Task{Kind: service.SegmentTask, Job: job, Segment: n, Background: background, Turn: turn}
}

// TestTurns enqueues segments in another order than that of their turns. Some are of background jobs, and one is of an older program,
// which knows no turns.
func TestTurns(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	c := config()
	c.Beat, c.Recover = beat, db.listen == nil
	q := setup(t, db, c)
	enqueue(t, db, q, turned("old", 9, false, 0))
	if _, err := db.ExecContext(t.Context(), `UPDATE river_job SET scheduled_at = CURRENT_TIMESTAMP`); err != nil {
		t.Fatal(err)
	}
	enqueue(t, db, q,
		turned("night", 0, true, 1), turned("b", 0, false, 30), turned("a", 0, false, 31), turned("b", 1, false, 60),
		turned("a", 1, false, 32), turned("night", 1, true, 2), turned("c", 0, false, 1<<62), turned("c", 1, false, -5))
	var r record
	looked := make(chan struct{})
	start(t, q, worker{run: func(_ context.Context, task service.Task) error {
		if r.add(task) == 1 {
			<-looked
		}
		return nil
	}})
	want := "old9 c1 b0 a0 a1 b1 c0 night0 night1"
	if db.listen != nil { // others may be older at any time, and it is looked for what they have enqueued now and then
		want = "c1 old9 b0 a0 a1 b1 c0 night0 night1"
		waitUntil(t, func() bool {
			var n int
			const query = `SELECT count(*) FROM river_job WHERE state = 'available' AND scheduled_at > '2020-01-01'`
			return db.QueryRowContext(t.Context(), query).Scan(&n) == nil && n == 0
		})
	}
	close(looked)
	settled(t, q)
	if got := names(r.all()); got != want {
		t.Errorf("order: %s\nwant:  %s", got, want)
	}
	if f, b := q.Turn(false), q.Turn(true); f < 60 || b != 2 {
		t.Errorf("the turns are %d and %d", f, b)
	}
}

// names of segments, in order.
func names(tasks []service.Task) string {
	all := make([]string, len(tasks))
	for i, t := range tasks {
		all[i] = fmt.Sprint(t.Job, t.Segment)
	}
	return strings.Join(all, " ")
}

// TestTriedBeforeGoesFirst has segments fail, and one be left to others: they go before those of their kind of job that were never
// tried, whatever their turns.
func TestTriedBeforeGoesFirst(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	c := config()
	c.PassOn, c.Elsewhere = time.Millisecond, time.Hour
	q := setup(t, db, c)
	enqueue(t, db, q,
		turned("a", 0, false, 10), turned("a", 1, false, 11), turned("a", 2, false, 12), turned("night", 0, true, 1), turned("night", 1, true, 2))
	fails := map[string]error{
		"a0": service.Errorf(service.Elsewhere, "not here"), "a1": errors.New("passes"), "night0": errors.New("passes"),
	}
	start(t, q, worker{run: func(_ context.Context, task service.Task) error {
		name := names([]service.Task{task})
		err := fails[name]
		delete(fails, name)
		return err
	}})
	settled(t, q)
	var got []string
	const query = `SELECT (args ->> 'job') || (args ->> 'segment') || ' ' || priority FROM river_job ORDER BY id`
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var row string
		if err = rows.Scan(&row); err != nil {
			t.Fatal(err)
		}
		got = append(got, row)
	}
	if want := []string{"a0 1", "a1 1", "a2 2", "night0 3", "night1 4"}; !slices.Equal(got, want) || rows.Err() != nil {
		t.Errorf("tasks and their priorities: %q want %q, %v", got, want, rows.Err())
	}
}

func TestStopBeforeStartAndTwice(t *testing.T) {
	t.Parallel()
	q := setup(t, newDB(t), config())
	stop(t, q)
	start(t, q, worker{})
	if err := q.Start(t.Context(), worker{}); err == nil {
		t.Error("it was started twice")
	}
	stop(t, q)
	stop(t, q)
}

// The context of Start may end; the queue goes on.
func TestStartContextIsForStarting(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	q := setup(t, db, config())
	ran := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	if err := q.Start(ctx, worker{run: func(ctx context.Context, _ service.Task) error { ran <- ctx.Err(); return nil }}); err != nil {
		t.Fatal(err)
	}
	cancel()
	enqueue(t, db, q, plan("later"))
	if err := receive(t, ran); err != nil {
		t.Error(err)
	}
}

func TestNewNamesBadSettings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		set  func(*jobs.Config)
	}{
		{"Workers", func(c *jobs.Config) { c.Workers = 0 }},
		{"Plans", func(c *jobs.Config) { c.Plans = -1 }},
		{"Finishes", func(c *jobs.Config) { c.Finishes = 1 << 20 }},
		{"Attempts", func(c *jobs.Config) { c.Attempts = 0 }},
		{"Crashes", func(c *jobs.Config) { c.Crashes = 0 }},
		{"MinBackoff", func(c *jobs.Config) { c.MinBackoff = 0 }},
		{"MaxBackoff", func(c *jobs.Config) { c.MaxBackoff = c.MinBackoff - 1 }},
		{"PassOn", func(c *jobs.Config) { c.PassOn = 0 }},
		{"Elsewhere", func(c *jobs.Config) { c.Elsewhere = c.PassOn - 1 }},
		{"Timeout", func(c *jobs.Config) { c.Timeout = -1 }},
		{"Poll", func(c *jobs.Config) { c.Poll = time.Millisecond }},
		{"Keep", func(c *jobs.Config) { c.Keep = 0 }},
		{"SweepEvery", func(c *jobs.Config) { c.SweepEvery = 0 }},
		{"Grace", func(c *jobs.Config) { c.Grace = 0 }},
		{"Beat", func(c *jobs.Config) { c.Beat = 0 }},
		{"Now", func(c *jobs.Config) { c.Now = nil }},
	}
	db := newDB(t)
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := config()
			tc.set(&c)
			if _, err := jobs.New(db.engine, c); err == nil || !strings.Contains(err.Error(), tc.name+" is ") {
				t.Errorf("error %v", err)
			}
		})
	}
}
