package sqlitefile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spotter-video/spotter/internal/outfile"
)

// Backup writes a file as it is now into a new one (mode 0600), which can be opened like the original. Whoever has it open goes
// on reading and writing meanwhile; without a write-ahead log, writing waits. A file that is there already is an error.
func (k *Kind) Backup(ctx context.Context, from, to string) (err error) {
	from, err = filepath.Abs(from)
	if err != nil {
		return err
	}
	if _, err = k.check(ctx, from); err != nil {
		return fmt.Errorf("open %s %s: %w", k.Noun, from, err)
	}
	reader, err := sql.Open("sqlite", k.reading(from))
	if err != nil {
		return fmt.Errorf("open %s %s: %w", k.Noun, from, err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	to, err = filepath.Abs(to)
	if err != nil {
		return err
	}
	if err = backup(ctx, reader, to); err != nil {
		return fmt.Errorf("back up %s %s to %s: %w", k.Noun, from, to, err)
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
