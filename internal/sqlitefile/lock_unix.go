//go:build unix

package sqlitefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A process that was killed while it started a child leaves the lock to that until the child has become another program: some
// milliseconds, or more on a machine that is busy. So long it is waited for a lock whose process is not there any more.
const (
	lockWait = 10 * time.Second
	lockStep = 20 * time.Millisecond
)

// acquire locks a file, which is made if it is not there, until release or the end of the process, however it ends. The file
// holds the number of the process that has it, for people. It stays where it is, or goes with the lock: then whoever has
// locked it looks whether it is still there.
func acquire(path string, goes bool) (release func() error, err error) {
	for waited := time.Duration(0); ; waited += lockStep {
		release, err = tryAcquire(path, goes)
		if held := (*heldError)(nil); !errors.As(err, &held) || !held.ended() || waited >= lockWait {
			return release, err
		}
		time.Sleep(lockStep)
	}
}

// heldError says that another process has a file open.
type heldError struct{ process int } // 0: which is not known

func (e *heldError) Error() string {
	who := "another process"
	if e.process > 0 {
		who = "process " + strconv.Itoa(e.process)
	}
	return who + " has it open: stop that one first, or name another file"
}

// ended says whether the process is known not to be there.
func (e *heldError) ended() bool {
	return e.process > 0 && errors.Is(unix.Kill(e.process, 0), unix.ESRCH)
}

func tryAcquire(path string, goes bool) (release func() error, err error) {
	f, held, err := lock(path)
	for goes && err == nil {
		var here bool
		if here, err = leadsTo(path, f); here || err != nil {
			break
		}
		if err = f.Close(); err == nil { // whoever had it has removed it in between
			f, held, err = lock(path)
		}
	}
	switch {
	case err != nil:
	case held:
		err = inUse(f)
	default:
		err = sign(f)
	}
	if err != nil {
		if f != nil {
			_ = f.Close() // nothing was written, or the lock is not wanted
		}
		return nil, err
	}
	return func() error { return unlock(path, f, goes) }, nil
}

// lock tries to lock a file, and says whether somebody else has it. With an error there may be a file or none.
func lock(path string) (f *os.File, held bool, err error) {
	f, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the path is the operator's
	if err != nil {
		return nil, false, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return f, true, nil
	}
	return f, false, err
}

// unlock ends a lock. Its file is removed before, as long as nobody else can have the lock of that name.
func unlock(path string, f *os.File, goes bool) (err error) {
	if goes {
		var here bool
		if here, err = leadsTo(path, f); here {
			err = os.Remove(path)
		}
	}
	// Closed alone, it stays locked for as long as a child that is just being started has the file from this process.
	return errors.Join(err, unix.Flock(int(f.Fd()), unix.LOCK_UN), f.Close())
}

// leadsTo says whether a path still is that of an open file.
func leadsTo(path string, f *os.File) (bool, error) {
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	open, err := f.Stat()
	if err != nil {
		return false, err
	}
	return os.SameFile(there, open), nil
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
	const longest = 20 // digits of a process number
	b, err := io.ReadAll(io.LimitReader(f, longest))
	if err != nil {
		return &heldError{}
	}
	process, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return &heldError{}
	}
	return &heldError{process}
}

// changeable says whether a file that is there can be written.
func changeable(path string) error {
	if err := unix.Access(path, unix.W_OK); err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	return nil
}

// writable says whether files can be made in a folder. To try it would leave one behind if the process were killed.
func writable(folder string) error {
	if err := unix.Access(folder, unix.W_OK|unix.X_OK); err != nil {
		return &os.PathError{Op: "write into", Path: folder, Err: err}
	}
	return nil
}
