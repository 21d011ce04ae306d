package bucket

import (
	"os"

	"golang.org/x/sys/unix"
)

// openUnnamed makes a file that never has a name. O_EXCL keeps it from being given one. File systems that cannot do so
// (NFS among them) have one made and removed.
func openUnnamed(folder, name string) (*os.File, error) {
	fd, err := unix.Open(folder, unix.O_TMPFILE|unix.O_EXCL|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return openNamed(folder)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// reserveSpace makes a full disk show before the download instead of at its end.
func reserveSpace(f *os.File, size int64) error {
	if size == 0 {
		return nil
	}
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, size)
}
