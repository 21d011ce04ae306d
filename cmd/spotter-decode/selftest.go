package main

import (
	"encoding/json"
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
	status := sandbox.Decoder(sandbox.Limits{Memory: 512 << 20, CPUSeconds: 10})
	report.Landlock, report.Seccomp, report.Limits = status.Landlock, status.Seccomp, status.Limits
	for _, err := range status.Problems {
		report.Problems = append(report.Problems, err.Error())
	}
	for _, try := range []struct {
		name string
		do   func() error
	}{
		{"open a file", func() error { return closing(unix.Open("/etc/passwd", unix.O_RDONLY, 0)) }},
		{"create a file", func() error { return closing(unix.Open("/tmp/spotter-selftest", unix.O_CREAT|unix.O_WRONLY, 0o600)) }},
		{"open a network socket", func() error { return closing(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)) }},
		{"open a local socket", func() error { return closing(unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)) }},
		{"run a program", func() error { return unix.Exec("/bin/true", []string{"true"}, nil) }},
		{"signal the parent", func() error { return unix.Kill(parent, 0) }},
		{"make memory executable", executable},
		{"trace a process", func() error { return unix.PtraceAttach(parent) }},
	} {
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

func executable() error {
	b, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err == nil {
		_ = unix.Munmap(b)
	}
	return err
}
