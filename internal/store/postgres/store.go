package postgres

import (
	"context"
	"crypto/rand"
	"database/sql"

	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/internal/sqlstore"
)

// Enqueue hands tasks to the job queue within the transaction that makes them necessary; its error undoes this.
type Enqueue func(ctx context.Context, tx *sql.Tx, tasks []service.Task) error

// Store implements [service.Store]. Safe for concurrent use.
type Store struct{ *sqlstore.Store }

// New makes the store of a database. Closing it closes the database.
func New(db *DB, enqueue Enqueue) *Store {
	return &Store{sqlstore.New(sqlstore.Config{
		Writer: db.sql, Reader: db.sql, Reading: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		Enqueue: sqlstore.Enqueue(enqueue), Close: db.Close, Passes: passes,
		Claimant: rand.Text(), Clock: `(extract(epoch FROM clock_timestamp()) * 1000)::BIGINT`,
	})}
}
