package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Backup writes the database as it is now into a new file (mode 0600), which can be opened like the original; others go on
// reading and writing meanwhile. A file that is there already is an error.
func (db *DB) Backup(ctx context.Context, path string) error {
	if err := backup(ctx, db.reader, path); err != nil {
		return fmt.Errorf("back up the database to %s: %w", path, err)
	}
	return nil
}

// BackupFile is [DB.Backup] of a database that this process has not opened; another one may have.
func BackupFile(ctx context.Context, from, to string) (err error) {
	from, err = filepath.Abs(from)
	if err != nil {
		return err
	}
	if _, err = checkOurs(ctx, from); err != nil {
		return fmt.Errorf("open database %s: %w", from, err)
	}
	reader, err := sql.Open("sqlite", reading(from))
	if err != nil {
		return fmt.Errorf("open database %s: %w", from, err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	if err = backup(ctx, reader, to); err != nil {
		return fmt.Errorf("back up database %s to %s: %w", from, to, err)
	}
	return nil
}

func backup(ctx context.Context, reader *sql.DB, path string) (err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return err
	}
	// SQLite fills an empty file; making it first keeps others from reading it, and an existing one from being touched.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // the path is the operator's
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	if _, err = reader.ExecContext(ctx, `VACUUM INTO $1`, path); err != nil {
		return err
	}
	return f.Sync()
}
