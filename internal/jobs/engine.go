package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivermigrate"
)

// Engine is a database that a queue lives in.
type Engine struct {
	driver riverdriver.Driver[*sql.Tx]
	db     *sql.DB
	wake   func() // tells a listener that does not listen all the time; nil for others
	shared bool   // by processes
}

// SQLite is a SQLite database, of one process. It must have one open connection at most.
func SQLite(db *sql.DB) Engine {
	driver := newSQLiteDriver(db)
	return Engine{driver: driver, db: db, wake: driver.wake}
}

// PostgreSQL is a PostgreSQL database, which processes may share. The pool is for listening alone, to the same database.
func PostgreSQL(db *sql.DB, listening *pgxpool.Pool) Engine {
	return Engine{driver: riverdatabasesql.NewWithPgxListener(db, listening), db: db, shared: true}
}

// Migrate makes or updates the tables of the queue. One process at a time may do it.
func Migrate(ctx context.Context, e Engine) error {
	m, err := rivermigrate.New(e.driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("prepare the job tables: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate the job tables: %w", err)
	}
	if e.shared {
		if err := makeWorkers(ctx, e.db); err != nil {
			return fmt.Errorf("make the job tables: %w", err)
		}
	}
	return nil
}

// makeWorkers makes the table of workers where there is none: a role that may not make tables is refused also what is there already.
func makeWorkers(ctx context.Context, db *sql.DB) error {
	var there bool
	if err := db.QueryRowContext(ctx, `SELECT to_regclass('task_workers') IS NOT NULL`).Scan(&there); err != nil || there {
		return err
	}
	_, err := db.ExecContext(ctx, workersTable)
	return err
}
