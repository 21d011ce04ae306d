package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// forget has the system forget what it keeps of a file in memory, as after a start of the machine.
func forget(path string) (err error) {
	f, err := os.Open(path) //nolint:gosec // our own
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Sync(); err != nil {
		return err
	}
	return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}
