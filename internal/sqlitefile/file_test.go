package sqlitefile

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/spotter-video/spotter/internal/testkit/unprivileged"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

//go:embed testdata/migrations
var embedded embed.FS

// notes are the tables of the tests' kinds.
func notes() fs.FS {
	scripts, err := fs.Sub(embedded, "testdata")
	if err != nil {
		panic(err)
	}
	return scripts
}

// alone is a kind without a log, and logged one with it.
func alone() *Kind {
	return &Kind{
		Mark: 0x54657374, Name: "a file of notes", Noun: "notes", PageSize: 8192, Shrinks: true, WriterKiB: 1024, ReaderKiB: 512,
		Migrations: notes(),
		Advice:     Advice{Empty: "write a note first", Older: "open it once", Newer: "run the newer one", Damaged: "write it anew"},
	}
}

func logged() *Kind {
	k := alone()
	k.Mark, k.Log, k.Shrinks = k.Mark+1, true, false
	return k
}

func open(t *testing.T, how func() (*DB, error)) *DB {
	t.Helper()
	db, err := how()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, db) })
	return db
}

func opened(t *testing.T, k *Kind, path string) *DB {
	t.Helper()
	return open(t, func() (*DB, error) { return k.Open(t.Context(), path) })
}

func beside(t *testing.T, k *Kind, path string) *DB {
	t.Helper()
	return open(t, func() (*DB, error) { return k.OpenBeside(t.Context(), path) })
}

func closed(t *testing.T, db *DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func pragma(t *testing.T, db *sql.DB, name string) (value string) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), `PRAGMA `+name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestLayouts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		kind       *Kind
		want       map[string]string
		open, rest []string // the files that are there while it is open, and afterwards
	}{
		"alone": {
			alone(),
			map[string]string{"journal_mode": "delete", "auto_vacuum": "2", "busy_timeout": "120000"},
			[]string{"x", "x.lock"},
			[]string{"x"},
		},
		"with a log": {
			logged(),
			map[string]string{"journal_mode": "wal", "auto_vacuum": "0", "busy_timeout": "10000"},
			[]string{"x", "x-shm", "x-wal", "x.lock"},
			[]string{"x", "x.lock"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x")
			for range 2 {
				db := opened(t, test.kind, path)
				for name, want := range map[string]string{
					"page_size": "8192", "synchronous": "2", "foreign_keys": "1", "secure_delete": "1", "cache_size": "-1024",
					"application_id": strconv.Itoa(int(test.kind.Mark)),
				} {
					if got := pragma(t, db.Writer(), name); got != want {
						t.Errorf("%s is %s, want %s", name, got, want)
					}
				}
				for name, want := range test.want {
					if got := pragma(t, db.Writer(), name); got != want {
						t.Errorf("%s is %s, want %s", name, got, want)
					}
				}
				exec(t, db.Writer(), `INSERT INTO notes (text) VALUES (x'00')`)
				wantFiles(t, path, test.open)
				if _, err := test.kind.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "process "+strconv.Itoa(os.Getpid())+" has it open") {
					t.Errorf("opened twice: %v", err)
				}
				closed(t, db)
				wantFiles(t, path, test.rest)
			}
		})
	}
}

func wantFiles(t *testing.T, path string, want []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != strings.Join(want, " ") {
		t.Errorf("the folder has %s, want %s", got, want)
	}
}

