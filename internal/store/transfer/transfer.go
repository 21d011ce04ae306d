// Package transfer copies everything that one database keeps into another of another engine. It knows rows and columns, and not what they
// mean.
package transfer

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/spotter-video/spotter/internal/store/postgres"
	"github.com/spotter-video/spotter/internal/store/sqlite"
)

// table is one that is copied.
type table struct {
	name string
	// key orders the rows, the same way in both databases.
	key string
	// numbered says that the database numbers the rows.
	numbered bool
}

// tables are all that are copied, each after those that it refers to.
func tables() []table {
	return []table{
		{"collections", "serial", true},
		{"tags", "collection, tag", false},
		{"users", "serial", true},
		{"faces", "collection, id", false},
		{"codes", "collection, id", false},
		{"gone", "collection, changed, id", false},
		{"marks", "collection, mark", false},
		{"jobs", "serial", true},
		{"plans", "job", false},
		{"segments", "job, number", false},
		{"analyses", "job", false},
		{"chunks", "job, attempt, kind, number", false},
		{"tokens", "scope, token", false},
		{"notices", "serial", true},
		{"access_keys", "serial", true},
		{"sealer", "one", false},
		{"counters", "name", false},
		{"audit", "serial", true},
		{"leftovers", "kind, serial", false},
	}
}

// Progress is told how far a copy is: rows of a table that have been copied, or compared, of how many.
type Progress func(step, table string, rows, of int64)

// Result is what was copied.
type Result struct {
	// Rows is how many there are of each table.
	Rows map[string]int64 `json:"rows"`
	// Mended are texts that PostgreSQL cannot keep as they were: zero bytes, or no UTF-8. They are messages of jobs that have ended.
	Mended int64 `json:"mended_texts"`
}

// ErrNotEmpty means that there are rows in the target.
var ErrNotEmpty = errors.New("the PostgreSQL database holds something already: name an empty one")

