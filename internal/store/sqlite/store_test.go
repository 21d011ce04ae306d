package sqlite_test

import (
	"context"
	"path/filepath"
	"strings"
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
	return sqlite.New(db, storetest.Enqueuing(enqueue))
}

// Ping must say when nothing can be written any more, though everything can be read, as on a full disk: a trigger refuses
// what the disk would.
func TestPingWrites(t *testing.T) {
	t.Parallel()
	db := openDB(t, filepath.Join(t.TempDir(), "spotter.db"))
	s := newStore(t, db, nil)
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	const full = `CREATE TRIGGER full BEFORE UPDATE ON counters BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`
	if _, err := db.Writer().ExecContext(t.Context(), full); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("with nothing to be written, Ping says %v", err)
	}
	if _, err := db.Writer().ExecContext(t.Context(), `DROP TRIGGER full`); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("with room again, Ping says %v", err)
	}
}