// TestOpenBesideForReading: without a log nothing can be written, and what the other one writes is seen.
func TestOpenBesideForReading(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x")
	if _, err := alone().OpenBeside(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("without a file: %v", err)
	}
	owner := opened(t, alone(), path)
	db := beside(t, alone(), path)
	if db.Writer() != nil {
		t.Error("there is a connection that writes")
	}
	if _, err := db.Reader().ExecContext(t.Context(), `INSERT INTO notes (text) VALUES (x'00')`); err == nil {
		t.Error("a reader has written")
	}
	for want := 1; want <= 3; want++ {
		exec(t, owner.Writer(), `INSERT INTO notes (text) VALUES (x'00')`)
		var n int
		if err := db.Reader().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM notes`).Scan(&n); err != nil || n != want {
			t.Fatalf("%d notes, want %d: %v", n, want, err)
		}
	}
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestKindsRefuseEachOther(t *testing.T) {
	t.Parallel()
	for name, pair := range map[string][2]*Kind{"alone": {alone(), logged()}, "with a log": {logged(), alone()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x")
			closed(t, opened(t, pair[1], path))
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			const want = "not a file of notes: name another one"
			if _, err := pair[0].Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
				t.Errorf("opened: %v", err)
			}
			if _, err := pair[0].OpenBeside(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("opened beside: %v", err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was changed: %v", err)
			}
		})
	}
}

func TestAdvice(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ make, open, beside string }{
		"empty": {"", "", "it is empty: write a note first"},
		"older": {`DELETE FROM goose_db_version WHERE version_id > 0; DROP TABLE notes`, "", "needs 1): open it once"},
		"newer": {`INSERT INTO goose_db_version (version_id, is_applied) VALUES (7, 1)`, "knows 1): run the newer one", "knows 1): run the newer one"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x")
			if test.make == "" {
				if err := os.WriteFile(path, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			} else {
				db := opened(t, alone(), path)
				exec(t, db.Writer(), test.make)
				closed(t, db)
			}
			says := func(err error, want string) {
				t.Helper()
				if err == nil && want != "" || err != nil && (want == "" || !strings.Contains(err.Error(), want)) {
					t.Errorf("it says %v, want %q", err, want)
				}
			}
			if db, err := alone().OpenBeside(t.Context(), path); err == nil {
				closed(t, db)
				t.Error("opened beside")
			} else {
				says(err, test.beside)
			}
			db, err := alone().Open(t.Context(), path)
			if err == nil {
				closed(t, db)
			}
			says(err, test.open)
		})
	}
}

// cutShort makes a file as a process leaves it that was killed in a transaction which had begun to write: the notes are still 100 of one
// byte each.
func cutShort(t *testing.T, path string) {
	t.Helper()
	from := filepath.Join(t.TempDir(), "from")
	db := opened(t, alone(), from)
	exec(t, db.Writer(), `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100) INSERT INTO notes SELECT x, x'01' FROM c`)
	exec(t, db.Writer(), `PRAGMA cache_size = 5`)
	tx, err := db.Writer().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = tx.ExecContext(t.Context(), `UPDATE notes SET text = zeroblob(10000)`); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-journal"} {
		b, unread := os.ReadFile(from + suffix)
		if unread != nil {
			t.Fatal(unread)
		}
		if err = os.WriteFile(path+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err = tx.Rollback(); err != nil {
		t.Fatal(err)
	}
}

func TestWhatWasCutShort(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]func(*testing.T, *Kind, string) *DB{"open": opened, "beside": beside} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x")
			cutShort(t, path)
			if _, _, err := alone().look(t.Context(), alone().reading(path)); !errors.Is(err, errCutShort) {
				t.Fatalf("it was not cut short: %v", err)
			}
			db := how(t, alone(), path)
			var n, bytes int
			if err := db.Reader().QueryRowContext(t.Context(), `SELECT COUNT(*), SUM(length(text)) FROM notes`).Scan(&n, &bytes); err != nil || n != 100 || bytes != 100 {
				t.Errorf("%d notes of %d bytes: %v", n, bytes, err)
			}
			if err := db.Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestClosedFolder runs once more as a user without rights, whom folders can be closed to.
func TestClosedFolder(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		out, err := unprivileged.Run(t.Context(), t.Name())
		if unprivileged.Cannot(err) {
			t.Skipf("no process of another user can be started: %v", err)
		}
		if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
	k := alone()
	folder := t.TempDir()
	path, broken := filepath.Join(folder, "x"), filepath.Join(folder, "broken")
	db, err := k.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, db.Writer(), `INSERT INTO notes (text) VALUES (x'00')`)
	closed(t, db)
	cutShort(t, broken)
	for _, f := range []string{path, broken, broken + "-journal"} {
		if err := os.Chmod(f, 0o400); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(folder, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(folder, 0o700) })
	var n int
	if err := beside(t, k, path).Reader().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM notes`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d notes: %v", n, err)
	}
	if _, err := k.Open(t.Context(), path); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("opened for writing: %v", err)
	}
	if _, err := k.OpenBeside(t.Context(), broken); err == nil || !strings.Contains(err.Error(), "open it once where it may be written") {
		t.Errorf("one that was cut short: %v", err)
	}
}

