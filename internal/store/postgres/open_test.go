package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/postgres"
	"github.com/spotter-video/spotter/internal/store/storetest"
	"github.com/spotter-video/spotter/internal/testkit/pgserver"
)

// TestOpenRefuses names what is wrong with a database, and what to do.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	empty := pgserver.Database(t)
	for name, c := range map[string]struct {
		url, change, want string
	}{
		"no tables": {url: empty, want: "run 'spotter migrate'"},
		"older":     {change: `DELETE FROM goose_db_version WHERE version_id > 0`, want: "of an older Spotter (version 0"},
		"newer":     {change: `UPDATE compatibility SET needs = 1000`, want: "of a newer Spotter (programs must know version 1000"},
		"no URL":    {url: "postgres://user:very%secret@host/x", want: "wanted is postgres://"},
		"nobody":    {url: "postgres://user:verysecret@127.0.0.1:1/x?connect_timeout=5", want: "open database x at 127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := c.url
			if url == "" {
				url = migrated(t)
				do(t, url, c.change)
			}
			db, err := postgres.Open(t.Context(), url)
			if err == nil {
				t.Fatal("it is opened", db.Close())
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v; want %q", err, c.want)
			}
		})
	}
}

// TestConnectionsAreBounded by what the URL says, where it says something.
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	for _, c := range []struct {
		said string
		want int
	}{{"&pool_max_conns=2", 2}, {"&pool_max_conns=20", 20}, {"", max(16, runtime.NumCPU())}} {
		if got := openDB(t, url+c.said).MaxConns(); got != c.want {
			t.Errorf("%q: %d connections at most, want %d", c.said, got, c.want)
		}
	}
	if _, err := postgres.Open(t.Context(), url+"&pool_max_conns=1"); err == nil || !strings.Contains(err.Error(), "at least 2") {
		t.Error(err)
	}
}

