package jobs

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/spotter-video/spotter/internal/service"
)

// Worker is what tasks are run by. Safe for concurrent use.
type Worker interface {
	// Run makes one attempt at a task. An error of the kinds [service.Unavailable] and [service.Internal] may pass: the task
	// is tried again. After one of the kind [service.Elsewhere] another process may try. One of another kind will not pass, and the
	// task is given up at once. It returns soon after ctx is done.
	Run(ctx context.Context, t service.Task) error
	// GiveUp ends a task's job because of cause. It is called at least once for a task that is not tried again, and
	// repeated as long as it fails.
	GiveUp(ctx context.Context, t service.Task, cause error) error
	// Sweep removes what has expired, and enqueues what has been lost. It is called at the start and every now and then, by every
	// process.
	Sweep(ctx context.Context) error
}

// Queue is the queue of a database. Its methods are safe for concurrent use.
type Queue struct {
	cfg    Config
	log    *slog.Logger
	engine Engine
	client *river.Client[*sql.Tx]
	rows   rows
	runner *runner

	mu      sync.Mutex // guards started, and has a second stop wait for the first
	started bool
	sweeper *sweeper
}

const (
	// cooldown is the shortest time between two looks at a queue. It bounds how long the next task waits when one is done
	// (half of it, on average), and how many tasks that do nothing can be run each second.
	cooldown = 20 * time.Millisecond
	// wakeEvery is the shortest time between two enqueuings that both wake a queue. River leaves out the later one, which
	// then may wait for [Config.Poll], so it is the least that River takes: shorter than a durable transaction.
	wakeEvery = river.FetchCooldownMin
)

// New makes the queue of a database that has been migrated. Tasks can be enqueued at once; they are run from
// [Queue.Start] on.
func New(e Engine, cfg Config) (*Queue, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if cfg.ID == "" {
		cfg.ID = "worker-" + rand.Text()
	}
	r := rows{e.db}
	q := &Queue{cfg: cfg, log: log, engine: e, rows: r, runner: &runner{cfg: cfg, log: log, rows: r}}
	client, err := river.NewClient(e.driver, q.riverConfig())
	if err != nil {
		return nil, fmt.Errorf("set up the job queue: %w", err)
	}
	q.client = client
	return q, nil
}

func (q *Queue) riverConfig() *river.Config {
	workers := river.NewWorkers()
	for _, k := range kinds() {
		river.AddWorkerArgs(workers, taskArgs{kind: k}, q.runner)
	}
	return &river.Config{
		ID:      q.cfg.ID,
		Workers: workers,
		Hooks:   []rivertype.Hook{&atOnce{}},
		Queues: map[string]river.QueueConfig{
			string(service.PlanTask):    slots(q.cfg.Plans),
			string(service.SegmentTask): slots(q.cfg.Workers),
			string(service.FinishTask):  slots(q.cfg.Finishes),
		},
		RetryPolicy:                 retryPolicy{q.cfg.MinBackoff, q.cfg.MaxBackoff, q.cfg.Now},
		MaxAttempts:                 mostStarts,
		JobTimeout:                  q.cfg.Timeout,
		RescueStuckJobsAfter:        2*q.cfg.Timeout + giveUpTimeout,
		CompletedJobRetentionPeriod: q.cfg.Keep,
		FetchCooldown:               wakeEvery,
		FetchPollInterval:           q.cfg.Poll,
		Logger:                      slog.New(quiet{q.log.Handler()}),
	}
}

func slots(n int) river.QueueConfig { return river.QueueConfig{MaxWorkers: n, FetchCooldown: cooldown} }

// Slots is how many segment tasks all processes that live run side by side, as of the last beat.
func (q *Queue) Slots() int {
	if q.runner.alive == nil {
		return q.cfg.Workers
	}
	slots, _ := q.runner.alive.together()
	return slots
}

