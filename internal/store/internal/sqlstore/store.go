package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/spotter-video/spotter/internal/service"
)

// Enqueue hands tasks to the job queue within the transaction that makes them necessary; its error undoes this.
type Enqueue func(ctx context.Context, tx *sql.Tx, tasks []service.Task) error

// Config is what a database brings.
type Config struct {
	// Writer runs the transactions that change something, Reader those that do not.
	Writer, Reader *sql.DB
	// Reading makes all statements of a transaction on the reader see one state; nil where they do anyway.
	Reading *sql.TxOptions
	Enqueue Enqueue
	// Claimant names the process among those that share the database; empty where it is the only one.
	Claimant string
	// Clock is SQL for the database's own time, in milliseconds since 1970.
	Clock string
	// Passes says whether an error is the database's own trouble, which passes, and not that of what was asked; nil if it has none.
	Passes func(error) bool
	// Close closes the database. It may be called several times.
	Close func() error
}

// Store implements [service.Store]. Safe for concurrent use.
type Store struct{ db Config }

var _ service.Store = (*Store)(nil)

// New makes a store of a database whose tables are there.
func New(c Config) *Store { return &Store{db: c} }

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// Ping reads, and writes a row that nobody reads: a disk that is full says so here.
func (s *Store) Ping(ctx context.Context) error {
	const what = "ping"
	err := s.look(what, func(q statements) error {
		var n int64
		return q.QueryRowContext(ctx, `SELECT n FROM counters WHERE name = 'pings'`).Scan(&n)
	})
	if err != nil {
		return err
	}
	return s.write(ctx, what, func(tx *sql.Tx) error {
		_, err := affected(tx.ExecContext(ctx, `UPDATE counters SET n = n + 1 WHERE name = 'pings'`))
		return err
	})
}

// statements run on their own, or in a transaction.
type statements interface {
	querier
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// look reads with a single statement, which needs no transaction and so a third of the round trips; what says what it is for.
func (s *Store) look(what string, do func(q statements) error) error {
	if err := do(s.db.Reader); err != nil {
		return s.outcome(fmt.Errorf("%s: %w", what, err))
	}
	return nil
}

// read runs a transaction that changes nothing; what says what it is for.
func (s *Store) read(ctx context.Context, what string, do func(tx *sql.Tx) error) error {
	return s.outcome(transact(ctx, s.db.Reader, s.db.Reading, what, do))
}

// write runs a transaction that is kept unless do fails; what says what it is for. If the context has a trail, who does it is kept with it.
func (s *Store) write(ctx context.Context, what string, do func(tx *sql.Tx) error) error {
	err := transact(ctx, s.db.Writer, nil, what, func(tx *sql.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		return keepTrail(ctx, tx)
	})
	if err == nil {
		service.TrailOf(ctx).Keep()
	}
	return s.outcome(err)
}

// outcome says of an error of the database whether it passes.
func (s *Store) outcome(err error) error {
	if err == nil || s.db.Passes == nil || service.KindOf(err) != service.Internal || !s.db.Passes(err) {
		return err
	}
	return &service.Error{Kind: service.Unavailable, Message: "The database cannot be reached at the moment.", Err: err}
}

func transact(ctx context.Context, db *sql.DB, opts *sql.TxOptions, what string, do func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("%s: begin: %w", what, err)
	}
	// After a commit this does nothing, and after a failure the transaction is gone whatever it says.
	defer func() { _ = tx.Rollback() }()
	if err := do(tx); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%s: commit: %w", what, err)
	}
	return nil
}

// affected is how many rows a statement has changed.
func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// orElse makes a row that is not there another error.
func orElse(err error, missing *service.Error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return missing
	}
	return err
}