// TestDefaultsAreNotTheRoles has a database with other defaults than those that the transactions are made for.
func TestDefaultsAreNotTheRoles(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	do(t, url, `DO $$ BEGIN
		EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database());
		EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database());
	END $$`)
	db := openDB(t, url)
	for setting, want := range map[string]string{"transaction_isolation": "read committed", "synchronous_commit": "on"} {
		var is string
		if err := db.SQL().QueryRowContext(t.Context(), `SELECT current_setting($1)`, setting).Scan(&is); err != nil || is != want {
			t.Errorf("%s is %s, want %s: %v", setting, is, want, err)
		}
	}
	s, c := newStore(t, db, nil), &service.Collection{ID: "people"}
	if err := s.CreateCollection(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 20 {
				if err := s.CreateUser(t.Context(), c.Serial, service.UserID(fmt.Sprint(i, "-", n)), 1000, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// TestVersionsSideBySide has a program meet tables that a newer one has added to.
func TestVersionsSideBySide(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	do(t, url, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (1000, true)`)
	db := openDB(t, url)
	if err := newStore(t, db, nil).Ping(t.Context()); err != nil {
		t.Error(err)
	}
	from, to, err := postgres.Migrate(t.Context(), url, func() {}, nothing)
	if err != nil || from != 1000 || to != 1000 {
		t.Errorf("tables of version 1000 were migrated from %d to %d: %v", from, to, err)
	}
}

// TestOlderProgramsBeside has one from before there were digests change collections too, as during an upgrade.
func TestOlderProgramsBeside(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	storetest.BesideOlder(t, newStore(t, openDB(t, url), nil), func(statement string) { do(t, url, statement) })
}

// TestWhoWaitsSaysSo has a process wait for one that is at it.
func TestWhoWaitsSaysSo(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	waits, first := make(chan struct{}), make(chan error)
	_, _, err := postgres.Migrate(t.Context(), url, func() { t.Error("the first one waits") }, func(ctx context.Context, _ *postgres.DB) error {
		go func() {
			_, _, err := postgres.Migrate(ctx, url, func() { close(waits) }, nothing)
			first <- err
		}()
		<-waits
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := <-first; err != nil {
		t.Error(err)
	}
}

// TestManyMigrate has processes find an empty database at the same time.
func TestManyMigrate(t *testing.T) {
	t.Parallel()
	url := pgserver.Database(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, _, err := postgres.Migrate(t.Context(), url, func() {}, nothing); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := newStore(t, openDB(t, url), nil).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestTroublePasses wants errors that pass to be told from those that do not.
func TestTroublePasses(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s := newStore(t, openDB(t, url), nil)
	ctx := t.Context()
	if err := s.CreateCollection(ctx, &service.Collection{ID: "people"}); err != nil {
		t.Fatal(err)
	}
	wantKind(t, s.CreateCollection(ctx, &service.Collection{ID: "people"}), service.Exists)

	do(t, url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	// A connection that is found to be gone before anything was asked on it is replaced.
	if _, err := s.Collection(ctx, "people"); err != nil && service.KindOf(err) != service.Unavailable {
		t.Error(err)
	}
	if _, err := s.Collection(ctx, "people"); err != nil {
		t.Error(err)
	}
	do(t, url, `ALTER TABLE collections RENAME TO others`)
	_, err := s.Collection(ctx, "people")
	wantKind(t, err, service.Internal)
}

// TestServerDies kills the server in the middle of a transaction.
func TestServerDies(t *testing.T) {
	t.Parallel()
	server, err := pgserver.Launch(t.Context())
	if errors.Is(err, pgserver.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	url := server.URL("postgres")
	migrate(t, url)
	ctx := t.Context()
	var dies sync.Once
	s := postgres.New(openDB(t, url), func(context.Context, *sql.Tx, []service.Task) error {
		dies.Do(server.Kill)
		return nil
	})
	if err = s.CreateCollection(ctx, &service.Collection{ID: "kept"}); err != nil {
		t.Fatal(err)
	}
	job := &service.Job{ID: "job", Operation: service.FaceDetection, State: service.InProgress}
	_, err = s.CreateJob(ctx, job, service.Places{OfKey: 5, All: 5}, nil, service.Task{Kind: service.PlanTask, Job: "job"})
	wantKind(t, err, service.Unavailable)
	_, err = s.Collection(ctx, "kept")
	wantKind(t, err, service.Unavailable)
	if err = server.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err = s.Collection(ctx, "kept"); err != nil {
		t.Error(err)
	}
	_, err = s.Job(ctx, "job")
	wantKind(t, err, service.NotFound)
	if open, err := s.OpenJobs(ctx); len(open) != 0 || err != nil {
		t.Errorf("%+v are open: %v", open, err)
	}
}

func nothing(context.Context, *postgres.DB) error { return nil }

func wantKind(t *testing.T, err error, kind service.Kind) {
	t.Helper()
	if err == nil || service.KindOf(err) != kind {
		t.Errorf("the error is %v (kind %d), want kind %d", err, service.KindOf(err), kind)
	}
}

func do(t *testing.T, url, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), statement)
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestNoticesAreOneProcesssAlone has two processes deliver from one outbox.
func TestNoticesAreOneProcesssAlone(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	one, two := newStore(t, openDB(t, url), nil), newStore(t, openDB(t, url), nil)
	ctx, now := t.Context(), time.Now().UTC().Truncate(time.Millisecond)
	job := &service.Job{ID: "job", Operation: service.FaceDetection, State: service.InProgress}
	if _, err := one.CreateJob(ctx, job, service.Places{OfKey: 5, All: 5}, nil, service.Task{Kind: service.PlanTask, Job: "job"}); err != nil {
		t.Fatal(err)
	}
	job.State = service.Failed
	n := &service.Notice{ID: "notice", Job: "job", Due: now}
	if ended, err := one.EndJob(ctx, job, n, 0); err != nil || !ended {
		t.Fatal(ended, err)
	}
	claim := func(s *postgres.Store, want bool) {
		t.Helper()
		if got, err := s.ClaimNotice(ctx, n); err != nil || got != want {
			t.Errorf("claimed: %v, %v", got, err)
		}
	}
	due := func(s *postgres.Store, want int) {
		t.Helper()
		if list, err := s.DueNotices(ctx, now, 10); err != nil || len(list) != want {
			t.Errorf("%d are due: %v", len(list), err)
		}
	}
	claim(one, true)
	claim(two, false)
	due(one, 1)
	due(two, 0)
	if err := one.ReleaseNotices(ctx); err != nil {
		t.Fatal(err)
	}
	due(two, 1)
	claim(two, true)
	claim(one, false)
	do(t, url, `UPDATE notices SET claimed = claimed - 120000`) // the process that has claimed it died
	due(one, 1)
	claim(one, true)
}
