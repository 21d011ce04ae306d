package sqlite_test

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/sqlite"
	"github.com/spotter-video/spotter/internal/store/storetest"
)

func TestOpenMakesFilesOfTheOwnerOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spotter.db")
	s := newStore(t, openDB(t, path), nil)
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm", path + ".lock"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o, want 600", filepath.Base(name), mode)
		}
	}
}

func TestOpenSetsTheDatabaseUp(t *testing.T) {
	t.Parallel()
	db := openDB(t, filepath.Join(t.TempDir(), "spotter.db"))
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "page_size": "16384", "busy_timeout": "10000",
		"secure_delete": "1", "application_id": strconv.Itoa(0x53706f74),
	} {
		var got string
		if err := db.Writer().QueryRowContext(t.Context(), `PRAGMA `+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, want %s: %v", pragma, got, want, err)
		}
	}
}

func TestDeletedFacesAreOverwritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spotter.db")
	db := openDB(t, path)
	s := newStore(t, db, nil)
	c := &service.Collection{ID: "people"}
	if err := s.CreateCollection(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	vector := make([]float32, 512)
	for i := range vector {
		vector[i] = 0x1.23456p-4
	}
	f := service.NewFace{Vector: vector, Code: []byte("what a gallery keeps")}
	f.ID = face.ID{1}
	if _, err := s.AddFaces(t.Context(), c.Serial, []service.NewFace{f}, 10); err != nil {
		t.Fatal(err)
	}
	trace := binary.LittleEndian.AppendUint32(nil, math.Float32bits(vector[0]))
	holds := func(trace []byte) bool {
		t.Helper()
		if _, err := db.Writer().ExecContext(t.Context(), `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(content, trace)
	}
	if !holds(trace) || !holds(f.Code) {
		t.Fatal("an enrolled face is not in the file")
	}
	if _, _, err := s.DeleteFaces(t.Context(), c.Serial, []face.ID{f.ID}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if holds(trace) || holds(f.Code) {
		t.Error("the embedding of a deleted face is still in the file")
	}
}

// before makes a database as an earlier version has left it, and gives the file.
func before(t *testing.T, version int, statements ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spotter.db")
	db, err := sqlite.OpenAt(t.Context(), path, version)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.Writer().ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOpenBringsTheFirstTablesUpToDate opens a database with the tables of the first version, and a face of a user in them.
func TestOpenBringsTheFirstTablesUpToDate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spotter.db")
	first, err := os.ReadFile("migrations/0001_first.sql")
	if err != nil {
		t.Fatal(err)
	}
	before, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = before.ExecContext(t.Context(), string(first)+`;
		PRAGMA application_id = 0x53706f74;
		CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL,
			is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')));
		INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1);
		INSERT INTO collections (id, model, version, created, faces, users) VALUES ('people', 'm', '1', 1, 2, 1);
		INSERT INTO users (collection, id, faces) VALUES (1, 'ann', 1);
		INSERT INTO faces (collection, id, image, external_id, version, owner, seen, vector) VALUES
			(1, unhex('00000000000000000000000000000001'), zeroblob(16), 'x', '1', NULL, zeroblob(80), zeroblob(16)),
			(1, unhex('00000000000000000000000000000002'), zeroblob(16), 'x', '1', 'ann', zeroblob(80), zeroblob(16))`)
	if err = errors.Join(err, before.Close()); err != nil {
		t.Fatal(err)
	}
	s, ctx := newStore(t, openDB(t, path), nil), t.Context()
	codes, last, err := s.Codes(ctx, 1, nil, 5, 10)
	if err != nil || last != nil || len(codes) != 0 {
		t.Fatalf("codes of faces from before there were any: %q, %v, %v", codes, last, err)
	}
	one, two := face.ID{15: 1}, face.ID{15: 2}
	must(t, s.SetCodes(ctx, 1, []service.Code{{ID: one, Data: []byte("12345")}}))
	if codes, last, err = s.Codes(ctx, 1, nil, 5, 10); err != nil || string(codes) != "12345" || *last != one {
		t.Fatalf("codes: %q, %v, %v", codes, last, err)
	}
	ch, err := s.Changes(ctx, 1, 0, 10)
	if err != nil || ch.Latest != 0 || ch.Total != 2 || len(ch.Faces) != 0 || ch.Lost {
		t.Fatalf("changes from before there were numbers: %+v, %v", ch, err)
	}
	if c, failed := s.Collection(ctx, "people"); failed != nil || c.Digest.Without == 0 {
		t.Fatalf("two faces from before there were digests are in %+v: %v", c, failed)
	}
	ann, err := s.User(ctx, 1, "ann")
	must(t, err)
	must(t, s.Disassociate(ctx, 1, ann, []face.ID{two}, nil))
	if ch, err = s.Changes(ctx, 1, 0, 10); err != nil || ch.Latest != 1 || len(ch.Faces) != 1 || ch.Faces[0].ID != two {
		t.Fatalf("changes: %+v, %v", ch, err)
	}
}

// TestOlderPrograms has one from before there were digests change the database, before this one opens it and afterwards.
func TestOlderPrograms(t *testing.T) {
	t.Parallel()
	path := before(t, 7,
		`INSERT INTO collections (id, model, version, created, faces, changes) VALUES ('old', 'm', '1', 1, 1, 3)`,
		`INSERT INTO faces (collection, id, image, external_id, version, seen, vector, changed) VALUES
			(1, unhex('00000000000000000000000000000001'), zeroblob(16), 'x', '1', zeroblob(80), zeroblob(16), 3)`)
	db := openDB(t, path)
	s := newStore(t, db, nil)
	c, err := s.Collection(t.Context(), "old")
	if err != nil || c.Digest != (service.Digest{Without: 3}) {
		t.Fatalf("%+v: %v", c, err)
	}
	storetest.BesideOlder(t, s, func(statement string) {
		if _, err := db.Writer().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	})
}

func TestOpenKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	// Characters that mean something in a URI.
	path := filepath.Join(t.TempDir(), "a b?mode=memory&x#%41ü.db")
	var serial service.Serial
	for range 2 {
		db := openDB(t, path)
		s := newStore(t, db, nil)
		c, err := s.Collection(t.Context(), "people")
		if service.KindOf(err) == service.NotFound && serial == 0 {
			c = &service.Collection{ID: "people"}
			err = s.CreateCollection(t.Context(), c)
			serial = c.Serial
		}
		if err != nil || c.Serial != serial {
			t.Fatalf("collection %d, was %d: %v", c.Serial, serial, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		make func(t *testing.T, path string)
		want string
	}{
		{"a database that is open", func(t *testing.T, path string) {
			t.Helper()
			openDB(t, path)
		}, "process " + strconv.Itoa(os.Getpid()) + " has it open: stop that one first"},
		{"a newer version", func(t *testing.T, path string) {
			t.Helper()
			execute(t, path, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`)
		}, "written by a newer Spotter (its tables are version 999"},
		{"a database of another program", func(t *testing.T, path string) {
			t.Helper()
			execute(t, path, `PRAGMA application_id = 0`)
		}, "not a database of Spotter"},
		{"another file", func(t *testing.T, path string) {
			t.Helper()
			write(t, path, strings.Repeat("a letter to a friend ", 1000))
		}, "not a database of Spotter"},
		{"a short file", func(t *testing.T, path string) {
			t.Helper()
			write(t, path, "hello")
		}, "not a database of Spotter"},
		{"a folder", func(t *testing.T, path string) {
			t.Helper()
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "open database"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "spotter.db")
			test.make(t, path)
			before, _ := os.ReadFile(path)
			db, err := sqlite.Open(t.Context(), path)
			if err == nil {
				t.Fatalf("opened, and closed with %v", db.Close())
			}
			if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Fatalf("the error is %q, want it to say %q and the path", err, test.want)
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Fatal("the file was changed")
			}
		})
	}
}

