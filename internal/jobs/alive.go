package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// By beats of a process, see [Config.Beat].
const (
	// deadAfter is after how many beats that did not come a process counts as dead, by the database's clock: what it was running is
	// run by others from then on, who look with every beat of theirs.
	deadAfter = 4
	// lostAfter is after how many beats that did not arrive a process counts itself as dead, by its own clock: before others do.
	lostAfter = 3
)

// workersTable has a row for each process that lives: how many segments it works on at once, and whether it answers requests.
const workersTable = `CREATE TABLE IF NOT EXISTS task_workers (
	id     TEXT        COLLATE "C" PRIMARY KEY,
	beat   TIMESTAMPTZ NOT NULL,
	slots  BIGINT      NOT NULL,
	serves BOOLEAN     NOT NULL
)`

// errLost is why a task is stopped whose process has not been able to say that it lives.
var errLost = errors.New("the database has not been reached for too long: the task is left to another worker")

// alive keeps a process among those that live, and takes tasks back from those that do not.
type alive struct {
	id     string
	slots  int // of segments, its own
	serves bool
	beat   time.Duration
	db     *sql.DB
	log    *slog.Logger

	cancel context.CancelFunc
	done   chan struct{}

	mu    sync.Mutex
	lost  chan struct{}  // closed once the process counts itself as dead; a new one when it lives again
	heard time.Time      // when the last beat that arrived was sent
	all   int            // slots of those that live
	doors int            // how many of them answer requests
	runs  map[int64]bool // rows whose tasks run here
	// idle is for how many beats in a row a start of this process's has been there that does not run. Only the goroutine that beats uses it.
	idle map[begun]int
}

// begun is one start of a row's task.
type begun struct {
	row     int64
	attempt int
}

// now is for lengths of time: it goes on while the process is stopped, and nobody sets it.
func now() time.Time { return time.Now() } //nolint:forbidigo // as the comment says

// startAlive says that the process lives, and goes on until stop.
func startAlive(ctx context.Context, cfg *Config, slots int, db *sql.DB, log *slog.Logger) (*alive, error) {
	a := &alive{
		id: cfg.ID, slots: slots, serves: cfg.Serves, beat: cfg.Beat, db: db, log: log, done: make(chan struct{}), lost: make(chan struct{}),
		heard: now(), runs: map[int64]bool{},
	}
	if err := a.say(ctx); err != nil {
		return nil, fmt.Errorf("join the workers: %w", err)
	}
	ctx, a.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go a.keep(ctx)
	return a, nil
}

// keep beats until the context ends. Whether a beat was missed is looked at apart from it: a beat may hang.
func (a *alive) keep(ctx context.Context) {
	defer close(a.done)
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { a.watch(ctx) })
	tick := time.NewTicker(a.beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := a.say(ctx)
		if err == nil {
			err = errors.Join(a.takeBack(ctx), a.takeBackOwn(ctx), rows{a.db}.giveTurns(ctx))
		}
		if err != nil && ctx.Err() == nil {
			a.log.LogAttrs(ctx, slog.LevelWarn, "saying that this worker lives failed and is tried again", slog.Any("error", err))
		}
	}
}

// watch stops tasks once the last beat is too long ago.
func (a *alive) watch(ctx context.Context) {
	tick := time.NewTicker(a.beat / 5)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		a.mu.Lock()
		a.look(ctx, now())
		a.mu.Unlock()
	}
}

// look stops tasks if the last beat is too long ago, and lets new ones run if it is not. a.mu is held.
func (a *alive) look(ctx context.Context, at time.Time) {
	late := at.Sub(a.heard) > lostAfter*a.beat // by a clock that goes on while the process is stopped
	select {
	case <-a.lost:
		if !late {
			a.lost = make(chan struct{})
		}
	default:
		if late {
			close(a.lost)
			a.log.LogAttrs(ctx, slog.LevelError, "the database has not been reached for too long: what runs here is left to other workers")
		}
	}
}

