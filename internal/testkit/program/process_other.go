//go:build !linux

package program

import "syscall"

// Attributes put a process into a group of its own, so that Ctrl-C reaches whoever started it first.
func Attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// bind does nothing: this system has no such thing.
func bind(*syscall.SysProcAttr) {}
