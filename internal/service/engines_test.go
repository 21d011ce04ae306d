package service_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/postgres"
	"github.com/spotter-video/spotter/internal/store/sqlite"
	"github.com/spotter-video/spotter/internal/store/storetest"
	"github.com/spotter-video/spotter/internal/testkit/pgserver"
)

func TestMain(m *testing.M) { os.Exit(pgserver.Tests{M: m}.Run()) }

// TestOnPostgreSQL runs all other tests once more, on PostgreSQL.
func TestOnPostgreSQL(t *testing.T) {
	t.Parallel()
	pgserver.Again(t)
}

// newStore is an empty store.
func newStore(t *testing.T, enqueue func(context.Context, *sql.Tx, []service.Task) error) service.Store {
	t.Helper()
	var s service.Store
	if pgserver.Chosen() {
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
		if _, _, err := postgres.Migrate(t.Context(), url, func() {}, func(context.Context, *postgres.DB) error { return nil }); err != nil {
			t.Fatal(err)
		}
		templates.url = url
	}
	return templates.url
}
