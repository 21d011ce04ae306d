package sqlitefile

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// keptStatements is how many statements a connection keeps: the server's store and queue have some 150 of a fixed text. Those whose text
// depends on a number of values, such as of ids, push out the ones that have not been used for longest.
const keptStatements = 256

// longStatement is the length in bytes from which a statement is not kept: it lists hundreds of values, which takes longer to do than
// to read, each number of values is another text, and one takes some 100 KB of memory.
const longStatement = 1024

// openPool opens connections that keep their statements. SQLite's driver reads the SQL anew each time that it is given some, which
// is about half of what a small statement costs; a [sql.Stmt] would help only those who hold one, and the queue's SQL is not ours.
func (k *Kind) openPool(dsn string) (*sql.DB, error) {
	bare, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	d := bare.Driver()
	if err := bare.Close(); err != nil { // it has opened nothing
		return nil, err
	}
	return sql.OpenDB(&pool{driver: d, dsn: dsn, kind: k}), nil
}

// pool makes the connections of a pool.
type pool struct {
	driver driver.Driver
	dsn    string
	kind   *Kind
}

// Driver is SQLite's.
func (c *pool) Driver() driver.Driver { return c.driver }

// Connect opens a connection.
func (c *pool) Connect(context.Context) (driver.Conn, error) {
	opened, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	full, ok := opened.(connection)
	if !ok {
		return nil, errors.Join(fmt.Errorf("SQLite's driver has another kind of connection: %T", opened), opened.Close())
	}
	k := &keeper{connection: full, kind: c.kind}
	k.kept, err = simplelru.NewLRU(keptStatements, func(_ string, s *statement) { s.drop() })
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return k, nil
}

// connection is what the driver's connections can do.
type connection interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keeper is a connection that keeps its statements. Like any [driver.Conn] it is used by one goroutine at a time.
type keeper struct {
	connection
	kind *Kind
	kept *simplelru.LRU[string, *statement]
}

// statement is one that has been read. While somebody reads its rows it is busy, and nobody else may use it.
type statement struct {
	readStatement
	busy, dropped bool
}

// readStatement is what the driver's statements can do.
type readStatement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// drop closes a statement that is kept no longer, once it is not busy.
func (s *statement) drop() {
	if s.dropped = true; !s.busy {
		_ = s.Close() // nothing was written by it that has not been told
	}
}

// release ends the use of a statement.
func (s *statement) release() error {
	if s.busy = false; s.dropped {
		return s.Close()
	}
	return nil
}

// take is a statement of this text that is not busy.
func (k *keeper) take(ctx context.Context, query string) (*statement, error) {
	before, known := k.kept.Get(query)
	if known && !before.busy {
		before.busy = true
		return before, nil
	}
	read, err := k.PrepareContext(ctx, query)
	if err != nil {
		return nil, k.kind.explain(err)
	}
	full, ok := read.(readStatement)
	if !ok {
		return nil, errors.Join(fmt.Errorf("SQLite's driver has another kind of statement: %T", read), read.Close())
	}
	once := known || len(query) >= longStatement // of two at once the second is not kept
	s := &statement{readStatement: full, busy: true, dropped: once}
	if !once {
		k.kept.Add(query, s)
	}
	return s, nil
}

// ExecContext runs a statement without rows.
func (k *keeper) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := k.take(ctx, query)
	if err != nil {
		return nil, err
	}
	result, err := s.ExecContext(ctx, args)
	return result, errors.Join(k.kind.explain(err), s.release())
}

// QueryContext runs a statement with rows, which is free again when they are closed.
func (k *keeper) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := k.take(ctx, query)
	if err != nil {
		return nil, err
	}
	r, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, errors.Join(k.kind.explain(err), s.release())
	}
	return &rows{r, s, k.kind}, nil
}

// BeginTx begins a transaction.
func (k *keeper) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := k.connection.BeginTx(ctx, o)
	if err != nil {
		return nil, k.kind.explain(err)
	}
	return transaction{tx, k.kind}, nil
}

// transaction is one whose end says what is wrong with the file.
type transaction struct {
	driver.Tx
	kind *Kind
}

// Commit ends it.
func (t transaction) Commit() error { return t.kind.explain(t.Tx.Commit()) }

// Close ends the connection and its statements.
func (k *keeper) Close() error {
	k.kept.Purge()
	return k.connection.Close()
}

// rows are those of a kept statement.
type rows struct {
	driver.Rows
	statement *statement
	kind      *Kind
}

// Next reads the next row.
func (r *rows) Next(to []driver.Value) error { return r.kind.explain(r.Rows.Next(to)) }

// Close ends them.
func (r *rows) Close() error { return errors.Join(r.Rows.Close(), r.statement.release()) }
