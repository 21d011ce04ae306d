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
	if _, err = tx.ExecContext(t.Context(), `UPDATE collections SET version = 'half'`); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(folder, "copy")
	if err = sqlite.BackupFile(t.Context(), path, to); err != nil {
		t.Fatal(err)
	}
	if err = sqlite.BackupFile(t.Context(), path, to); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("the copy was overwritten: %v", err)
	}
	if info, failed := os.Stat(to); failed != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, failed)
	}
	got, err := newStore(t, openDB(t, to), nil).Collection(t.Context(), "people")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, got); diff != "" {
		t.Fatalf("-original +copy:\n%s", diff)
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
	path := filepath.Join(folder, "spotter.db")
	openDB(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sqlite.BackupFile(ctx, path, to); err == nil {
		t.Fatal("backed up though cancelled")
	}
	left, err := filepath.Glob(filepath.Join(folder, "*copy*"))
	if err != nil || len(left) > 0 {
		t.Fatalf("a backup that failed left %q: %v", left, err)
	}
}
