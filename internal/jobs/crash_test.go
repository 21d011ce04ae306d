package jobs_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/jobs"
	"github.com/spotter-video/spotter/internal/service"
)

// childVar holds the database's path in a process that is there to be killed, childMode what it does until then.
const (
	childVar  = "SPOTTER_TEST_JOBS_CHILD"
	childMode = "SPOTTER_TEST_JOBS_MODE"
)

// runChild runs tasks until it is killed, and says where it is. Segments from 3 on never end in mode "run"; in mode
// "give-up" everything fails, and giving up never ends; in mode "shared" tasks last until they are stopped.
func runChild(path string) {
	db, err := openDB(path)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	c := config()
	c.Attempts = 1
	c.Workers = 2
	mode := os.Getenv(childMode)
	if mode == "shared" {
		c.Recover, c.Beat = false, beat
	}
	q, err := jobs.New(db.engine, c)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	fails := mode == "give-up"
	err = q.Start(context.Background(), worker{
		run: func(ctx context.Context, t service.Task) error {
			if fails {
				return errors.New("never passes")
			}
			fmt.Println("run", t.Segment)
			if mode == "shared" {
				<-ctx.Done()
				fmt.Println("left", t.Segment, context.Cause(ctx))
				return ctx.Err()
			}
			if t.Segment >= 3 {
				select {}
			}
			return nil
		},
		giveUp: func(_ context.Context, t service.Task, _ error) error {
			fmt.Println("give-up", t.Segment)
			select {}
		},
	})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	select {}
}

// kill starts a child and kills it as soon as it has said all of lines.
func kill(t *testing.T, path, mode string, lines ...string) {
	t.Helper()
	ctx, cancel := patient(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+path, childMode+"="+mode)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for in := bufio.NewScanner(out); len(lines) > 0; {
		if !in.Scan() {
			t.Fatalf("the child ended before it said %q", lines)
		}
		if strings.HasPrefix(in.Text(), "error") {
			t.Errorf("the child: %s", in.Text())
		}
		lines = slices.DeleteFunc(lines, func(s string) bool { return s == in.Text() })
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || ctx.Err() != nil {
		t.Fatalf("the child was not killed: %v", err)
	}
}

// fill makes a database with tasks in it, and no process.
func fill(t *testing.T, tasks ...service.Task) string {
	t.Helper()
	path := newPlace(t)
	db := open(t, path)
	enqueue(t, db, setup(t, db, config()), tasks...)
	return path
}

// A process that is killed in the middle of two tasks leaves them to the next one, which runs them at once, and first.
func TestKilled(t *testing.T) {
	t.Parallel()
	path := fill(t, segments("job", 8)...)
	kill(t, path, "run", "run 3", "run 4")

	db := open(t, path)
	c := config()
	c.Workers = 1
	q := setup(t, db, c)
	var r record
	began := time.Now()
	start(t, q, worker{run: func(_ context.Context, task service.Task) error { r.add(task); return nil }})
	settled(t, q)
	t.Logf("all was done %v after the start", time.Since(began))
	ran := r.all()
	// River writes in batches which tasks were done, so that the last ones before the end may be run again.
	if !slices.Equal(ran[len(ran)-5:], segments("job", 8)[3:]) {
		t.Errorf("ran %+v", ran)
	}
}

// A process that is killed while it gives a task up leaves that to the next one.
func TestKilledWhileGivingUp(t *testing.T) {
	t.Parallel()
	path := fill(t, segments("job", 1)...)
	kill(t, path, "give-up", "give-up 0")

	db := open(t, path)
	c := config()
	c.Attempts = 1
	q := setup(t, db, c)
	ups := make(chan givenUp, 10)
	start(t, q, worker{
		run:    func(context.Context, service.Task) error { return errors.New("never passes") },
		giveUp: func(_ context.Context, task service.Task, cause error) error { ups <- givenUp{task, cause}; return nil },
	})
	if up := receive(t, ups); up.task != segments("job", 1)[0] {
		t.Errorf("given up: %+v", up)
	}
	settled(t, q)
}

// A task that one process after another dies of comes to an end too.
func TestDeadlyTask(t *testing.T) {
	t.Parallel()
	path := fill(t, append(segments("deadly", 1), plan("harmless"))...)
	db := open(t, path)
	c := config()
	c.Crashes = 3
	const died = `UPDATE river_job SET state = 'running', attempt = attempt + 3 WHERE kind = 'segment'`
	if _, err := db.ExecContext(t.Context(), died); err != nil {
		t.Fatal(err)
	}
	q := setup(t, db, c)
	ran, ups := make(chan service.Task, 10), make(chan givenUp, 10)
	start(t, q, worker{
		run:    func(_ context.Context, task service.Task) error { ran <- task; return nil },
		giveUp: func(_ context.Context, task service.Task, cause error) error { ups <- givenUp{task, cause}; return nil },
	})
	up := receive(t, ups)
	if up.task != segments("deadly", 1)[0] || !strings.Contains(up.cause.Error(), "The server died 3 times") ||
		service.KindOf(up.cause) != service.Unavailable { // whose message the caller is told
		t.Errorf("given up: %+v", up)
	}
	if got := receive(t, ran); got != plan("harmless") {
		t.Errorf("ran %+v", got)
	}
	settled(t, q)
}

// Of the tasks over which processes have died one is run at a time, so that a further death counts against that one only; others
// are run beside it.
func TestTasksUnderSuspicionAreRunAlone(t *testing.T) {
	t.Parallel()
	path := fill(t, append(segments("suspect", 3), segments("harmless", 1)...)...)
	db := open(t, path)
	c := config()
	c.Workers = 4
	const died = `UPDATE river_job SET state = 'running', attempt = attempt + 2 WHERE args ->> 'job' = 'suspect'`
	if _, err := db.ExecContext(t.Context(), died); err != nil {
		t.Fatal(err)
	}
	q := setup(t, db, c)
	began, end := make(chan service.Task, 10), make(chan struct{})
	var together atomic.Int32
	start(t, q, worker{run: func(_ context.Context, task service.Task) error {
		if task.Job == "suspect" {
			if together.Add(1) > 1 {
				t.Error("two run side by side")
			}
			defer together.Add(-1)
			began <- task
			<-end
		} else {
			began <- task
		}
		return nil
	}})
	first := map[service.JobID]int{}
	for range 2 {
		first[receive(t, began).Job]++
	}
	if first["suspect"] != 1 || first["harmless"] != 1 {
		t.Errorf("run first: %v", first)
	}
	// Were this process killed now, it would count against one of the three.
	waitFor(t, q, func(jobs.Stats) bool {
		var counted int
		err := db.QueryRowContext(t.Context(),
			`SELECT COUNT(*) FROM river_job WHERE args ->> 'job' = 'suspect' AND attempt > 2`).Scan(&counted)
		return err == nil && counted == 1
	})
	close(end)
	settled(t, q)
}