// Turn is the highest turn of those that have come in this process, of background jobs or of others; 0 if none have.
func (q *Queue) Turn(background bool) int64 {
	if background {
		return q.runner.turns[1].Load()
	}
	return q.runner.turns[0].Load()
}

// Doors is how many processes that live answer requests, as of the last beat; at least 1.
func (q *Queue) Doors() int {
	if q.runner.alive == nil {
		return 1
	}
	_, doors := q.runner.alive.together()
	return max(1, doors)
}

// Join makes this process one of those that live, without running tasks: it takes them back from those that died all the same. It
// ends with [Queue.Stop]. Where one process owns the database it does nothing.
func (q *Queue) Join(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.live(ctx, 0)
}

// live says that this process lives, where others want to know.
func (q *Queue) live(ctx context.Context, slots int) (err error) {
	if q.engine.shared && q.runner.alive == nil {
		q.runner.alive, err = startAlive(ctx, &q.cfg, slots, q.engine.db, q.log)
	}
	return err
}

// Enqueue keeps tasks in the caller's transaction; they are run once it is committed. A task that is waiting, running or
// to be tried again already is left as it is; one that was done is run anew.
func (q *Queue) Enqueue(ctx context.Context, tx *sql.Tx, tasks []service.Task) error {
	if len(tasks) == 0 {
		return nil
	}
	ps, err := params(tasks)
	if err != nil {
		return fmt.Errorf("enqueue %d tasks: %w", len(tasks), err)
	}
	if q.engine.wake != nil {
		q.engine.wake()
	}
	if _, err := q.client.InsertManyTx(ctx, tx, ps); err != nil {
		return fmt.Errorf("enqueue %d tasks: %w", len(tasks), err)
	}
	return nil
}

// Start takes back what a dead process has left, where that is asked for, and begins to run tasks. The context is for
// starting only: tasks run until [Queue.Stop]. A queue is started once.
func (q *Queue) Start(ctx context.Context, w Worker) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.started {
		return errors.New("start the job queue: it was started before")
	}
	if q.cfg.Recover {
		if err := q.takeBack(ctx); err != nil {
			return err
		}
	}
	if err := q.live(ctx, q.cfg.Workers); err != nil {
		return err
	}
	q.runner.worker = w
	// A context that ends, or has a deadline, would end the client behind the back of Stop.
	if err := q.client.Start(context.WithoutCancel(ctx)); err != nil {
		q.leave(ctx)
		return fmt.Errorf("start the job queue: %w", err)
	}
	q.sweeper = startSweeper(context.WithoutCancel(ctx), w, q.cfg.SweepEvery, q.log)
	q.started = true
	return nil
}

func (q *Queue) takeBack(ctx context.Context) error {
	n, err := q.rows.takeBack(ctx)
	if err != nil {
		return fmt.Errorf("take back interrupted tasks: %w", err)
	}
	if n > 0 {
		q.log.LogAttrs(ctx, slog.LevelInfo, "interrupted tasks taken back", slog.Int64("tasks", n))
	}
	return q.rows.giveTurns(ctx)
}

// Stop starts no more tasks and waits for those that run, until ctx is done. Then these are cancelled, and handed back to
// be run by the next start as if this one had not been; they are waited for no longer than [Config.Grace], after which
// Stop fails. Stop may be called again, and before Start.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.started {
		q.leave(ctx)
		return nil
	}
	q.sweeper.cancel()
	err := q.client.Stop(ctx)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.cfg.Grace)
	defer cancel()
	if err != nil {
		err = q.client.StopAndCancel(grace)
	}
	if err != nil {
		err = fmt.Errorf("stop the job queue: tasks go on though they were cancelled: %w", err)
	} else {
		err = q.sweeper.wait(grace)
	}
	q.leave(ctx)
	return err
}

// leave says that this process lives no longer, where that is of interest.
func (q *Queue) leave(ctx context.Context) {
	if q.runner.alive != nil {
		q.runner.alive.stop(ctx)
	}
}
