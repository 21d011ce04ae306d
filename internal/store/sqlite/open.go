package sqlite

import (
	"context"
	"embed"

	"github.com/spotter-video/spotter/internal/sqlitefile"
)

//go:embed migrations/*.sql
var migrations embed.FS

// DB is an open database. Safe for concurrent use.
type DB = sqlitefile.DB

// kind is that of the server's database.
func kind() *sqlitefile.Kind {
	return &sqlitefile.Kind{
		Mark: 0x53706f74, // 'Spot'
		Name: "a database of Spotter", Noun: "database",
		// A row of a face has 2.2 KB for 512 values: pages of 4 KiB would be half empty (reference figure: 4.0 KB a face).
		PageSize: 16384,
		Log:      true,
		// The writer's page cache holds all pages that a request to enrol 4096 faces changes. Where they do not fit they are
		// written twice, which takes a fifth of the time that such a request needs.
		WriterKiB: 64 << 10,
		// A reader is held for the length of a query, and for that of loading a collection. Its page cache holds the upper
		// levels of the tree of a million faces.
		ReaderKiB:  8 << 10,
		Migrations: migrations,
		Advice: sqlitefile.Advice{
			Empty:   "start the server once, which makes its tables",
			Older:   "start this program's server on it, which brings it up to date",
			Newer:   "run the newer one, or restore a backup from before the upgrade",
			Damaged: "restore a backup of it",
		},
	}
}

// Open opens the database in a file, which is made if it is not there (mode 0600, in a folder that is), and brings its
// tables up to date. It fails if another process has it open, if it is of a newer version than this program's, or if it is
// something else; the errors say what to do.
func Open(ctx context.Context, path string) (*DB, error) { return kind().Open(ctx, path) }

// OpenBeside opens a database that is there already, whether or not another process has it open: for the short work of an
// operator beside a server, or without one. Nothing is made and nothing is brought up to date; a database of another
// version than this program's is refused, as is what [Open] refuses. Without a file the error is [fs.ErrNotExist].
//
// Both processes may write: each waits some seconds for the other's transaction. Tasks must not be enqueued, as their owner
// is the process that has called [Open].
func OpenBeside(ctx context.Context, path string) (*DB, error) { return kind().OpenBeside(ctx, path) }

// BackupFile writes a database as it is now into a new file (mode 0600), which can be opened like the original. Whoever has
// the database open goes on reading and writing meanwhile. A file that is there already is an error.
func BackupFile(ctx context.Context, from, to string) error { return kind().Backup(ctx, from, to) }
