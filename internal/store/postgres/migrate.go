package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of a database up to date, or makes them; also makes what else needs to be beside them. Of several processes one does
// it and the others wait, after a call of waiting. It says which version the tables had and have now.
func Migrate(ctx context.Context, where string, waiting func(), also func(context.Context, *DB) error) (from, to int64, err error) {
	db, err := open(ctx, where)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	done, err := db.takeTurn(ctx, waiting)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, done()) }()
	p, err := db.provider()
	if err != nil {
		return 0, 0, err
	}
	if from, to, err = p.GetVersions(ctx); err != nil {
		return 0, 0, fmt.Errorf("read the version of the tables: %w", err)
	}
	if from >= to { // a newer program's tables are not touched
		return from, from, errors.Join(db.compatible(ctx), also(ctx, db))
	}
	if _, err = p.Up(ctx); err != nil {
		return from, to, fmt.Errorf("migrate from version %d to %d: %w", from, to, err)
	}
	return from, to, also(ctx, db)
}

// turn is the advisory lock of whoever changes tables: 'Spot'.
const turn = 0x53706f74

// takeTurn waits until nobody else changes tables. A process that dies loses its turn with its connection.
func (db *DB) takeTurn(ctx context.Context, waiting func()) (done func() error, err error) {
	conn, err := db.sql.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("wait for the turn to migrate: %w", err)
	}
	var mine bool
	if err = conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, turn).Scan(&mine); err == nil && !mine {
		waiting()
		_, err = conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, turn)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("wait for the turn to migrate: %w", err), conn.Close())
	}
	return func() error {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, turn)
		return errors.Join(err, conn.Close())
	}, nil
}

// provider runs the migrations.
func (db *DB) provider() (*goose.Provider, error) {
	scripts, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db.sql, scripts, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("prepare migrations: %w", err)
	}
	return p, nil
}

// knows is the version of the tables that this program makes.
func knows() (int64, error) {
	list, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	return goose.NumericComponent(list[len(list)-1]) // there is one at least
}

// compatible refuses tables that this program cannot work with.
func (db *DB) compatible(ctx context.Context) error {
	known, err := knows()
	if err != nil {
		return err
	}
	var has, needs int64
	err = db.sql.QueryRowContext(ctx, `SELECT (SELECT MAX(version_id) FROM goose_db_version WHERE is_applied), needs FROM compatibility`).Scan(&has, &needs)
	switch {
	case missing(err):
		return errors.New("the database has no tables of Spotter's yet: run 'spotter migrate' once")
	case err != nil:
		return fmt.Errorf("read the version of the tables: %w", err)
	case has < known:
		return fmt.Errorf("the tables are of an older Spotter (version %d, and this program needs %d): run 'spotter migrate', beside older servers "+
			"if some run", has, known)
	case needs > known:
		return fmt.Errorf("the tables are of a newer Spotter (programs must know version %d, and this one knows %d): run the newer one", needs, known)
	}
	return nil
}

// missing says whether a table is not there.
func missing(err error) bool {
	e := (*pgconn.PgError)(nil)
	return errors.As(err, &e) && e.Code == "42P01"
}
