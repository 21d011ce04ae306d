package sqlitefile

import (
	"errors"
	"fmt"
	"io/fs"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// Kind is a kind of SQLite file of Spotter's. It is not changed once a file has been opened.
type Kind struct {
	// Mark is the application id in the header, which tells a file of this kind from all others.
	Mark uint32
	// Name is what errors call one: "a database of Spotter"; Noun is the same in a word: "database".
	Name, Noun string
	// PageSize is that of a new file, in bytes: a power of two up to 65536.
	PageSize int
	// Log keeps a write-ahead log beside the file; see the package's comment.
	Log bool
	// Shrinks makes [DB.Shrink] possible. It counts where a file is made.
	Shrinks bool
	// WriterKiB and ReaderKiB are the page caches of the connection that writes and of each that reads.
	WriterKiB, ReaderKiB int
	// Migrations has goose's scripts in a folder "migrations".
	Migrations fs.FS
	Advice     Advice
}

// Advice is what errors tell a person to do about a file; each goes on after a colon.
type Advice struct {
	Empty   string // one that is there, without tables, and is not to be made
	Older   string // one of an older version, which is not to be brought up to date
	Newer   string // one of a newer version
	Damaged string // one that has pages which are not what was written
}

// explain says of SQLite's errors about the file itself what to do. All others stay as they are.
func (k *Kind) explain(err error) error {
	e := (*driver.Error)(nil)
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		return fmt.Errorf("the %s is damaged: %s (%w)", k.Noun, k.Advice.Damaged, err)
	case codes.SQLITE_FULL:
		return fmt.Errorf("the disk with the %s is full: make room, then go on (%w)", k.Noun, err)
	case codes.SQLITE_CANTOPEN:
		return fmt.Errorf("it cannot be opened: look whether this user may read it (%w)", err)
	default:
		return err
	}
}
