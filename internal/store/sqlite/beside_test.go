package sqlite_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/sqlite"
)

func openBeside(t *testing.T, path string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.OpenBeside(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// TestOpenBeside has two write by turns, and go on when the other has closed.
func TestOpenBeside(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spotter.db")
	owner, beside := openDB(t, path), openBeside(t, path)
	stores := []service.Store{newStore(t, owner, nil), newStore(t, beside, nil)}
	create := func(s service.Store, n int) {
		t.Helper()
		if err := s.CreateKey(t.Context(), &service.AccessKey{ID: strconv.Itoa(n)}); err != nil {
			t.Fatal(err)
		}
		for _, s := range stores {
			if _, err := s.Key(t.Context(), strconv.Itoa(n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range 10 {
		create(stores[n%2], n)
	}
	if err := owner.Close(); err != nil {
		t.Fatal(err)
	}
	stores = stores[1:]
	create(stores[0], 10)
	owner = openDB(t, path) // nobody has it locked
	stores = []service.Store{newStore(t, owner, nil)}
	if err := beside.Close(); err != nil {
		t.Fatal(err)
	}
	create(stores[0], 11)
}

func TestOpenBesideRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		make func(t *testing.T, path string)
		want string
	}{
		"nothing":      {func(*testing.T, string) {}, "no such file"},
		"an empty one": {func(t *testing.T, path string) { t.Helper(); write(t, path, "") }, "start the server once"},
		"another file": {
			func(t *testing.T, path string) { t.Helper(); write(t, path, strings.Repeat("x", 1000)) },
			"not a database of Spotter",
		},
		"a newer version": {func(t *testing.T, path string) {
			t.Helper()
			execute(t, path, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`)
		}, "newer Spotter"},
		"an older version": {func(t *testing.T, path string) {
			t.Helper()
			execute(t, path, `DELETE FROM goose_db_version WHERE version_id > 0`)
		}, "older Spotter"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "spotter.db")
			test.make(t, path)
			_, before := os.Stat(path)
			db, err := sqlite.OpenBeside(t.Context(), path)
			if err == nil {
				t.Fatalf("opened, and closed with %v", db.Close())
			}
			if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("the error is %q, want it to say %q and the path", err, test.want)
			}
			if errors.Is(before, fs.ErrNotExist) != errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v, and opened with %v", before, err)
			}
			if _, after := os.Stat(path); (before == nil) != (after == nil) {
				t.Error("a file was made")
			}
		})
	}
}
