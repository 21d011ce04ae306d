package sandbox

import (
	"os"
	"runtime"
	"slices"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"golang.org/x/sys/unix"
)

// systemFolders hold what a dynamically linked program reads: libraries, and fonts with their configuration.
var systemFolders = []string{ //nolint:gochecknoglobals // a constant list
	"/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/usr/share/fonts", "/usr/local/share/fonts",
	"/usr/share/fontconfig", "/etc/fonts", "/var/cache/fontconfig", "/etc/alternatives",
	"/usr/share/zoneinfo",
}

// loaders are the dynamic loaders that the kernel starts a program with.
var loaders = []string{ //nolint:gochecknoglobals // a constant list
	"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-aarch64.so.1",
}

// commonCalls are what the Go runtime, glibc and libav's arithmetic need once everything is loaded (found by tracing;
// the list of the prototype, less prctl).
var commonCalls = []string{ //nolint:gochecknoglobals // a constant list
	"read", "write", "pread64", "lseek", "fstat", "close", "munmap", "mremap", "brk", "madvise", "futex",
	"set_robust_list", "rseq", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "gettid", "getpid",
	"sched_yield", "sched_getaffinity", "nanosleep", "clock_nanosleep", "clock_gettime", "gettimeofday",
	"epoll_create1", "epoll_ctl", "epoll_pwait", "eventfd2", "restart_syscall", "exit", "exit_group", "getrandom",
	"sysinfo", "timer_create", "timer_settime", "timer_delete", "membarrier", "setitimer", "getrusage",
}

// toolOnlyCalls are what starting a program and its opening of libraries, fonts, input and output need besides
// (found by tracing ffmpeg and ffprobe 5.1).
var toolOnlyCalls = []string{ //nolint:gochecknoglobals // a constant list
	"execve", "openat", "newfstatat", "readlinkat", "faccessat", "faccessat2", "getdents64", "statx", "statfs", "fstatfs", "fcntl",
	"pwrite64", "writev", "readv", "dup", "dup3", "pipe2", "ioctl", "set_tid_address", "prlimit64", "uname", "ppoll",
	"pselect6", "getuid", "geteuid", "getgid", "getegid", "getcwd", "ftruncate", "fadvise64", "mmap", "mprotect",
	"sched_setaffinity", "sched_getparam", "sched_getscheduler", "get_mempolicy", "fsync", "prctl", "clock_getres", "umask",
	"mlock", "set_mempolicy",
}

// legacyCalls exist on amd64 only.
var legacyCalls = []string{ //nolint:gochecknoglobals // a constant list
	"open", "access", "readlink", "stat", "lstat", "poll", "select", "arch_prctl", "dup2", "pipe", "time", "getdents",
}

// enosys makes the C library fall back to the older call whose arguments a filter can see.
const enosys = seccomp.ActionErrno | seccomp.Action(unix.ENOSYS)

// decoderCalls allow computing and nothing else: memory that is never executable, threads but no processes, signals to
// this process only.
func decoderCalls() []seccomp.SyscallGroup {
	self := uint64(os.Getpid()) //nolint:gosec // G115: a pid is positive
	return []seccomp.SyscallGroup{
		{Action: enosys, Names: []string{"clone3"}},
		// Calls whose arguments matter come last: after a mismatch the library's program goes on comparing with the
		// argument it loaded, which no plain name may follow.
		{Action: seccomp.ActionAllow, Names: commonCalls, NamesWithCondtions: []seccomp.NameWithConditions{
			when("mmap", 2, seccomp.BitsNotSet, unix.PROT_EXEC),
			when("mprotect", 2, seccomp.BitsNotSet, unix.PROT_EXEC),
			when("clone", 0, seccomp.BitsSet, unix.CLONE_THREAD),
			when("tgkill", 0, seccomp.Equal, self),
		}},
	}
}

// toolCalls allow one program to be started and to do its work; no sockets, no processes, no tracing.
func toolCalls() []seccomp.SyscallGroup {
	names := slices.Concat(commonCalls, toolOnlyCalls)
	if runtime.GOARCH == "amd64" {
		names = append(names, legacyCalls...)
	}
	return []seccomp.SyscallGroup{
		{Action: enosys, Names: []string{"clone3"}},
		{Action: seccomp.ActionAllow, Names: names, NamesWithCondtions: []seccomp.NameWithConditions{
			when("clone", 0, seccomp.BitsSet, unix.CLONE_THREAD),
			when("tgkill", 0, seccomp.Equal, uint64(os.Getpid())), //nolint:gosec // G115: a pid is positive
		}},
	}
}

func when(name string, argument uint32, op seccomp.Operation, value uint64) seccomp.NameWithConditions {
	return seccomp.NameWithConditions{Name: name, Conditions: seccomp.ArgumentConditions{
		{Argument: argument, Operation: op, Value: value},
	}}
}
