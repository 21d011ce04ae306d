package archive

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/spotter-video/spotter/internal/sqlitefile"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Sum is the SHA-256 of a video's bytes.
type Sum [sha256.Size]byte

// File is a video file that has been looked at.
type File struct {
	Path    string    // absolute, any bytes
	Size    int64     // in bytes
	Changed time.Time // modification time, to the nanosecond; compare it with Equal
	Video   int64     // number of what it contains, in this archive; files with the same bytes share it
	Failure string    // why it could not be looked at at all; empty if it could
}

// Analysis is what one track of a video gave.
type Analysis struct {
	ID       int64  // never that of another one in this archive
	Video    int64  // what it is of
	Track    int    // as the engine numbers it; 0 where the file has only one
	Terms    []byte // everything that decides the rest
	Plan     []byte
	Segments int    // how many the plan has
	Done     bool   // it has been worked through to the end
	Failure  string // why some segments are missing; empty if none is
}

// Stats is how much an archive has.
type Stats struct {
	Files, Videos, Analyses, Segments int64
	Unfinished                        int64 // files that could be looked at, and were not to their end, or not whole
	Bytes                             int64 // of the file
}

// ErrGone says that a video or an analysis is not there, because it was forgotten or replaced meanwhile.
var ErrGone = errors.New("it is not in the archive any more")

// Archive is an open archive. Safe for concurrent use.
type Archive struct {
	file           *sqlitefile.DB
	writer, reader *sql.DB // writer is nil if it was opened for reading
}

func kind() *sqlitefile.Kind {
	return &sqlitefile.Kind{
		Mark: 0x53706f41, // 'SpoA'
		Name: "an archive of Spotter", Noun: "archive",
		PageSize: pageSize,
		Shrinks:  true,
		// The writer's page cache holds what a transaction changes: some segments, or the pages that a deletion overwrites. Where it
		// does not fit, others wait before the transaction's end already.
		WriterKiB: 32 << 10,
		// A reader jumps about in indexes alone, the upper levels of which are small.
		ReaderKiB:  2 << 10,
		Migrations: migrations,
		Advice: sqlitefile.Advice{
			Empty:   "index a video into it first",
			Older:   "index into it once with this program, which brings it up to date",
			Newer:   "run the newer one, or index the videos into another file",
			Damaged: damagedAdvice,
		},
	}
}

// damagedAdvice is what to do about a file that is damaged where it cannot be told which video that concerns.
const damagedAdvice = "index the videos into another file"

// pageSize is that of SQLite's pages, in bytes. Segments have tens of kilobytes: with larger pages more of each is in one piece, with smaller
// ones less of its last is empty.
const pageSize = 16384

// Open opens an archive for writing, which is made if it is not there (mode 0600, in a folder that is). It fails if another
// process has it open for writing: the error says which. It fails as well for any other file, and for an archive of a newer
// version than this program's. While it is open a file with ".lock" after its name lies beside it.
func Open(ctx context.Context, path string) (*Archive, error) {
	file, err := kind().Open(ctx, path)
	return of(file), err
}

// Read opens an archive for reading, also while another process writes, and in a folder that may not be written. The error is
// [fs.ErrNotExist] where there is none.
func Read(ctx context.Context, path string) (*Archive, error) {
	file, err := kind().OpenBeside(ctx, path)
	return of(file), err
}

func of(file *sqlitefile.DB) *Archive {
	if file == nil {
		return nil
	}
	return &Archive{file: file, writer: file.Writer(), reader: file.Reader()}
}

// Close closes the archive. It may be called several times.
func (a *Archive) Close() error { return a.file.Close() }

// Stats counts what there is.
func (a *Archive) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	err := a.reader.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM files), (SELECT COUNT(*) FROM videos),
		(SELECT COUNT(*) FROM analyses), (SELECT COUNT(*) FROM segments), (SELECT COUNT(*) FROM files WHERE failure = '' AND (
			NOT EXISTS (SELECT 1 FROM analyses WHERE video = files.video)
			OR EXISTS (SELECT 1 FROM analyses WHERE video = files.video AND (failure <> '' OR NOT EXISTS (SELECT 1 FROM codes WHERE analysis = analyses.id))))),
		page_count * page_size
		FROM pragma_page_count, pragma_page_size`).Scan(&s.Files, &s.Videos, &s.Analyses, &s.Segments, &s.Unfinished, &s.Bytes)
	if err != nil {
		return Stats{}, fmt.Errorf("count what the archive has: %w", err)
	}
	return s, nil
}

// write runs a transaction that is kept unless do fails; what says what it is for.
func (a *Archive) write(ctx context.Context, what string, do func(tx *sql.Tx) error) error {
	if a.writer == nil {
		return fmt.Errorf("%s: the archive was opened for reading only", what)
	}
	tx, err := a.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err = do(tx); err == nil {
		err = tx.Commit()
	} else {
		err = errors.Join(err, tx.Rollback())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// affected says how many rows a statement has changed.
func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// some is bytes that are never NULL.
func some(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
