package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// oldest is the oldest server that is supported, as PostgreSQL numbers its releases: 14.
	oldest = 140000
	// usualConns is how many connections a process opens at most where the URL says nothing (pool_max_conns): enough for eight readers
	// and as many tasks. A server of default settings takes a hundred.
	usualConns = 16
	// leastConns is how many it needs: whoever migrates holds one while others do the work.
	leastConns = 2
	// reach is how long a connection may take to be made.
	reach = 10 * time.Second
	// cutOff is after how long the server ends a transaction that does nothing, as one of a process that was stopped or cut off does: what it
	// has locked, others wait for. The longest pause within one is while a page of rows is being worked on.
	cutOff = time.Minute
	// unheard is how long a connection may be silent, or what was sent unanswered, before it counts as broken.
	unheard = 15 * time.Second
)

// DB is an open database. Safe for concurrent use.
type DB struct {
	pool, listener *pgxpool.Pool
	sql            *sql.DB
}

// Open opens the database at a URL or in libpq's words, whose tables must be there; see [Migrate]. The errors say what to do. A password may come from
// PGPASSWORD or the file PGPASSFILE names, as with libpq.
func Open(ctx context.Context, where string) (*DB, error) {
	db, err := open(ctx, where)
	if err != nil {
		return nil, err
	}
	if err := db.compatible(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func open(ctx context.Context, where string) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(where)
	if err != nil {
		return nil, fmt.Errorf("the database's URL: %w (wanted is postgres://USER@HOST:PORT/DATABASE)", unnamed(err))
	}
	name := cfg.ConnConfig.Database + " at " + cfg.ConnConfig.Host
	if cfg.MaxConns, err = mostConns(where, cfg.MaxConns); err != nil {
		return nil, err
	}
	prepare(cfg)
	db := new(DB)
	if db.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, fmt.Errorf("open database %s: %w", name, err)
	}
	listening := cfg.Copy()
	listening.MinConns, listening.MaxConns = 0, 1 // who listens takes the connection away from its pool
	if db.listener, err = pgxpool.NewWithConfig(ctx, listening); err != nil {
		db.pool.Close()
		return nil, fmt.Errorf("open database %s: %w", name, err)
	}
	db.sql = stdlib.OpenDBFromPool(db.pool)
	if err = db.supported(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", name, err), db.Close())
	}
	return db, nil
}

// mostConns is how many connections a process opens at most: what the URL says, where it says something, which is parsed already.
func mostConns(where string, parsed int32) (int32, error) {
	cfg, err := pgconn.ParseConfig(where)
	if err != nil {
		return 0, fmt.Errorf("the database's URL: %w", unnamed(err))
	}
	switch _, said := cfg.RuntimeParams["pool_max_conns"]; {
	case !said:
		return max(parsed, usualConns), nil
	case parsed < leastConns:
		return 0, fmt.Errorf("the database's URL: pool_max_conns is %d, and at least %d are needed", parsed, leastConns)
	default:
		return parsed, nil
	}
}

// prepare sets what the URL leaves open.
func prepare(cfg *pgxpool.Config) {
	if cfg.ConnConfig.ConnectTimeout == 0 || cfg.ConnConfig.ConnectTimeout > reach {
		cfg.ConnConfig.ConnectTimeout = reach
	}
	set := func(key, value string) {
		if _, said := cfg.ConnConfig.RuntimeParams[key]; !said {
			cfg.ConnConfig.RuntimeParams[key] = value
		}
	}
	set("application_name", "spotter")
	// Whatever a role or a database has for its default, a commit that was answered is on a disk.
	set("synchronous_commit", "on")
	// Who has waited for a row's lock sees what the other one has done, instead of failing.
	set("default_transaction_isolation", "read committed")
	set("idle_in_transaction_session_timeout", milliseconds(cutOff))
	set("tcp_user_timeout", milliseconds(unheard))
	set("timezone", "UTC")
	cfg.ConnConfig.DialFunc = dialer().DialContext
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// unnamed is an error without the URL, in which there may be a password.
func unnamed(err error) error {
	if e := (*pgconn.ParseConfigError)(nil); errors.As(err, &e) && e.Unwrap() != nil {
		return e.Unwrap()
	}
	return err
}

func (db *DB) supported(ctx context.Context) error {
	var version int
	if err := db.sql.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return err
	}
	if version < oldest {
		return fmt.Errorf("the server is PostgreSQL %d, and %d or newer is needed", version/10000, oldest/10000)
	}
	var encoding string
	if err := db.sql.QueryRowContext(ctx, `SELECT current_setting('server_encoding')`).Scan(&encoding); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("the database's encoding is %s, and UTF8 is needed: make another one with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0", encoding)
	}
	return nil
}

// Fill puts rows into the database in bulk, in one transaction.
func (db *DB) Fill(ctx context.Context, do func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error {
		// Whoever fills it may be busy elsewhere for longer.
		if _, err := tx.Exec(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0`); err != nil {
			return err
		}
		return do(tx)
	})
}

// SQL is the database for whoever keeps rows of his own in it.
func (db *DB) SQL() *sql.DB { return db.sql }

// Listener makes the connections on which the server's notifications are waited for.
func (db *DB) Listener() *pgxpool.Pool { return db.listener }

// Close closes the database. It may be called several times.
func (db *DB) Close() error {
	err := db.sql.Close()
	db.listener.Close()
	db.pool.Close()
	return err
}
