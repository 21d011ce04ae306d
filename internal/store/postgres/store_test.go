package postgres_test

import (
	"context"
	"database/sql"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/postgres"
	"github.com/spotter-video/spotter/internal/store/storetest"
	"github.com/spotter-video/spotter/internal/testkit/pgserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgserver.Tests{M: m}) }

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, enqueue func([]service.Task) error) service.Store {
		t.Helper()
		return newStore(t, openDB(t, migrated(t)), enqueue)
	})
}

// template is a database with tables, which others are copies of.
var template struct {
	sync.Mutex
	url string
}

// migrated is a new database with tables.
func migrated(tb testing.TB) string {
	tb.Helper()
	template.Lock()
	defer template.Unlock()
	if template.url == "" {
		url := pgserver.Database(tb)
		migrate(tb, url)
		template.url = url
	}
	return pgserver.Copy(tb, template.url)
}

func migrate(tb testing.TB, url string) {
	tb.Helper()
	if _, _, err := postgres.Migrate(context.Background(), url, func(context.Context, *postgres.DB) error { return nil }); err != nil {
		tb.Fatal(err)
	}
}

func openDB(tb testing.TB, url string) *postgres.DB {
	tb.Helper()
	db, err := postgres.Open(context.Background(), url)
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

func newStore(tb testing.TB, db *postgres.DB, enqueue func([]service.Task) error) *postgres.Store {
	tb.Helper()
	return postgres.New(db, func(ctx context.Context, tx *sql.Tx, tasks []service.Task) error {
		var one int
		if err := tx.QueryRowContext(ctx, `SELECT 1`).Scan(&one); err != nil {
			return err
		}
		if enqueue == nil {
			return nil
		}
		return enqueue(tasks)
	})
}
