package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/internal/sqlstore"
	"github.com/spotter-video/spotter/internal/store/storetest"
	"github.com/spotter-video/spotter/internal/testkit/sqliteplan"
)

// TestPlans asks SQLite how it runs each statement that the store's tests make it run: none may read a table from end to end,
// or sort what it has read, because tables are large.
func TestPlans(t *testing.T) {
	t.Parallel()
	var seen sqliteplan.Recorder
	t.Run("record", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, func(t *testing.T, enqueue func([]service.Task) error) service.Store {
			t.Helper()
			return recorded(t, &seen, enqueue)
		})
		t.Cleanup(func() { explain(t, &seen) })
	})
}

// recorded is a store whose statements are recorded.
func recorded(t *testing.T, r *sqliteplan.Recorder, enqueue func([]service.Task) error) service.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spotter.db")
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err = errors.Join(db.Writer().Close(), db.Reader().Close()); err != nil {
		t.Fatal(err)
	}
	writer, err := r.Writing(path)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := r.Reading(path)
	if err != nil {
		t.Fatal(err)
	}
	closeAll := func() error { return errors.Join(writer.Close(), reader.Close(), db.Close()) }
	t.Cleanup(func() { _ = closeAll() })
	c := config(db, func(_ context.Context, _ *sql.Tx, tasks []service.Task) error { return enqueue(tasks) })
	c.Writer, c.Reader, c.Close = writer, reader, closeAll
	return sqlstore.New(c)
}

func explain(t *testing.T, r *sqliteplan.Recorder) {
	t.Helper()
	db, err := Open(context.Background(), filepath.Join(t.TempDir(), "spotter.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	plans, err := r.Plans(context.Background(), db.Writer())
	if err != nil {
		t.Fatal(err)
	}
	if len(plans) < 50 {
		t.Errorf("only %d statements were recorded", len(plans))
	}
	for _, p := range plans {
		for _, line := range p.Lines {
			if costly(p.Statement, line) {
				t.Errorf("%s: %s", line, p.Statement)
			}
		}
	}
}

// costly says whether a line of a plan stands for reading more than is wanted.
func costly(statement, line string) bool {
	scan := regexp.MustCompile(`^SCAN|TEMP B-TREE`)
	// All faces of a collection, which is right for a listing in their order and for one that stops at a limit.
	all := regexp.MustCompile(`faces USING .*\(collection=\?\)$`)
	// Tables of a few rows, the open jobs, analyses, which are counted for metrics, and whether there is a row at all.
	small := regexp.MustCompile(`FROM access_keys ORDER BY|state = 'in-progress' GROUP BY|SUM\(bytes\)|FROM leftovers ORDER BY|FROM sealer|EXISTS \(SELECT 1 FROM access_keys\)`)
	// A collection that is made has no faces that its foreign key could find, and one that is cleared away none any more.
	listing := regexp.MustCompile(`ORDER BY id|LIMIT|INSERT INTO collections`)
	users := regexp.MustCompile(`(DELETE FROM|UPDATE) users`)
	// What a subquery with a limit gives, and what the statement itself brings.
	const page = "SCAN page"
	values := regexp.MustCompile(`^SCAN \d+-ROW VALUES CLAUSE$`)
	return scan.MatchString(line) && line != page && !values.MatchString(line) && !small.MatchString(statement) ||
		all.MatchString(line) && (!listing.MatchString(statement) || users.MatchString(statement))
}
