package crashtest

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Variables that make the program's world a bad one.
const (
	// ordinaryVariable takes from root what other users cannot do: to read and write every file.
	ordinaryVariable = "SPOTTER_CRASHTEST_ORDINARY"
	// diskVariable=FOLDER=SIZE mounts a small file system over a folder, for the program alone. It must have been started in
	// a mount namespace of its own.
	diskVariable = "SPOTTER_CRASHTEST_DISK"
)

func spoil() error {
	if folder, size, ok := strings.Cut(os.Getenv(diskVariable), "="); ok {
		if err := smallDisk(folder, size); err != nil {
			return err
		}
	}
	if os.Getenv(ordinaryVariable) != "" {
		return ordinary()
	}
	return nil
}

// smallDisk mounts a file system over a folder.
func smallDisk(folder, size string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts to this process: %w", err)
	}
	if err := unix.Mount("tmpfs", folder, "tmpfs", 0, "mode=0700,size="+size); err != nil {
		return fmt.Errorf("mount a small disk: %w", err)
	}
	return nil
}

// ordinary starts the program once more without root's rights over files.
func ordinary() error {
	runtime.LockOSThread() // the bounding set is a thread's
	for _, right := range []uintptr{unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH} {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, right, 0, 0, 0); err != nil && os.Getuid() == 0 {
			return fmt.Errorf("give up root's rights: %w", err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, ordinaryVariable+"=") })
	return syscall.Exec(self, append([]string{self}, os.Args[1:]...), env)
}
