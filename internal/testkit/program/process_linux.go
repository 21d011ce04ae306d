package program

import "syscall"

// Attributes put a process into a group of its own, so that Ctrl-C reaches whoever started it first, and end it with this
// process at the latest (on Linux). To the kernel that is the thread that starts it: see [Start].
func Attributes() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true}
	bind(a)
	return a
}

// bind ends a process with the thread that starts it. It is killed: of a test's process there is nothing to save, and one that
// is stuck hears no other signal.
func bind(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
