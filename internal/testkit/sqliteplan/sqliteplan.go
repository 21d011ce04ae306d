// Package sqliteplan records the statements that are run in an SQLite file, and asks SQLite how it runs them: tests look at the
// plans for what would take long in large tables.
package sqliteplan

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	modernc "modernc.org/sqlite"
)

// Recorder keeps the text of each statement, with the arguments that it was run with first. Safe for concurrent use.
type Recorder struct {
	mu         sync.Mutex
	statements map[string][]driver.NamedValue
	trips      []string
}

// Writing opens one connection that writes into a file and is recorded, and Reading connections that read.
func (r *Recorder) Writing(path string) (*sql.DB, error) {
	db, err := r.open(path, url.Values{"_txlock": {"immediate"}, "_pragma": {"foreign_keys(ON)"}})
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

// Reading opens connections that read a file and are recorded.
func (r *Recorder) Reading(path string) (*sql.DB, error) {
	return r.open(path, url.Values{"mode": {"ro"}})
}

func (r *Recorder) open(path string, q url.Values) (*sql.DB, error) {
	q.Set("_busy_timeout", "60000")
	file := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	c, err := modernc.NewConnector(file.String())
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector{c, r}), nil
}

// Trips is what would be a round trip to a server, since it was asked last: statements, begins and commits.
func (r *Recorder) Trips() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	trips := r.trips
	r.trips = nil
	return trips
}

// Plan is how a statement is run.
type Plan struct {
	Statement string // on one line
	Lines     []string
}

// Plans asks a database with the same tables how it runs each statement that was recorded.
func (r *Recorder) Plans(ctx context.Context, db *sql.DB) ([]Plan, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var plans []Plan
	for statement, args := range r.statements {
		lines, err := explain(ctx, db, statement, args)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", statement, err)
		}
		plans = append(plans, Plan{strings.Join(strings.Fields(statement), " "), lines})
	}
	return plans, nil
}

func explain(ctx context.Context, db *sql.DB, statement string, args []driver.NamedValue) (lines []string, err error) {
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a.Value
	}
	rows, err := db.QueryContext(ctx, `EXPLAIN QUERY PLAN `+statement, values...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id, parent, unused int
		var line string
		if err := rows.Scan(&id, &parent, &unused, &line); err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, rows.Err()
}

func (r *Recorder) saw(statement string, args []driver.NamedValue) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.statements == nil {
		r.statements = map[string][]driver.NamedValue{}
	}
	if _, known := r.statements[statement]; !known {
		r.statements[statement] = args
	}
	r.trips = append(r.trips, statement)
}

func (r *Recorder) trip(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trips = append(r.trips, what)
}

type connector struct {
	driver.Connector
	r *Recorder
}

// Connect makes a connection that records.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	able, ok := inner.(full)
	if !ok {
		return nil, errors.Join(fmt.Errorf("SQLite's driver has another kind of connection: %T", inner), inner.Close())
	}
	return conn{able, c.r}, nil
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
	r *Recorder
}

// BeginTx counts the begin, and what ends the transaction.
func (c conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	c.r.trip("BEGIN")
	inner, err := c.full.BeginTx(ctx, o)
	return transaction{inner, c.r}, err
}

type transaction struct {
	driver.Tx
	r *Recorder
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
