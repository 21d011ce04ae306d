package sqlitefile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver
)

// readers is how many connections read at once. Each has a page cache of its own.
const readers = 8

// DB is an open file. Safe for concurrent use.
type DB struct {
	kind           *Kind
	writer, reader *sql.DB
	release        func() error

	closing  sync.Once
	closeErr error
}

// Open opens a file, which is made if it is not there (mode 0600, in a folder that is), and brings its tables up to date. It
// fails if another process has it open for writing, if it is of a newer version than this program's, or if it is something
// else; the errors say what to do.
func (k *Kind) Open(ctx context.Context, path string) (*DB, error) {
	return k.opened(ctx, path, k.open)
}

// opened names the file in the error of an attempt to open it.
func (k *Kind) opened(ctx context.Context, path string, open func(context.Context, string) (*DB, error)) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", k.Noun, err)
	}
	db, err := open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open %s %s: %w", k.Noun, path, err)
	}
	return db, nil
}

func (k *Kind) open(ctx context.Context, path string) (_ *DB, err error) {
	if path, err = target(path); err != nil {
		return nil, err
	}
	release, err := acquire(path+".lock", !k.Log)
	if err != nil {
		return nil, err
	}
	db := &DB{kind: k, release: release}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	if err = create(path); err != nil {
		return nil, err
	}
	empty, err := k.check(ctx, path)
	if err != nil {
		return nil, err
	}
	if empty {
		if err = k.claim(ctx, path); err != nil {
			return nil, err
		}
	}
	if err = db.connectWriter(ctx, path, k.migrate); err != nil {
		return nil, err
	}
	return db, db.connectReader(ctx, path)
}

// connectWriter opens the connection that writes. What prepare does to the tables comes before anybody reads them.
func (db *DB) connectWriter(ctx context.Context, path string, prepare func(context.Context, *sql.DB) error) (err error) {
	if db.writer, err = db.kind.openPool(db.kind.writing(path)); err != nil {
		return err
	}
	db.writer.SetMaxOpenConns(1)
	return prepare(ctx, db.writer)
}

func (db *DB) connectReader(ctx context.Context, path string) (err error) {
	if db.reader, err = db.kind.openPool(db.kind.reading(path)); err != nil {
		return err
	}
	db.reader.SetMaxOpenConns(readers)
	db.reader.SetMaxIdleConns(readers)
	return db.reader.PingContext(ctx)
}

// target is the file that a path leads to by links, so that it has one lock whatever it is called by; the path itself where there is no
// file yet. One that is no regular file is an error: SQLite says nothing of it that helps.
func target(path string) (string, error) {
	if file, err := filepath.EvalSymlinks(path); err == nil {
		path = file
	}
	return path, regular(path)
}

// regular refuses folders, devices and the like.
func regular(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return errors.New("it is not a file: name another one")
	}
	return nil
}

// create makes an empty file that only its owner can read; SQLite gives the files beside it the same mode. It is an error
// if the file or its folder cannot be written: SQLite would find that out with the first change only. A file that is there is
// not opened: when it is closed, the system would take away the locks that other connections of this process have on it.
func create(path string) error {
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		err = changeable(path)
		if err != nil {
			return err
		}
		return writable(filepath.Dir(path))
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the path is the operator's
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return writable(filepath.Dir(path))
}

// Check reads the whole file and says what is damaged in it; it takes some seconds for each gigabyte.
func (db *DB) Check(ctx context.Context) error {
	rows, err := db.reader.QueryContext(ctx, `PRAGMA quick_check(10)`)
	if err != nil {
		return fmt.Errorf("check %s: %w", db.kind.Noun, err)
	}
	defer rows.Close() //nolint:errcheck // Err says it
	var damage []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return fmt.Errorf("check %s: %w", db.kind.Noun, err)
		}
		if line != "ok" {
			damage = append(damage, line)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("check %s: %w", db.kind.Noun, err)
	}
	if len(damage) > 0 {
		return fmt.Errorf("the %s is damaged: %s (%s)", db.kind.Noun, db.kind.Advice.Damaged, strings.Join(damage, "; "))
	}
	return nil
}

// Writer is the one connection that changes the file: whoever holds it keeps everybody else from writing. It is nil if the
// file was opened for reading only.
func (db *DB) Writer() *sql.DB { return db.writer }

// Reader is connections that read.
func (db *DB) Reader() *sql.DB { return db.reader }

// Close closes the file and lets others open it. It may be called several times.
func (db *DB) Close() error {
	db.closing.Do(func() {
		for _, pool := range []*sql.DB{db.reader, db.writer} {
			if pool != nil {
				db.closeErr = errors.Join(db.closeErr, pool.Close())
			}
		}
		db.closeErr = errors.Join(db.closeErr, db.release())
	})
	return db.closeErr
}

const (
	// busyMillis is how long to wait for somebody who looks into the file with another program.
	busyMillis = 10_000
	// waitMillis is how long where those who read and the one who writes wait for each other: the longest that they hold a
	// file is for a large deletion, on a slow network.
	waitMillis = 120_000
	// logBytes is what the write-ahead log shrinks to after it had to grow while somebody was reading for long.
	logBytes = 64 << 20
)

// writing is the name of a file for a connection that writes.
func (k *Kind) writing(path string) string {
	pragmas := []string{
		"synchronous(FULL)",
		"foreign_keys(ON)",
		"secure_delete(ON)", // what is deleted is overwritten: embeddings are personal data
		cache(k.WriterKiB),
	}
	if k.Log {
		pragmas = append(pragmas, "journal_mode(WAL)", "journal_size_limit("+strconv.Itoa(logBytes)+")")
	} else {
		pragmas = append(pragmas, "journal_mode(DELETE)")
	}
	return k.dsn(path, url.Values{"_txlock": {"immediate"}, "_pragma": pragmas})
}

// reading is the name of a file for a connection that reads.
func (k *Kind) reading(path string) string {
	return k.dsn(path, url.Values{"mode": {"ro"}, "_pragma": {cache(k.ReaderKiB)}})
}

func cache(kib int) string { return "cache_size(-" + strconv.Itoa(kib) + ")" }

// dsn names a file by a URI, whose escapes make any file name possible.
func (k *Kind) dsn(path string, q url.Values) string {
	wait := waitMillis
	if k.Log {
		wait = busyMillis
	}
	q.Set("_busy_timeout", strconv.Itoa(wait))
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	return u.String()
}
