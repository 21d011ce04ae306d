package program

import "syscall"

// Attributes put a process into a group of its own, so that Ctrl-C reaches whoever started it first, and end it with this
// process at the latest (on Linux).
func Attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
