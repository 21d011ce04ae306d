package sqlitefile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pool is one connection that keeps its statements, on a table with numbers.
func keeping(t *testing.T) *sql.DB {
	t.Helper()
	db, err := logged().openPool(logged().writing(filepath.Join(t.TempDir(), "x.db")))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	exec(t, db, `CREATE TABLE numbers (n INTEGER PRIMARY KEY, square INTEGER UNIQUE)`)
	for n := range 10 {
		exec(t, db, `INSERT INTO numbers VALUES ($1, $2)`, n, n*n)
	}
	return db
}

func exec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// kept is what the pool's connection keeps: how many statements, and how many of them are busy.
func kept(t *testing.T, db *sql.DB) (all, busy int) {
	t.Helper()
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // it goes back to the pool
	if err := c.Raw(func(raw any) error {
		k, ok := raw.(*keeper)
		if !ok {
			return fmt.Errorf("the connection is a %T", raw)
		}
		for _, s := range k.kept.Values() {
			if s.busy {
				busy++
			}
		}
		all = k.kept.Len()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all, busy
}

func TestStatementsAreKept(t *testing.T) {
	t.Parallel()
	db := keeping(t)
	before, _ := kept(t, db)
	const query = `SELECT n FROM numbers WHERE square = $1`
	for n := range 10 {
		var got int
		if err := db.QueryRowContext(t.Context(), query, n*n).Scan(&got); err != nil || got != n {
			t.Fatalf("root of %d is %d, %v", n*n, got, err)
		}
	}
	long := `SELECT 1 WHERE 1 IN (` + strings.Repeat("1,", longStatement) + `1)`
	for range 3 {
		var got int
		if err := db.QueryRowContext(t.Context(), long).Scan(&got); err != nil || got != 1 {
			t.Fatalf("a long one gives %d, %v", got, err)
		}
	}
	if all, busy := kept(t, db); all != before+1 || busy != 0 {
		t.Errorf("%d statements kept, %d before; %d busy", all, before, busy)
	}
}

// TestAStatementWithinItself runs a statement while its rows are read, as often as there are rows.
func TestAStatementWithinItself(t *testing.T) {
	t.Parallel()
	db := keeping(t)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	const query = `SELECT n FROM numbers WHERE n >= $1 ORDER BY n`
	count := 0
	var read func(from int)
	read = func(from int) {
		rows, err := tx.QueryContext(t.Context(), query, from)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close() //nolint:errcheck // Err says it
		for rows.Next() {
			var n int
			if err := rows.Scan(&n); err != nil {
				t.Fatal(err)
			}
			count++
			if from < 7 {
				read(max(n, 7))
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	read(5) // 5 to 9, and for each of them from 7 on: 3, 3, 3, 2, 1
	if count != 5+3+3+3+2+1 {
		t.Errorf("read %d rows", count)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, busy := kept(t, db); busy != 0 {
		t.Errorf("%d are busy", busy)
	}
}

// TestStatementsThatFail are free again, and those that were cut short.
func TestStatementsThatFail(t *testing.T) {
	t.Parallel()
	db := keeping(t)
	for range 3 {
		if _, err := db.ExecContext(t.Context(), `INSERT INTO numbers VALUES ($1, $2)`, 3, 9); err == nil {
			t.Fatal("a number is there twice")
		}
		if _, err := db.ExecContext(t.Context(), `INSERT INTO nowhere VALUES (1)`); err == nil {
			t.Fatal("a table that is not there")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	rows, err := db.QueryContext(ctx, `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // it is closed below, and looked at
	rows.Next()
	cancel()
	for rows.Next() {
	}
	if err := rows.Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("an endless query ends with %v", err)
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	exec(t, db, `INSERT INTO numbers VALUES ($1, $2)`, 100, 10000)
	if _, busy := kept(t, db); busy != 0 {
		t.Errorf("%d are busy", busy)
	}
}

// TestStatementsOutliveChangesOfTables: what was read before a column was there works afterwards.
func TestStatementsOutliveChangesOfTables(t *testing.T) {
	t.Parallel()
	db := keeping(t)
	read := func() (columns int) {
		rows, err := db.QueryContext(t.Context(), `SELECT * FROM numbers WHERE n = 2`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close() //nolint:errcheck // Err says it
		names, err := rows.Columns()
		if err != nil || !rows.Next() || rows.Err() != nil {
			t.Fatalf("no row: %v, %v", err, rows.Err())
		}
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(sql.RawBytes)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	if n := read(); n != 2 {
		t.Errorf("%d columns", n)
	}
	exec(t, db, `ALTER TABLE numbers ADD COLUMN cube INTEGER DEFAULT 0`)
	if n := read(); n != 3 {
		t.Errorf("%d columns when there is one more", n)
	}
}

// TestStatementsArePushedOut gives a connection more texts than it keeps, and some of them while they are busy.
func TestStatementsArePushedOut(t *testing.T) {
	t.Parallel()
	db := keeping(t)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	open, err := tx.QueryContext(t.Context(), `SELECT n FROM numbers ORDER BY n`)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close() //nolint:errcheck // it is closed below, and looked at
	for n := range 2 * keptStatements {
		var got int
		if err := tx.QueryRowContext(t.Context(), fmt.Sprintf(`SELECT %d`, n)).Scan(&got); err != nil || got != n {
			t.Fatalf("%d, %v", got, err)
		}
	}
	read := 0
	for open.Next() {
		read++
	}
	if err := errors.Join(open.Err(), open.Close(), tx.Commit()); err != nil || read != 10 {
		t.Errorf("%d rows of a statement that was pushed out, %v", read, err)
	}
	if all, busy := kept(t, db); all != keptStatements || busy != 0 {
		t.Errorf("%d kept, %d busy", all, busy)
	}
}

func BenchmarkStatement(b *testing.B) {
	for name, open := range map[string]func(string) (*sql.DB, error){
		"kept": logged().openPool, "read anew": func(dsn string) (*sql.DB, error) { return sql.Open("sqlite", dsn) },
	} {
		b.Run(name, func(b *testing.B) {
			db, err := open(logged().writing(filepath.Join(b.TempDir(), "x.db")))
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close() //nolint:errcheck // of a benchmark
			db.SetMaxOpenConns(1)
			if _, err := db.ExecContext(b.Context(), `CREATE TABLE t (id TEXT PRIMARY KEY, a, b, c, at INTEGER)`); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				var n int
				if err := db.QueryRowContext(b.Context(), `SELECT COUNT(*) FROM t WHERE id = $1 AND a IS NOT NULL AND at < $2`,
					"x", time.Now().UnixMilli()).Scan(&n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
