package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// applicationID is 'Spot'. It stands in the header of every database of Spotter and tells it from other SQLite files.
const applicationID = 0x53706f74

var errForeign = errors.New("the file is not a database of Spotter: name another one, or move it away")

// checkOurs refuses a file that is no database, and one that another program has written. It says whether the database is
// still empty, and changes nothing.
func checkOurs(ctx context.Context, path string) (empty bool, err error) {
	db, err := sql.Open("sqlite", reading(path))
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var tables, id int64
	err = db.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM sqlite_schema), application_id
		FROM pragma_application_id`).Scan(&tables, &id)
	if e := (*driver.Error)(nil); errors.As(err, &e) && e.Code()&0xff == codes.SQLITE_NOTADB {
		return false, errForeign
	}
	if err == nil && id != applicationID && (tables > 0 || id != 0) {
		return false, errForeign
	}
	return tables == 0, err
}

// claim makes an empty database one of Spotter's, with pages of its own size. That comes before the connection which writes:
// turning on the write-ahead log fixes the page size at the default.
func claim(ctx context.Context, path string) (err error) {
	db, err := sql.Open("sqlite", dsn(path, url.Values{
		"_pragma": {"page_size(" + strconv.Itoa(pageSize) + ")", "synchronous(FULL)"},
	}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	return err
}
