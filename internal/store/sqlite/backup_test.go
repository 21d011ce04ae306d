package sqlite_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/store/sqlite"
)

func TestBackup(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "spotter.db")
	db := openDB(t, path)
	s := newStore(t, db, nil)
	c := enrolled(t, s, 300)
	// With a change that has not been written to the end, which the copy must not have.
	tx, err := db.Writer().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), `UPDATE collections SET version = 'half'`); err != nil {
		t.Fatal(err)
	}
	copies := map[string]func(string) error{
		"by its owner":       func(to string) error { return db.Backup(t.Context(), to) },
		"by another process": func(to string) error { return sqlite.BackupFile(t.Context(), path, to) },
	}
	for name, backup := range copies {
		to := filepath.Join(folder, name)
		if err := backup(to); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := backup(to); !errors.Is(err, fs.ErrExist) {
			t.Fatalf("%s: the copy was overwritten: %v", name, err)
		}
		if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%s: %v, %v", name, info, err)
		}
		got, err := newStore(t, openDB(t, to), nil).Collection(t.Context(), "people")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, got); diff != "" {
			t.Fatalf("%s (-original +copy):\n%s", name, diff)
		}
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
}

func TestBackupOfAClosedDatabase(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spotter.db")
	db := openDB(t, path)
	enrolled(t, newStore(t, db, nil), 10)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.BackupFile(t.Context(), path, path+".copy"); err != nil {
		t.Fatal(err)
	}
	if c, err := newStore(t, openDB(t, path+".copy"), nil).Collection(t.Context(), "people"); err != nil || c.Faces != 10 {
		t.Fatalf("%+v: %v", c, err)
	}
}

func TestBackupOfNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	to := filepath.Join(folder, "copy")
	if err := sqlite.BackupFile(t.Context(), filepath.Join(folder, "absent.db"), to); err == nil {
		t.Fatal("a database was backed up that is not there")
	}
	db := openDB(t, filepath.Join(folder, "spotter.db"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Backup(ctx, to); err == nil {
		t.Fatal("backed up though cancelled")
	}
	left, err := filepath.Glob(filepath.Join(folder, "*copy*"))
	if err != nil || len(left) > 0 {
		t.Fatalf("a backup that failed left %q: %v", left, err)
	}
}
