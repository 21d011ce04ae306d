package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spotter-video/spotter/internal/outfile"
)

// BackupFile writes a database as it is now into a new file (mode 0600), which can be opened like the original. Whoever has
// the database open goes on reading and writing meanwhile. A file that is there already is an error.
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
	to, err = filepath.Abs(to)
	if err != nil {
		return err
	}
	if err = backup(ctx, reader, to); err != nil {
		return fmt.Errorf("back up database %s to %s: %w", from, to, err)
	}
	return nil
}

// backup writes beside the file and gives it its name at the end: what a killed process leaves cannot be taken for a backup.
func backup(ctx context.Context, reader *sql.DB, path string) error {
	place, err := outfile.New(path)
	if err != nil {
		return err
	}
	f, err := place.Create() // SQLite fills an empty file; making it first keeps others from reading it
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err = reader.ExecContext(ctx, `VACUUM INTO $1`, f.Name()); err != nil {
		return err
	}
	return f.Commit()
}
