package sqlitefile

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestOpenLeavesOthersTheirLocks: the system takes all locks that a process has on a file when the process closes any descriptor of it. To
// open a file for writing must not do that to those who read it in the same process.
func TestOpenLeavesOthersTheirLocks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x")
	closed(t, opened(t, alone(), path))
	rows, err := beside(t, alone(), path).Reader().QueryContext(t.Context(), `SELECT 1 FROM sqlite_schema, sqlite_schema`)
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // it has one row
	db := opened(t, alone(), path)
	if db.Writer() == nil || rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	held := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &held); err != nil {
		t.Fatal(err)
	}
	if held.Type != unix.F_RDLCK {
		t.Errorf("whoever reads has a lock of type %d, want %d", held.Type, unix.F_RDLCK)
	}
}
