package app

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// perWorker is what a worker takes at most, in bytes: a decoder child and a recognizer, measured with 1080p video and
// rounded up.
const perWorker = 400e6

// systemChecks looks at memory and disk.
func systemChecks(workers int) []Check {
	return []Check{checkMemory(workers), checkDisk("disk", workingFolder(), freeSpace)}
}

func checkMemory(workers int) Check {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return Check{"memory", Warning, fmt.Sprintf("not known: %v", err), ""}
	}
	total := info.Totalram * uint64(info.Unit)
	c := Check{"memory", OK, fmt.Sprintf("%.1f GB", float64(total)/1e9), ""}
	if need := float64(workers) * perWorker; float64(total) < need {
		c.State = Warning
		c.Mend = fmt.Sprintf("%s may want %.1f GB; use fewer with --workers.", plural(workers, "worker"), need/1e9)
	}
	return c
}

func freeSpace(folder string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil //nolint:gosec // a block size is positive
}
