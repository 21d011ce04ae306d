package bucket

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// floorEvery is how many bytes are written between two looks at the disk: often enough that other writers are noticed
// within a second at 100 MB/s, seldom enough to cost nothing.
const floorEvery = 64 << 20

// tempFile is a file without a name: what is written to it is gone when its last descriptor is closed, however that
// comes about.
type tempFile struct {
	file    *os.File
	folder  string
	minFree int64
	unseen  atomic.Int64 // bytes written since the last look at the disk
}

// newTempFile makes a file and sets space aside for it, where the file system can. The name is for messages only.
func newTempFile(folder, name string, size, minFree int64) (*tempFile, error) {
	file, err := openUnnamed(folder, filepath.Base(name))
	if err != nil {
		return nil, fail(Unavailable, err, "The folder for downloads cannot be written: correct its path or permissions.")
	}
	if err := reserveSpace(file, size); isFull(err) {
		_ = file.Close() // empty
		return nil, diskFull(err)
	}
	if err := file.Truncate(size); err != nil {
		_ = file.Close() // empty
		return nil, diskFull(err)
	}
	return &tempFile{file: file, folder: folder, minFree: minFree}, nil
}

// writeAt writes in a place, and stops when the disk has become too full.
func (t *tempFile) writeAt(p []byte, at int64) (int, error) {
	if t.unseen.Add(int64(len(p))) >= floorEvery {
		t.unseen.Store(0)
		if free, err := freeBytes(t.folder); err == nil && free < t.minFree {
			return 0, diskFull(nil)
		}
	}
	n, err := t.file.WriteAt(p, at)
	if err != nil {
		return n, diskFull(err)
	}
	return n, nil
}

// isFull tells a disk that cannot hold a file from one that cannot set space aside, which is no reason not to try.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

func diskFull(cause error) error {
	return fail(Unavailable, cause, "The disk for downloads is too full: free space on it, or move the downloads elsewhere.")
}

// freeBytes is what an unprivileged process may still write to the disk of a folder.
func freeBytes(folder string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return 0, fmt.Errorf("look for free space in %s: %w", folder, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil //nolint:gosec,unconvert // no disk has 2^63 bytes; the types differ between systems
}

// openNamed makes a file and takes its name away at once. Only a process that is killed between leaves something: an empty
// file.
func openNamed(folder string) (*os.File, error) {
	f, err := os.CreateTemp(folder, ".download-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
