package sqlitefile

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// migrate brings the tables up to date.
func (k *Kind) migrate(ctx context.Context, db *sql.DB) error {
	p, has, knows, err := k.versions(ctx, db)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate from version %d to %d: %w", has, knows, err)
	}
	return nil
}

// current refuses tables that are not up to date.
func (k *Kind) current(ctx context.Context, db *sql.DB) error {
	_, has, knows, err := k.versions(ctx, db)
	if err == nil && has < knows {
		err = fmt.Errorf("it was written by an older Spotter (its tables are version %d, and this program needs %d): %s",
			has, knows, k.Advice.Older)
	}
	return err
}

// versions says which version the tables have and which this program knows, and refuses tables that are newer.
func (k *Kind) versions(ctx context.Context, db *sql.DB) (p *goose.Provider, has, knows int64, err error) {
	scripts, err := fs.Sub(k.Migrations, "migrations")
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
		return nil, 0, 0, fmt.Errorf("it was written by a newer Spotter (its tables are version %d, and this program knows %d): %s",
			has, knows, k.Advice.Newer)
	}
	return p, has, knows, nil
}