// ToPostgreSQL copies all rows into a database with tables and nothing in them, and compares every one afterwards. All of it happens or
// nothing: it is one transaction. The source must not change meanwhile; tasks of open jobs are not copied, but enqueued anew by the servers.
func ToPostgreSQL(ctx context.Context, from *sqlite.DB, to *postgres.DB, tell Progress) (result *Result, err error) {
	err = to.Fill(ctx, func(tx pgx.Tx) error {
		c := &copying{from: from.Reader(), to: tx, tell: tell, result: &Result{Rows: map[string]int64{}}}
		result = c.result
		return c.run(ctx)
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

type copying struct {
	from   *sql.DB
	to     pgx.Tx
	tell   Progress
	result *Result
}

func (c *copying) run(ctx context.Context) error {
	// What a migration has put there comes from the source.
	if _, err := c.to.Exec(ctx, `DELETE FROM counters`); err != nil {
		return fmt.Errorf("empty the counters: %w", err)
	}
	for _, t := range tables() {
		var there bool
		if err := c.to.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM `+t.name+`)`).Scan(&there); err != nil {
			return fmt.Errorf("look into %s: %w", t.name, err)
		}
		if there {
			return ErrNotEmpty
		}
	}
	for _, t := range tables() {
		if err := c.copy(ctx, t); err != nil {
			return fmt.Errorf("copy %s: %w", t.name, err)
		}
	}
	for _, t := range tables() {
		if err := c.compare(ctx, t); err != nil {
			return fmt.Errorf("compare %s: %w", t.name, err)
		}
	}
	return nil
}

// columns are the names of a table's columns and their types in the target, in its order.
func (c *copying) columns(ctx context.Context, t table) (names, types []string, err error) {
	rows, err := c.to.Query(ctx, `SELECT column_name, data_type FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position`, t.name)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			return nil, nil, err
		}
		names, types = append(names, name), append(types, kind)
	}
	return names, types, rows.Err()
}

func (c *copying) copy(ctx context.Context, t table) error {
	names, types, err := c.columns(ctx, t)
	if err != nil {
		return err
	}
	source, err := c.read(ctx, t, "copy", names, types)
	if err != nil {
		return err
	}
	defer source.close()
	n, err := c.to.CopyFrom(ctx, pgx.Identifier{t.name}, names, source)
	if err != nil {
		return err
	}
	c.result.Rows[t.name], c.result.Mended = n, c.result.Mended+source.mended
	if !t.numbered {
		return nil
	}
	// Numbers are never used twice, also those of rows that are gone.
	var last int64
	if err = c.from.QueryRowContext(ctx, `SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = $1), 0)`, t.name).Scan(&last); err != nil {
		return err
	}
	if last > 0 {
		_, err = c.to.Exec(ctx, `SELECT setval(pg_get_serial_sequence($1, 'serial'), $2)`, t.name, last)
	}
	return err
}

// compare reads both tables row by row.
func (c *copying) compare(ctx context.Context, t table) error {
	names, types, err := c.columns(ctx, t)
	if err != nil {
		return err
	}
	source, err := c.read(ctx, t, "compare", names, types)
	if err != nil {
		return err
	}
	defer source.close()
	copied, err := c.to.Query(ctx, `SELECT `+strings.Join(names, ", ")+` FROM `+t.name+` ORDER BY `+t.key)
	if err != nil {
		return err
	}
	defer copied.Close()
	for source.Next() {
		want, err := source.Values()
		if err != nil {
			return err
		}
		if !copied.Next() {
			return errors.Join(errors.New("a row is missing"), copied.Err())
		}
		got, err := copied.Values()
		if err != nil {
			return err
		}
		if !slices.EqualFunc(want, got, same) {
			return fmt.Errorf("row %d differs", source.rows)
		}
	}
	if err := source.Err(); err != nil {
		return err
	}
	if copied.Next() {
		return errors.New("there is a row too many")
	}
	return copied.Err()
}

func same(a, b any) bool {
	if x, is := a.([]byte); is {
		y, is := b.([]byte)
		return is && bytes.Equal(x, y)
	}
	return a == b
}

// rows are those of a table in the source, with values as the target has them. They implement [pgx.CopyFromSource].
type rows struct {
	*sql.Rows
	types []string
	tell  func(rows int64)

	values []any
	rows   int64
	mended int64
}

func (c *copying) read(ctx context.Context, t table, step string, names, types []string) (*rows, error) {
	var of int64
	if err := c.from.QueryRowContext(ctx, `SELECT COUNT(*) FROM `+t.name).Scan(&of); err != nil {
		return nil, err
	}
	found, err := c.from.QueryContext(ctx, `SELECT `+strings.Join(names, ", ")+` FROM `+t.name+` ORDER BY `+t.key) //nolint:gosec,rowserrcheck // G202: our own names; who reads them asks
	if err != nil {
		return nil, err
	}
	return &rows{Rows: found, types: types, values: make([]any, len(names)), tell: func(n int64) { c.tell(step, t.name, n, of) }}, nil
}

func (r *rows) close() {
	_ = r.Close() // Err says it
	r.tell(r.rows)
}

// everyRows is after how many rows progress is told.
const everyRows = 1000

// Values is the row as the target has it.
func (r *rows) Values() ([]any, error) {
	places := make([]any, len(r.values))
	for i := range places {
		places[i] = &r.values[i]
	}
	if err := r.Scan(places...); err != nil {
		return nil, err
	}
	for i, v := range r.values {
		var err error
		if r.values[i], err = r.convert(v, r.types[i]); err != nil {
			return nil, err
		}
	}
	if r.rows++; r.rows%everyRows == 0 {
		r.tell(r.rows)
	}
	return r.values, nil
}

func (r *rows) convert(v any, kind string) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case int64:
		switch kind {
		case "boolean":
			return v != 0, nil
		case "double precision":
			return float64(v), nil
		case "bigint":
			return v, nil
		}
	case float64:
		if kind == "double precision" {
			return v, nil
		}
	case string:
		if kind == "text" {
			clean := strings.ToValidUTF8(strings.ReplaceAll(v, "\x00", "\uFFFD"), "\uFFFD")
			if clean != v {
				r.mended++
			}
			return clean, nil
		}
	case []byte:
		if kind == "bytea" {
			return bytes.Clone(v), nil
		}
	}
	return nil, fmt.Errorf("a value is a %T, and the column is of type %s", v, kind)
}
