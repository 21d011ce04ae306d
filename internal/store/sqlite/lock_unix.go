//go:build unix

package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// acquire locks a file, which is made if it is not there, until release or the end of the process, however it ends. The file
// holds the number of the process that has it, for people; it stays, because to remove it is to race with the next one.
func acquire(path string) (release func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the path is the operator's
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = inUse(f)
	} else if err == nil {
		err = sign(f)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	// Closed alone, it stays locked for as long as a child that is just being started has the file from this process.
	return func() error { return errors.Join(unix.Flock(int(f.Fd()), unix.LOCK_UN), f.Close()) }, nil
}

// sign writes the number of this process.
func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := fmt.Fprintf(f, "%d\n", os.Getpid())
	return err
}

func inUse(f *os.File) error {
	who := "another process"
	const longest = 20 // digits of a process number
	if b, err := io.ReadAll(io.LimitReader(f, longest)); err == nil && len(strings.TrimSpace(string(b))) > 0 {
		who = "process " + strings.TrimSpace(string(b))
	}
	return fmt.Errorf("%s has it open: stop that one first, or name another file", who)
}

// writable says whether files can be made in a folder. To try it would leave one behind if the process were killed.
func writable(folder string) error {
	if err := unix.Access(folder, unix.W_OK|unix.X_OK); err != nil {
		return &os.PathError{Op: "write into", Path: folder, Err: err}
	}
	return nil
}
