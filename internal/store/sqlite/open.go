package sqlite

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

// readers is how many connections read at once. A reader is held for the length of a query, and for that of loading a
// collection; each has a page cache of up to 8 MB.
const readers = 8

// DB is an open database. Safe for concurrent use.
type DB struct {
	writer, reader *sql.DB
	release        func() error

	closing  sync.Once
	closeErr error
}

// Open opens the database in a file, which is made if it is not there (mode 0600, in a folder that is), and brings its
// tables up to date. It fails if another process has it open, if it is of a newer version than this program's, or if it is
// something else; the errors say what to do.
func Open(ctx context.Context, path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db, err := open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return db, nil
}

func open(ctx context.Context, path string) (_ *DB, err error) {
	release, err := acquire(path + ".lock")
	if err != nil {
		return nil, err
	}
	db := &DB{release: release}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	if err = create(path); err != nil {
		return nil, err
	}
	empty, err := checkOurs(ctx, path)
	if err != nil {
		return nil, err
	}
	if empty {
		if err = claim(ctx, path); err != nil {
			return nil, err
		}
	}
	return db, db.connect(ctx, path, migrate)
}

// connect opens the connections. What prepare does to the tables comes before anybody reads them.
func (db *DB) connect(ctx context.Context, path string, prepare func(context.Context, *sql.DB) error) (err error) {
	if db.writer, err = openPool(writing(path)); err != nil {
		return err
	}
	db.writer.SetMaxOpenConns(1)
	if err = prepare(ctx, db.writer); err != nil {
		return err
	}
	if db.reader, err = openPool(reading(path)); err != nil {
		return err
	}
	db.reader.SetMaxOpenConns(readers)
	db.reader.SetMaxIdleConns(readers)
	return db.reader.PingContext(ctx)
}

// create makes an empty file that only its owner can read; SQLite gives the files beside it the same mode. It is an error
// if the file or its folder cannot be written: SQLite would find that out with the first change only.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the path is the operator's
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return writable(filepath.Dir(path))
}

// Check reads the whole database and says what is damaged in it; it takes some seconds for each gigabyte.
func (db *DB) Check(ctx context.Context) error {
	rows, err := db.reader.QueryContext(ctx, `PRAGMA quick_check(10)`)
	if err != nil {
		return fmt.Errorf("check database: %w", err)
	}
	defer rows.Close() //nolint:errcheck // Err says it
	var damage []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return fmt.Errorf("check database: %w", err)
		}
		if line != "ok" {
			damage = append(damage, line)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("check database: %w", err)
	}
	if len(damage) > 0 {
		return fmt.Errorf("the database is damaged: restore a backup of it (%s)", strings.Join(damage, "; "))
	}
	return nil
}

// Writer is the one connection that changes the database: whoever holds it keeps everybody else from writing.
func (db *DB) Writer() *sql.DB { return db.writer }

// Reader is connections that read.
func (db *DB) Reader() *sql.DB { return db.reader }

// Close closes the database and lets others open it. It may be called several times.
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
	// A row of a face has 2.2 KB for 512 values: pages of 4 KiB would be half empty (reference figure: 4.0 KB a face).
	pageSize = 16384
	// busyMillis is how long to wait for somebody who looks into the file with another program.
	busyMillis = 10_000
	// readerKiB is a reader's page cache: the upper levels of the tree of a million faces.
	readerKiB = 8 << 10
	// writerKiB is the writer's: it holds all pages that a request to enrol 4096 faces changes. Where they do not fit they are
	// written twice, which takes a fifth of the time that such a request needs.
	writerKiB = 64 << 10
	// logBytes is what the write-ahead log shrinks to after it had to grow while somebody was reading for long.
	logBytes = 64 << 20
)

func writing(path string) string {
	return dsn(path, url.Values{
		"_txlock": {"immediate"},
		"_pragma": {
			"journal_mode(WAL)",
			"synchronous(FULL)",
			"foreign_keys(ON)",
			"secure_delete(ON)", // what is deleted is overwritten: embeddings are personal data
			"journal_size_limit(" + strconv.Itoa(logBytes) + ")",
			"cache_size(-" + strconv.Itoa(writerKiB) + ")",
		},
	})
}

func reading(path string) string {
	return dsn(path, url.Values{
		"mode":    {"ro"},
		"_pragma": {"cache_size(-" + strconv.Itoa(readerKiB) + ")"},
	})
}

// dsn names a database by a URI, whose escapes make any file name possible.
func dsn(path string, q url.Values) string {
	q.Set("_busy_timeout", strconv.Itoa(busyMillis))
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	return u.String()
}
