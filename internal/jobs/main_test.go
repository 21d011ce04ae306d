package jobs_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"
	_ "modernc.org/sqlite"

	"github.com/spotter-video/spotter/internal/jobs"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/testkit/patience"
	"github.com/spotter-video/spotter/internal/testkit/pgserver"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childVar); path != "" {
		runChild(path)
		return
	}
	goleak.VerifyTestMain(pgserver.Tests{M: m})
}

// TestOnPostgreSQL runs all other tests once more, on PostgreSQL.
func TestOnPostgreSQL(t *testing.T) {
	t.Parallel()
	pgserver.Again(t)
}

// database is one with the queue's tables.
type database struct {
	*sql.DB
	engine jobs.Engine
	listen *pgxpool.Pool
}

func (d *database) Close() error {
	if d.listen != nil {
		d.listen.Close()
	}
	return d.DB.Close()
}

// patient is a context that ends when this process and its children have done nothing of what a test waits for: nothing
// depends on it but how long a failure takes.
func patient(ctx context.Context) (context.Context, context.CancelFunc) {
	return patience.Patience{Idle: 20 * time.Second, Effort: 3 * time.Minute}.Context(ctx)
}

// newPlace is where a new database can be opened.
func newPlace(tb testing.TB) string {
	tb.Helper()
	if pgserver.Chosen() {
		return pgserver.Database(tb)
	}
	return filepath.Join(tb.TempDir(), "jobs.db")
}

// open opens a database as the store does, with River's tables.
func open(tb testing.TB, place string) *database {
	tb.Helper()
	db, err := openDB(place)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

func openDB(place string) (*database, error) {
	if strings.HasPrefix(place, "postgres:") {
		return openPostgreSQL(place)
	}
	db, err := sql.Open("sqlite", "file:"+place+
		"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	d := &database{DB: db, engine: jobs.SQLite(db)}
	return d, jobs.Migrate(context.Background(), d.engine)
}

func openPostgreSQL(url string) (*database, error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return nil, err
	}
	listen, err := pgxpool.New(context.Background(), url)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	d := &database{DB: db, listen: listen, engine: jobs.PostgreSQL(db, listen)}
	return d, jobs.Migrate(context.Background(), d.engine)
}

func newDB(tb testing.TB) *database {
	tb.Helper()
	return open(tb, newPlace(tb))
}

// config is the default, in a hurry.
func config() jobs.Config {
	c := jobs.Default()
	c.Now = time.Now
	c.MinBackoff, c.MaxBackoff = time.Millisecond, 20*time.Millisecond
	c.Poll = 20 * time.Millisecond
	return c
}

// worker is a Worker made of functions; those that are nil do nothing.
type worker struct {
	run    func(ctx context.Context, t service.Task) error
	giveUp func(ctx context.Context, t service.Task, cause error) error
	sweep  func(ctx context.Context) error
}

func (w worker) Run(ctx context.Context, t service.Task) error {
	if w.run == nil {
		return nil
	}
	if t.Attempt <= 0 {
		return errors.New("the attempt has no number")
	}
	t.Attempt = 0 // tests compare tasks
	return w.run(ctx, t)
}

func (w worker) GiveUp(ctx context.Context, t service.Task, cause error) error {
	if w.giveUp == nil {
		return nil
	}
	t.Attempt = 0
	return w.giveUp(ctx, t, cause)
}

func (w worker) Sweep(ctx context.Context) error {
	if w.sweep == nil {
		return nil
	}
	return w.sweep(ctx)
}

// setup gives a queue that is stopped when the test ends.
func setup(tb testing.TB, db *database, c jobs.Config) *jobs.Queue {
	tb.Helper()
	q, err := jobs.New(db.engine, c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { stop(tb, q) })
	return q
}

func start(tb testing.TB, q *jobs.Queue, w jobs.Worker) {
	tb.Helper()
	if err := q.Start(tb.Context(), w); err != nil {
		tb.Fatal(err)
	}
}

// stop stops a queue, in its own time.
func stop(tb testing.TB, q *jobs.Queue) {
	tb.Helper()
	ctx, cancel := patient(context.Background())
	defer cancel()
	stopUntil(ctx, tb, q)
}

// stopUntil stops a queue, which has to let go what it does when the context ends.
func stopUntil(ctx context.Context, tb testing.TB, q *jobs.Queue) {
	tb.Helper()
	if err := q.Stop(ctx); err != nil {
		tb.Error(err)
	}
}

// enqueue commits tasks.
func enqueue(tb testing.TB, db *database, q *jobs.Queue, tasks ...service.Task) {
	tb.Helper()
	tx, err := db.BeginTx(tb.Context(), nil)
	if err != nil {
		tb.Fatal(err)
	}
	if err := q.Enqueue(tb.Context(), tx, tasks); err != nil {
		tb.Fatal(errors.Join(err, tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		tb.Fatal(err)
	}
}

func segments(job service.JobID, n int) []service.Task {
	tasks := make([]service.Task, n)
	for i := range tasks {
		tasks[i] = service.Task{Kind: service.SegmentTask, Job: job, Segment: i}
	}
	return tasks
}

func plan(job service.JobID) service.Task { return service.Task{Kind: service.PlanTask, Job: job} }

func finish(job service.JobID) service.Task { return service.Task{Kind: service.FinishTask, Job: job} }

// receive waits for the next value.
func receive[T any](tb testing.TB, c <-chan T) T {
	tb.Helper()
	ctx, cancel := patient(tb.Context())
	defer cancel()
	select {
	case v := <-c:
		return v
	case <-ctx.Done():
		tb.Fatal("waited in vain")
		panic("unreachable")
	}
}

// record keeps what was run, in order.
type record struct {
	mu    sync.Mutex
	tasks []service.Task
}

func (r *record) add(t service.Task) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tasks = append(r.tasks, t)
	return len(r.tasks)
}

func (r *record) all() []service.Task {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]service.Task(nil), r.tasks...)
}

// settled waits until no task is open.
func settled(tb testing.TB, q *jobs.Queue) {
	tb.Helper()
	waitFor(tb, q, func(s jobs.Stats) bool {
		for _, d := range s {
			if d != (jobs.Depth{}) {
				return false
			}
		}
		return true
	})
}

// waitFor waits until the counts are as wanted: the queue writes them some time after a worker has returned.
func waitFor(tb testing.TB, q *jobs.Queue, want func(jobs.Stats) bool) {
	tb.Helper()
	if err := reach(q, want); err != nil {
		tb.Fatal(err)
	}
}

// unchanged is how often in a row the same counts may be read before that is a failure: each time takes what the machine
// takes to read the database, which is what the queue waits for as well, and 5 ms more.
const unchanged = 4000

// reach is waitFor for workers, which must not end their goroutine.
func reach(q *jobs.Queue, want func(jobs.Stats) bool) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	var last jobs.Stats
	for same := 0; same < unchanged; same++ {
		s, err := q.Stats(context.Background())
		if err != nil || want(s) {
			return err
		}
		if !reflect.DeepEqual(s, last) {
			last, same = s, 0
		}
		<-tick.C
	}
	return fmt.Errorf("waited in vain; the tasks are %+v", last)
}