// say says that the process lives.
func (a *alive) say(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.beat)
	defer cancel()
	sent := now()
	var others, doors int
	err := a.db.QueryRowContext(ctx, `WITH mine AS (INSERT INTO task_workers (id, beat, slots, serves) VALUES ($1, clock_timestamp(), $2, $4)
			ON CONFLICT (id) DO UPDATE SET beat = excluded.beat)
		SELECT COALESCE(SUM(slots), 0), COUNT(*) FILTER (WHERE serves)
		FROM task_workers WHERE id <> $1 AND beat > clock_timestamp() - make_interval(secs => $3)`,
		a.id, a.slots, (deadAfter*a.beat).Seconds(), a.serves).Scan(&others, &doors)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.look(ctx, sent) // a beat after a standstill must not hide it from whoever watches
	a.heard, a.all, a.doors = sent, a.slots+others, doors
	if a.serves {
		a.doors++
	}
	return nil
}

// together is how many segments those that live work on at once, and how many of them answer requests.
func (a *alive) together() (slots, doors int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.all, a.doors
}

// takeBack makes the running tasks of the dead available again. Rows of the dead go away: who is not dead after all writes a new one.
func (a *alive) takeBack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.beat)
	defer cancel()
	seconds := (deadAfter * a.beat).Seconds()
	if _, err := a.db.ExecContext(ctx, `DELETE FROM task_workers WHERE beat < clock_timestamp() - make_interval(secs => $1)`, seconds); err != nil {
		return fmt.Errorf("strike dead workers: %w", err)
	}
	// A task names all who have started it; the last one runs it.
	result, err := a.db.ExecContext(ctx, `UPDATE river_job SET state = 'available' WHERE state = 'running'
		AND NOT EXISTS (SELECT 1 FROM task_workers WHERE id = attempted_by[array_upper(attempted_by, 1)])`)
	if err != nil {
		return fmt.Errorf("take tasks back from dead workers: %w", err)
	}
	if n, err := result.RowsAffected(); err == nil && n > 0 {
		a.log.LogAttrs(ctx, slog.LevelWarn, "tasks of workers that died are run again", slog.Int64("tasks", n))
	}
	return nil
}

// takeBackOwn makes tasks available again that this process has fetched without knowing, since the answer was lost on its way. Their rows
// would stand there as running for an hour, until River looks after them.
func (a *alive) takeBackOwn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.beat)
	defer cancel()
	idle := map[begun]int{}
	err := rows{a.db}.each(ctx, `SELECT id, attempt FROM river_job WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] = $1`,
		func(rs *sql.Rows) error {
			var b begun
			if err := rs.Scan(&b.row, &b.attempt); err != nil {
				return err
			}
			if !a.isRunning(b.row) {
				idle[b] = a.idle[b] + 1
			}
			return nil
		}, a.id)
	if err != nil {
		return fmt.Errorf("look for tasks that do not run: %w", err)
	}
	a.idle = idle
	for b, beats := range idle {
		if beats < deadAfter {
			continue
		}
		_, err := a.db.ExecContext(ctx, `UPDATE river_job SET state = 'available' WHERE id = $1 AND attempt = $2 AND state = 'running'`, b.row, b.attempt)
		if err != nil {
			return fmt.Errorf("take back a task that does not run: %w", err)
		}
		a.log.LogAttrs(ctx, slog.LevelWarn, "a task that was fetched does not run, and is made available again", slog.Int64("task", b.row))
	}
	return nil
}

// enter takes note of a row's task that runs here, until leave.
func (a *alive) enter(row int64) (leave func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.runs[row] = true
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.runs, row)
	}
}

func (a *alive) isRunning(row int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.runs[row]
}

// while gives a context that ends with the process's life, too; release must be called.
func (a *alive) while(ctx context.Context) (_ context.Context, release func()) {
	a.mu.Lock()
	lost := a.lost
	a.mu.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		select {
		case <-lost:
			cancel(errLost)
		case <-ended:
		}
	}()
	return ctx, func() {
		close(ended)
		cancel(nil)
	}
}

// stop says that the process lives no longer, so that nobody waits for it. Where that cannot be said others find out by themselves.
func (a *alive) stop(ctx context.Context) {
	a.cancel()
	<-a.done
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.beat)
	defer cancel()
	if _, err := a.db.ExecContext(ctx, `DELETE FROM task_workers WHERE id = $1`, a.id); err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "that this worker stops could not be said: what it has not handed back is left to others a little later",
			slog.Any("error", err))
	}
}
