package sqlite

import (
	"context"
	"database/sql"

	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/internal/sqlstore"
)

// Enqueue hands tasks to the job queue within the transaction that makes them necessary; its error undoes this. It must use
// the transaction only: there is no second connection that writes.
type Enqueue func(ctx context.Context, tx *sql.Tx, tasks []service.Task) error

// Store implements [service.Store]. Safe for concurrent use.
type Store struct{ *sqlstore.Store }

// New makes the store of a database. Closing it closes the database.
func New(db *DB, enqueue Enqueue) *Store {
	return &Store{sqlstore.New(config(db, sqlstore.Enqueue(enqueue)))}
}

func config(db *DB, enqueue sqlstore.Enqueue) sqlstore.Config {
	return sqlstore.Config{
		Writer: db.Writer(), Reader: db.Reader(), Enqueue: enqueue, Close: db.Close, Clock: `CAST(unixepoch('subsec') * 1000 AS INTEGER)`,
	}
}