func TestOpenInAFolderThatIsNotThere(t *testing.T) {
	t.Parallel()
	if _, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "absent", "spotter.db")); err == nil {
		t.Fatal("opened")
	}
}

func TestOpenAfterClose(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spotter.db")
	for range 3 {
		db := openDB(t, path)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatalf("the second time: %v", err)
		}
	}
}

// execute runs a statement in a database of Spotter.
func execute(t *testing.T, path, statement string) {
	t.Helper()
	db := openDB(t, path)
	if _, err := db.Writer().ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCloseUnlocks opens a database again while a child, which is just being started, still has all files of this process.
func TestCloseUnlocks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spotter.db")
	db := openDB(t, path)
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("the files that are open cannot be listed: %v", err)
	}
	held := 0
	for _, f := range files {
		name, gone := os.Readlink(filepath.Join("/proc/self/fd", f.Name()))
		if gone != nil || name != path+".lock" {
			continue
		}
		fd, wrong := strconv.Atoi(f.Name())
		if wrong != nil {
			t.Fatal(wrong)
		}
		again, wrong := unix.Dup(fd)
		if wrong != nil {
			t.Fatal(wrong)
		}
		t.Cleanup(func() { _ = unix.Close(again) })
		held++
	}
	if held == 0 {
		t.Fatal("the lock's file is not open")
	}
	if err = db.Close(); err != nil {
		t.Fatal(err)
	}
	openDB(t, path)
}

// TestCheckFindsDamage overwrites pages in the middle of a database.
func TestCheckFindsDamage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spotter.db")
	db := openDB(t, path)
	if err := db.Check(t.Context()); err != nil {
		t.Fatalf("a new one: %v", err)
	}
	if _, err := db.Writer().ExecContext(t.Context(), `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 16384
	for n := 4; n < len(content)/page; n++ { // the first hold what is read when it is opened
		copy(content[n*page:], bytes.Repeat([]byte{0xff}, 100))
	}
	if err = os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	damaged, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatalf("it is not opened at all: %v", err)
	}
	t.Cleanup(func() { _ = damaged.Close() })
	if err := damaged.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "restore a backup") {
		t.Errorf("a damaged one: %v", err)
	}
}
