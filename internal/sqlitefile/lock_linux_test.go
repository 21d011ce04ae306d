package sqlitefile

import (
	"fmt"
	"os"
	command "os/exec"
	"path/filepath"
	"testing"
	"time"

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

// TestALockOfAProcessThatIsGone: a child that a killed process was just starting has its lock for a moment yet. That is waited for; a
// lock of a process that is there is not.
func TestALockOfAProcessThatIsGone(t *testing.T) {
	t.Parallel()
	gone := command.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "lock")
	f, held, err := lock(path)
	if err != nil || held {
		t.Fatal(held, err)
	}
	if _, err = fmt.Fprintf(f, "%d\n", gone.ProcessState.Pid()); err != nil {
		t.Fatal(err)
	}
	let := time.AfterFunc(100*time.Millisecond, func() { _ = f.Close() })
	defer let.Stop()
	release, err := acquire(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tryAcquire(path, false); err == nil || (&heldError{os.Getpid()}).Error() != err.Error() {
		t.Errorf("a second lock: %v", err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}
