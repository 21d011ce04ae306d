package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables up to date.
func migrate(ctx context.Context, db *sql.DB) error {
	p, has, knows, err := versions(ctx, db)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate from version %d to %d: %w", has, knows, err)
	}
	return nil
}

// current refuses tables that are not up to date.
func current(ctx context.Context, db *sql.DB) error {
	_, has, knows, err := versions(ctx, db)
	if err == nil && has < knows {
		err = fmt.Errorf("it was written by an older Spotter (its tables are version %d, and this program needs %d): "+
			"start this program's server on it, which brings it up to date", has, knows)
	}
	return err
}

// versions says which version the tables have and which this program knows, and refuses tables that are newer.
func versions(ctx context.Context, db *sql.DB) (p *goose.Provider, has, knows int64, err error) {
	scripts, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, 0, 0, err
	}
	p, err = goose.NewProvider(goose.DialectSQLite3, db, scripts, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, 0, 0, fmt.Errorf("prepare migrations: %w", err)
	}
	has, knows, err = p.GetVersions(ctx)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("read the version of the tables: %w", err)
	}
	if has > knows {
		return nil, 0, 0, fmt.Errorf("it was written by a newer Spotter (its tables are version %d, and this program knows %d): "+
			"run the newer one, or restore a backup from before the upgrade", has, knows)
	}
	return p, has, knows, nil
}
