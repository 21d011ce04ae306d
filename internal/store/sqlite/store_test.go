package sqlite_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/sqlite"
	"github.com/spotter-video/spotter/internal/store/storetest"
)

func TestMain(m *testing.M) {
	if crashing() {
		crash()
	}
	goleak.VerifyTestMain(m)
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, enqueue func([]service.Task) error) service.Store {
		t.Helper()
		return newStore(t, openDB(t, filepath.Join(t.TempDir(), "spotter.db")), enqueue)
	})
}

func openDB(tb testing.TB, path string) *sqlite.DB {
	tb.Helper()
	db, err := sqlite.Open(context.Background(), path)
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

func newStore(tb testing.TB, db *sqlite.DB, enqueue func([]service.Task) error) *sqlite.Store {
	tb.Helper()
	return sqlite.New(db, func(ctx context.Context, tx *sql.Tx, tasks []service.Task) error {
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
