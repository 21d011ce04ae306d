package storetest

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

// suite is what one test has: itself, and a way to open stores.
type suite struct {
	*testing.T
	open func(t *testing.T, enqueue func(tasks []service.Task) error) service.Store
}

// Run runs all tests of a store. open makes one, empty, and closes it when the test ends. What the store has to hand to the
// job queue it hands to enqueue, whose error must undo the transaction; enqueue is nil where a test has no jobs.
func Run(t *testing.T, open func(t *testing.T, enqueue func(tasks []service.Task) error) service.Store) {
	t.Helper()
	tests := []struct {
		name string
		run  func(suite)
	}{
		{"Collections", testCollections},
		{"Tags", testTags},
		{"Faces", testFaces},
		{"Vectors", testVectors},
		{"EachOwned", testEachOwned},
		{"Codes", testCodes},
		{"CodesAreMended", testCodesAreMended},
		{"DeleteFaces", testDeleteFaces},
		{"FacePaging", testFacePaging},
		{"FaceModel", testFaceModel},
		{"Users", testUsers},
		{"Associations", testAssociations},
		{"StaleUsers", testStaleUsers},
		{"Changes", testChanges},
		{"PagesOfChanges", testPagesOfChanges},
		{"OldChanges", testOldChanges},
		{"Gone", testGone},
		{"Marks", testMarks},
		{"Tokens", testTokens},
		{"Jobs", testJobs},
		{"OpenJobs", testOpenJobs},
		{"JobListing", testJobListing},
		{"Plans", testPlans},
		{"Segments", testSegments},
		{"Turns", testTurns},
		{"Resume", testResume},
		{"Analyses", testAnalyses},
		{"AnalysisThatDoesNotCome", testAnalysisThatDoesNotCome},
		{"AnalysisOfADeletedJob", testAnalysisOfADeletedJob},
		{"ForegroundDoesNotWait", testForegroundDoesNotWait},
		{"SharingRaces", testSharingRaces},
		{"Chunks", testChunks},
		{"Attempts", testAttempts},
		{"EndJob", testEndJob},
		{"OddWords", testOddWords},
		{"DeleteJob", testDeleteJob},
		{"Enqueue", testEnqueue},
		{"Races", testRaces},
		{"Sweep", testSweep},
		{"Notices", testNotices},
		{"ClaimedNotices", testClaimedNotices},
		{"Keys", testKeys},
		{"Sealer", testSealer},
		{"Audit", testAudit},
		{"AuditOfChanges", testAuditOfChanges},
		{"Ping", testPing},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(suite{t, open})
		})
	}
}

// Enqueuing hands what a store enqueues to a function, which may be nil; it wants a transaction that works.
func Enqueuing(enqueue func([]service.Task) error) func(context.Context, *sql.Tx, []service.Task) error {
	return func(ctx context.Context, tx *sql.Tx, tasks []service.Task) error {
		var one int
		if err := tx.QueryRowContext(ctx, `SELECT 1`).Scan(&one); err != nil {
			return err
		}
		if enqueue == nil {
			return nil
		}
		return enqueue(tasks)
	}
}

// EmptyPostgreSQL empties a PostgreSQL database that a test has used, for the next one.
const EmptyPostgreSQL = `DO $$ DECLARE list TEXT; BEGIN
	SELECT string_agg(quote_ident(tablename), ', ') INTO list FROM pg_tables
		WHERE schemaname = 'public' AND tablename NOT IN ('goose_db_version', 'compatibility', 'river_migration');
	EXECUTE 'TRUNCATE ' || list || ' RESTART IDENTITY CASCADE';
	INSERT INTO counters (name, n) VALUES ('open jobs', 0), ('pings', 0);
END $$`

// queue is a job queue that remembers what it was given.
type queue struct {
	mu    sync.Mutex
	tasks []service.Task
	fail  error
}

func (q *queue) enqueue(tasks []service.Task) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.fail != nil {
		return q.fail
	}
	q.tasks = append(q.tasks, tasks...)
	return nil
}

// take is what was enqueued since it was last called.
func (q *queue) take() []service.Task {
	q.mu.Lock()
	defer q.mu.Unlock()
	tasks := q.tasks
	q.tasks = nil
	return tasks
}

func (q *queue) failWith(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.fail = err
}

var errQueue = errors.New("the queue is down")

// day is when everything happens.
func day() time.Time { return time.Date(2026, 5, 4, 3, 2, 1, 987_000_000, time.UTC) }

// ok ends the test at an error.
func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantKind ends the test if an error is not of a kind.
func wantKind(t *testing.T, err error, kind service.Kind) {
	t.Helper()
	var e *service.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("the error is %v (kind %d), want kind %d", err, service.KindOf(err), kind)
	}
}

func testPing(u suite) {
	t, open := u.T, u.open
	s := open(t, nil)
	ok(t, s.Ping(t.Context()))
	ok(t, s.Close())
	if s.Ping(t.Context()) == nil {
		t.Fatal("a closed store answers a ping")
	}
	ok(t, s.Close())
}
