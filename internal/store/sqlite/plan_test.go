package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	modernc "modernc.org/sqlite"

	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/internal/sqlstore"
	"github.com/spotter-video/spotter/internal/store/storetest"
)

// TestPlans asks SQLite how it runs each statement that the store's tests make it run: none may read a table from end to end,
// or sort what it has read, because tables are large.
func TestPlans(t *testing.T) {
	t.Parallel()
	seen := recorder{statements: map[string][]driver.NamedValue{}}
	t.Run("record", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, func(t *testing.T, enqueue func([]service.Task) error) service.Store {
			t.Helper()
			return recorded(t, &seen, enqueue)
		})
		t.Cleanup(func() { seen.explain(t) })
	})
}

// recorded is a store whose statements are recorded.
func recorded(t *testing.T, r *recorder, enqueue func([]service.Task) error) service.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spotter.db")
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	open := func(dsn string) *sql.DB {
		c, invalid := modernc.NewConnector(dsn)
		if invalid != nil {
			t.Fatal(invalid)
		}
		return sql.OpenDB(connector{c, r})
	}
	if err = db.writer.Close(); err == nil {
		err = db.reader.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	db.writer, db.reader = open(writing(path)), open(reading(path))
	db.writer.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return sqlstore.New(db.config(func(_ context.Context, _ *sql.Tx, tasks []service.Task) error { return enqueue(tasks) }))
}

// recorder keeps the text of each statement, with the arguments that it was run with first. trips counts what would be a round trip
// to a server: statements, begins and commits.
type recorder struct {
	mu         sync.Mutex
	statements map[string][]driver.NamedValue
	trips      []string
}

func (r *recorder) saw(statement string, args []driver.NamedValue) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.statements[statement]; !known {
		r.statements[statement] = args
	}
	r.trips = append(r.trips, statement)
}

func (r *recorder) trip(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trips = append(r.trips, what)
}

func (r *recorder) explain(t *testing.T) {
	t.Helper()
	db, err := Open(context.Background(), filepath.Join(t.TempDir(), "spotter.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if len(r.statements) < 50 {
		t.Errorf("only %d statements were recorded", len(r.statements))
	}
	for statement, args := range r.statements {
		for _, line := range plan(t, db.writer, statement, args) {
			if costly(statement, line) {
				t.Errorf("%s: %s", line, strings.Join(strings.Fields(statement), " "))
			}
		}
	}
}

func plan(t *testing.T, db *sql.DB, statement string, args []driver.NamedValue) (lines []string) {
	t.Helper()
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a.Value
	}
	rows, err := db.QueryContext(context.Background(), `EXPLAIN QUERY PLAN `+statement, values...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, parent, unused int
		var line string
		if err := rows.Scan(&id, &parent, &unused, &line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
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

type connector struct {
	driver.Connector
	r *recorder
}

// Connect makes a connection that records.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return conn{inner.(full), c.r}, nil //nolint:errcheck // the driver's connection can do this, or the test ends here
}

type full interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
}

type conn struct {
	full
	r *recorder
}

// BeginTx counts the begin, and what ends the transaction.
func (c conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	c.r.trip("BEGIN")
	inner, err := c.full.BeginTx(ctx, o)
	return transaction{inner, c.r}, err
}

type transaction struct {
	driver.Tx
	r *recorder
}

// Commit counts.
func (t transaction) Commit() error {
	t.r.trip("COMMIT")
	return t.Tx.Commit()
}

// Rollback counts.
func (t transaction) Rollback() error {
	t.r.trip("ROLLBACK")
	return t.Tx.Rollback()
}

// ExecContext records a statement.
func (c conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.r.saw(query, args)
	return c.full.ExecContext(ctx, query, args)
}

// QueryContext records a statement.
func (c conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.r.saw(query, args)
	return c.full.QueryContext(ctx, query, args)
}
