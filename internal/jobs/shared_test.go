package jobs_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/jobs"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/testkit/pgserver"
	"github.com/spotter-video/spotter/internal/testkit/program"
)

// beat is the time between two beats in tests: short, and longer than a statement takes on a busy machine.
const beat = time.Second

// neighbour is another process that shares a database.
type neighbour struct {
	t       *testing.T
	cmd     *exec.Cmd
	ended   <-chan struct{}
	printed *bufio.Scanner
}

func newNeighbour(t *testing.T, url string) *neighbour {
	t.Helper()
	n := &neighbour{t: t, cmd: exec.Command(os.Args[0])}
	n.cmd.Env = append(os.Environ(), childVar+"="+url, childMode+"=shared")
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	n.cmd.Stdout, n.cmd.Stderr, n.printed = in, os.Stderr, bufio.NewScanner(out)
	if n.ended, err = program.Start(n.cmd); err != nil {
		t.Fatal(err)
	}
	_ = in.Close()
	t.Cleanup(func() {
		_ = n.cmd.Process.Kill()
		<-n.ended
		_ = out.Close()
	})
	return n
}

// says waits until the neighbour has printed lines that begin like this, in any order.
func (n *neighbour) says(lines ...string) {
	n.t.Helper()
	ctx, cancel := patient(n.t.Context())
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = n.cmd.Process.Kill() })()
	for len(lines) > 0 {
		if !n.printed.Scan() {
			n.t.Fatalf("the neighbour has not said %q", lines)
		}
		lines = slices.DeleteFunc(lines, func(s string) bool { return strings.HasPrefix(n.printed.Text(), s) })
	}
}

// shared starts a neighbour with two tasks of its own, and then a queue beside it that has nothing to do.
func shared(t *testing.T) (*neighbour, *jobs.Queue, *record) {
	t.Helper()
	url := pgserver.Database(t)
	db := open(t, url)
	c := config()
	c.Recover, c.Beat = false, beat
	q := setup(t, db, c)
	enqueue(t, db, q, segments("job", 2)...)
	n := newNeighbour(t, url)
	n.says("run 0", "run 1")
	r := new(record)
	start(t, q, worker{run: func(_ context.Context, task service.Task) error { r.add(task); return nil }})
	return n, q, r
}

// A process that starts takes nothing from others that live.
func TestTheLivingKeepTheirTasks(t *testing.T) {
	t.Parallel()
	_, q, r := shared(t)
	db := open(t, pgserver.Database(t)) // somebody else's beats count time
	c := config()
	c.Recover, c.Beat = false, beat
	start(t, setup(t, db, c), worker{})
	waitUntil(t, func() bool { return q.Slots() == 1+2 }) // its own, and the neighbour's
	beats := func() (n int64) {
		_ = db.QueryRowContext(t.Context(), `SELECT n_tup_upd FROM pg_stat_all_tables WHERE relname = 'task_workers'`).Scan(&n)
		return n
	}
	waitUntil(t, func() bool { return beats() >= 6 })
	if ran := r.all(); len(ran) > 0 {
		t.Errorf("ran %v beside who was running them", ran)
	}
	wantDepth(t, q, service.SegmentTask, jobs.Depth{Running: 2})
}

// The tasks of a process that was killed are run by another one.
func TestTheDeadLeaveTheirTasks(t *testing.T) {
	t.Parallel()
	n, q, r := shared(t)
	if err := n.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	settled(t, q)
	if ran := r.all(); len(ran) != 2 {
		t.Errorf("ran %v", ran)
	}
}

// A process that stood still for long stops what it was running, which others have run by then.
func TestWhoStoodStillStops(t *testing.T) {
	t.Parallel()
	n, q, r := shared(t)
	if err := n.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	settled(t, q)
	if ran := r.all(); len(ran) != 2 {
		t.Errorf("ran %v", ran)
	}
	if err := n.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	n.says("left 0 the database has not been reached", "left 1 the database has not been reached")
}

// A process that stops in good order leaves nothing for others to wait for.
func TestWhoLeavesSaysSo(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	db := open(t, url)
	c := config()
	c.Recover = false
	q := setup(t, db, c)
	start(t, q, worker{})
	count := func() (n int) {
		if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM task_workers`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if count() != 1 {
		t.Error("a process that runs tasks is not among the workers")
	}
	stop(t, q)
	if count() != 0 {
		t.Error("a process that has stopped is among the workers")
	}
}

// Processes that answer requests are counted, whether they run tasks or not.
func TestDoorsAreCounted(t *testing.T) {
	t.Parallel()
	db := open(t, pgserver.Database(t))
	c := config()
	c.Recover, c.Beat, c.Serves = false, beat, true
	one, two := setup(t, db, c), setup(t, db, c)
	if one.Doors() != 1 {
		t.Errorf("alone there are %d", one.Doors())
	}
	start(t, one, worker{})
	if err := two.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, func() bool { return one.Doors() == 2 && two.Doors() == 2 })
	if one.Slots() != c.Workers || two.Slots() != c.Workers {
		t.Errorf("one that runs no tasks counts: %d and %d slots", one.Slots(), two.Slots())
	}
	stop(t, two)
	waitUntil(t, func() bool { return one.Doors() == 1 })
}

// A role that may not make tables works with those that another one has made.
func TestMigrateByALesserRole(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	db := open(t, url)
	do := func(statement string) {
		t.Helper()
		if _, err := db.ExecContext(context.WithoutCancel(t.Context()), statement); err != nil {
			t.Fatal(err)
		}
	}
	do(`CREATE ROLE lesser LOGIN`)
	t.Cleanup(func() {
		do(`DROP OWNED BY lesser`)
		do(`DROP ROLE lesser`)
	})
	do(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO lesser`)
	do(`GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO lesser`)
	lesser := open(t, strings.Replace(url, "spotter@", "lesser@", 1))
	q := setup(t, lesser, sharing())
	start(t, q, worker{})
	enqueue(t, lesser, q, segments("job", 2)...)
	settled(t, q)
}

// A connection can break when tasks have been fetched on it, before the answer comes: nobody runs them, and nobody has died. They are made
// available again, and one that runs is left alone.
func TestAFetchWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	db := open(t, pgserver.Database(t))
	q, r, long := setup(t, db, sharing()), new(record), make(chan struct{})
	start(t, q, worker{run: func(_ context.Context, task service.Task) error {
		r.add(task)
		if task.Kind == service.PlanTask {
			<-long
		}
		return nil
	}})
	enqueue(t, db, q, append(segments("job", 1), service.Task{Kind: service.PlanTask, Job: "job"})...)
	waitFor(t, q, func(s jobs.Stats) bool {
		return s[service.SegmentTask] == jobs.Depth{} && s[service.PlanTask] == jobs.Depth{Running: 1} && len(r.all()) == 2
	})
	if _, err := db.ExecContext(t.Context(), `UPDATE river_job SET state = 'running', finalized_at = NULL WHERE state = 'completed'`); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, func() bool { return len(r.all()) > 2 })
	close(long)
	settled(t, q)
	if ran := r.all(); len(ran) != 3 || ran[2].Kind != service.SegmentTask {
		t.Errorf("ran %v", ran)
	}
}

// sharing is the configuration of one among several.
func sharing() jobs.Config {
	c := config()
	c.Recover, c.Beat = false, beat
	return c
}

func waitUntil(t *testing.T, yes func() bool) {
	t.Helper()
	ctx, cancel := patient(t.Context())
	defer cancel()
	for !yes() {
		select {
		case <-ctx.Done():
			t.Fatal("waited in vain")
		case <-time.After(beat / 10):
		}
	}
}
