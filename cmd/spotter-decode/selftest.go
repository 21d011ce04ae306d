package main

import (
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/spotter-video/spotter/internal/video"
	"github.com/spotter-video/spotter/internal/video/sandbox"
)

// selftest puts the decoder's sandbox in force and tries what it must forbid. It prints a [video.SelfTest] and fails if
// anything was allowed or a part of the sandbox is missing.
func selftest() int {
	out := os.Stdout
	parent := os.Getppid()
	report := video.SelfTest{Versions: versions()}
	attempts := []attempt{
		{"open a file", func() error { return closing(unix.Open("/etc/passwd", unix.O_RDONLY, 0)) }},
		{"create a file", func() error { return closing(unix.Open("/tmp/spotter-selftest", unix.O_CREAT|unix.O_WRONLY, 0o600)) }},
		{"open a network socket", func() error { return closing(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)) }},
		{"open a local socket", func() error { return closing(unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)) }},
		{"run a program", func() error { return unix.Exec("/bin/true", []string{"true"}, nil) }},
		{"signal the parent", func() error { return unix.Kill(parent, 0) }},
		{"trace a process", func() error { return unix.PtraceAttach(parent) }},
		{"start a process", fork},
		{"make memory executable", func() error { return mapped(-1, unix.PROT_EXEC, private, page) }},
		{"map memory that is not counted: shared", func() error { return mapped(-1, 0, unix.MAP_SHARED|unix.MAP_ANON, page) }},
		{"map memory that is not counted: growing", func() error { return mapped(-1, 0, private|unix.MAP_GROWSDOWN, page) }},
		{"map a file", func() error { return mapped(0, 0, unix.MAP_PRIVATE, page) }},
		{"share a file's memory", func() error { return mapped(0, 0, unix.MAP_SHARED, page) }},
		{"map more memory than is allowed", func() error { return mapped(-1, 0, private, memory) }},
		{"map a terabyte of addresses", func() error { return addresses(1 << 40) }},
	}
	if triesThreads && os.Getuid() != 0 { // root is held to no number
		attempts = append(attempts, attempt{"start threads without end", threads})
	}
	status := sandbox.Decoder(sandbox.Limits{Memory: memory, CPUSeconds: 10})
	report.Landlock, report.Seccomp, report.Limits = status.Landlock, status.Seccomp, status.Limits
	for _, err := range status.Problems {
		report.Problems = append(report.Problems, err.Error())
	}
	for _, try := range attempts {
		err := try.do()
		a := video.Attempt{Name: try.name, Refused: err != nil}
		if err != nil {
			a.Error = err.Error()
		}
		report.Attempts = append(report.Attempts, a)
	}
	if json.NewEncoder(out).Encode(&report) != nil || !report.OK() {
		return exitFailed
	}
	return 0
}

func closing(fd int, err error) error {
	if err == nil {
		_ = unix.Close(fd)
	}
	return err
}

// attempt is one thing that the sandbox must refuse.
type attempt struct {
	name string
	do   func() error
}

const (
	page    = 4096
	memory  = 512 << 20
	private = unix.MAP_PRIVATE | unix.MAP_ANON
)

// mapped maps writable memory, with further rights.
func mapped(fd, rights, flags, size int) error {
	b, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE|rights, flags)
	if err == nil {
		_ = unix.Munmap(b)
	}
	return err
}

// addresses maps memory that cannot be written to, and so is not counted; but the tables of its pages take memory.
func addresses(size uintptr) error {
	const nowhere = ^uintptr(0)
	_, _, err := unix.RawSyscall6(unix.SYS_MMAP, 0, size, unix.PROT_READ, private|unix.MAP_NORESERVE, nowhere, 0)
	if err != 0 {
		return err
	}
	return nil
}

// fork tries what makes a process of its own. The last one has arguments that are right for other calls.
func fork() error {
	for _, flags := range []uintptr{
		uintptr(unix.SIGCHLD), unix.CLONE_VM | unix.CLONE_VFORK | uintptr(unix.SIGCHLD), unix.SYS_MMAP,
	} {
		pid, _, err := unix.RawSyscall6(unix.SYS_CLONE, flags, 0, 0, private, 0, 0)
		if err == 0 {
			if pid == 0 {
				_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
			}
			return nil
		}
	}
	return unix.EPERM
}

// threads starts more threads than the limit leaves to a user.
func threads() error {
	const most = 20_000
	if n := startThreads(most); n < most {
		return fmt.Errorf("stopped after %d", n)
	}
	return nil
}
