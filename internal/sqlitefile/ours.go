package sqlitefile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// check refuses a file that is no SQLite file, and one that another program has written. It says whether it is still empty,
// and changes nothing in it.
func (k *Kind) check(ctx context.Context, path string) (empty bool, err error) {
	tables, mark, err := k.look(ctx, k.reading(path))
	if errors.Is(err, errCutShort) && !k.Log {
		// A process was killed while it wrote. The first who may write puts back what was there before.
		tables, mark, err = k.look(ctx, k.dsn(path, url.Values{"mode": {"rw"}}))
	}
	switch {
	case errors.Is(err, errCutShort):
		return false, errors.New("its last change was cut short: open it once where it may be written, which undoes that")
	case errors.Is(err, errNone), err == nil && mark != int64(k.Mark) && (tables > 0 || mark != 0):
		return false, fmt.Errorf("the file is not %s: name another one, or move it away", k.Name)
	}
	return tables == 0, err
}

var (
	errNone     = errors.New("it is no SQLite file")
	errCutShort = errors.New("its last change was cut short")
)

// look says how many tables and indexes a file has, and its mark.
func (k *Kind) look(ctx context.Context, dsn string) (tables, mark int64, err error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM sqlite_schema), application_id
		FROM pragma_application_id`).Scan(&tables, &mark)
	if e := (*driver.Error)(nil); errors.As(err, &e) {
		switch {
		case e.Code()&0xff == codes.SQLITE_NOTADB:
			err = errNone
		case e.Code() == codes.SQLITE_READONLY_ROLLBACK:
			err = errCutShort
		}
	}
	return tables, mark, k.explain(err)
}

// claim makes an empty file one of this kind, with pages of its own size. That comes before the connection which writes:
// turning on the write-ahead log fixes the page size at the default.
func (k *Kind) claim(ctx context.Context, path string) (err error) {
	db, err := sql.Open("sqlite", k.dsn(path, url.Values{"_pragma": {"synchronous(FULL)"}}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	vacuum := "NONE"
	if k.Shrinks {
		vacuum = "INCREMENTAL"
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf(`PRAGMA page_size = %d; PRAGMA auto_vacuum = %s; PRAGMA application_id = %d`,
		k.PageSize, vacuum, k.Mark))
	return err
}
