package service_test

import (
	"context"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/postgres"
	"github.com/spotter-video/spotter/internal/store/sqlite"
	"github.com/spotter-video/spotter/internal/store/storetest"
	"github.com/spotter-video/spotter/internal/testkit/pgserver"
)

// onPostgreSQL says in a test program's environment that its databases are to be PostgreSQL's.
const onPostgreSQL = "SPOTTER_TEST_SERVICE_POSTGRESQL"

func TestMain(m *testing.M) { os.Exit(pgserver.Tests{M: m}.Run()) }

// TestOnPostgreSQL runs all other tests once more, on PostgreSQL.
func TestOnPostgreSQL(t *testing.T) {
	t.Parallel()
	if os.Getenv(onPostgreSQL) != "" {
		t.Skip("they are running")
	}
	if testing.CoverMode() != "" {
		t.Skip("the test program writes its coverage once")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.timeout=0")
	cmd.Env = append(os.Environ(), onPostgreSQL+"=yes")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// newStore is an empty store.
func newStore(t *testing.T, enqueue func(context.Context, *sql.Tx, []service.Task) error) service.Store {
	t.Helper()
	var s service.Store
	if os.Getenv(onPostgreSQL) != "" {
		db, err := postgres.Open(t.Context(), pgserver.Lend(t, template(t), storetest.EmptyPostgreSQL))
		if err != nil {
			t.Fatal(err)
		}
		s = postgres.New(db, enqueue)
	} else {
		db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "spotter.db"))
		if err != nil {
			t.Fatal(err)
		}
		s = sqlite.New(db, enqueue)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

var templates struct {
	sync.Mutex
	url string
}

// template is a database with tables, which others are copies of.
func template(t *testing.T) string {
	t.Helper()
	templates.Lock()
	defer templates.Unlock()
	if templates.url == "" {
		url := pgserver.Database(t)
		if _, _, err := postgres.Migrate(t.Context(), url, func(context.Context, *postgres.DB) error { return nil }); err != nil {
			t.Fatal(err)
		}
		templates.url = url
	}
	return templates.url
}
