package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	if err = backup(ctx, reader, to); err != nil {
		return fmt.Errorf("back up database %s to %s: %w", from, to, err)
	}
	return nil
}

// backup writes beside the file and gives it its name at the end: what a killed process leaves cannot be taken for a backup.
func backup(ctx context.Context, reader *sql.DB, path string) (err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return err
	}
	if _, err = os.Lstat(path); err == nil {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	// SQLite fills an empty file; making it first keeps others from reading it.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*.partial") // with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		gone := os.Remove(f.Name())
		if errors.Is(gone, fs.ErrNotExist) {
			gone = nil // it has its name
		}
		err = errors.Join(err, f.Close(), gone)
	}()
	if _, err = reader.ExecContext(ctx, `VACUUM INTO $1`, f.Name()); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	return name(f.Name(), path)
}

// name gives a file its name. Unlike a rename, a link never takes the place of another file; but not every disk that
// backups are kept on knows links.
func name(temporary, path string) error {
	err := os.Link(temporary, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Rename(temporary, path)
}