// TestShrink makes the file smaller than half of what it was, in several steps.
func TestShrink(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x")
	size := func() int64 {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	db := opened(t, alone(), path)
	const notes = 3 * shrinkPages
	exec(t, db.Writer(), `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < $1) INSERT INTO notes SELECT x, zeroblob(7000) FROM c`, notes)
	before := size()
	exec(t, db.Writer(), `DELETE FROM notes WHERE n % 5 > 0`)
	if size() < before {
		t.Fatal("it is smaller already")
	}
	if err := db.Shrink(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := size(); after > before/4 {
		t.Errorf("it has %d bytes, had %d", after, before)
	}
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
	other := opened(t, logged(), path+"2")
	exec(t, other.Writer(), `INSERT INTO notes VALUES (1, zeroblob(100000))`)
	exec(t, other.Writer(), `DELETE FROM notes`)
	if err := other.Shrink(t.Context()); err != nil {
		t.Errorf("one that does not shrink: %v", err)
	}
}

// TestLockThatGoes has several lock a file that goes with the lock, one after another: never do two have it.
func TestLockThatGoes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.lock")
	var holding, times atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for times.Load() < 300 {
				release, err := acquire(path, true)
				if err != nil {
					if !strings.Contains(err.Error(), "has it open") {
						t.Error(err)
						return
					}
					continue
				}
				if n := holding.Add(1); n != 1 {
					t.Errorf("%d have it", n)
				}
				for range 5 {
					runtime.Gosched() // the others try meanwhile
				}
				times.Add(1)
				holding.Add(-1)
				if err := release(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
}

// TestALockOfAnother: who has lost the file of a lock does not take away that of the next one.
func TestALockOfAnother(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.lock")
	first, err := acquire(path, true)
	if err == nil {
		err = os.Remove(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	second, err := acquire(path, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := first(); err != nil {
		t.Error(err)
	}
	if _, err := acquire(path, true); err == nil {
		t.Error("a third has it")
	}
	if err := second(); err != nil {
		t.Error(err)
	}
}

// TestOneLockForAllNames: a file that is open has one lock, also for who comes by a link.
func TestOneLockForAllNames(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path, link := filepath.Join(folder, "x.db"), filepath.Join(folder, "link.db")
	if err := os.Symlink("x.db", link); err != nil {
		t.Fatal(err)
	}
	for _, k := range []*Kind{alone(), logged()} {
		db := open(t, func() (*DB, error) { return k.Open(t.Context(), path) })
		if second, err := k.Open(t.Context(), link); err == nil || !strings.Contains(err.Error(), "has it open") {
			t.Errorf("with a log %v: a second one: %v, %v", k.Log, second, err)
		}
		closed(t, db)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhatIsNoFile names a folder and a device.
func TestWhatIsNoFile(t *testing.T) {
	t.Parallel()
	for _, path := range []string{t.TempDir(), os.DevNull} {
		for _, how := range []func(context.Context, string) (*DB, error){alone().Open, alone().OpenBeside} {
			if db, err := how(t.Context(), path); err == nil || !strings.Contains(err.Error(), path+": it is not a file: name another one") {
				t.Errorf("%s: %v, %v", path, db, err)
			}
		}
	}
}

// TestDamageIsExplained cuts a file off, and changes pages of one that is open.
func TestDamageIsExplained(t *testing.T) {
	t.Parallel()
	for _, k := range []*Kind{alone(), logged()} {
		path := filepath.Join(t.TempDir(), "x.db")
		db := open(t, func() (*DB, error) { return k.Open(t.Context(), path) })
		exec(t, db.Writer(), `INSERT INTO notes (text) VALUES (zeroblob(1000000))`)
		closed(t, db)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err = os.WriteFile(path, whole[:len(whole)/2], 0o600); err != nil {
			t.Fatal(err)
		}
		if db, err = k.OpenBeside(t.Context(), path); err == nil || !strings.Contains(err.Error(), "the notes is damaged: write it anew") {
			t.Errorf("half of it: %v, %v", db, err)
		}
		clear(whole[len(whole)/2:])
		if err = os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		db = open(t, func() (*DB, error) { return k.OpenBeside(t.Context(), path) })
		var n int
		err = db.Reader().QueryRowContext(t.Context(), `SELECT SUM(length(text) + instr(text, 'x')) FROM notes`).Scan(&n)
		if err == nil || !strings.Contains(err.Error(), "the notes is damaged: write it anew") {
			t.Errorf("without pages: %v", err)
		}
	}
}
