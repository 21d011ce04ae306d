package sandbox

import (
	"math"
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
	"sysinfo", "membarrier", "setitimer", "getrusage",
}

// toolOnlyCalls are what starting a program and its opening of libraries, fonts, input and output need besides
// (found by tracing ffmpeg and ffprobe 5.1).
var toolOnlyCalls = []string{ //nolint:gochecknoglobals // a constant list
	"execve", "openat", "newfstatat", "readlinkat", "faccessat", "faccessat2", "getdents64", "statx", "statfs", "fstatfs", "fcntl",
	"pwrite64", "writev", "readv", "dup", "dup3", "pipe2", "ioctl", "set_tid_address", "prlimit64", "uname", "ppoll",
	"pselect6", "getuid", "geteuid", "getgid", "getegid", "getcwd", "ftruncate", "fadvise64", "mmap", "mprotect",
	"sched_setaffinity", "sched_getparam", "sched_getscheduler", "get_mempolicy", "fsync", "prctl", "clock_getres", "umask",
	"mlock", "set_mempolicy", "timer_create", "timer_settime", "timer_delete",
}

// legacyCalls exist on amd64 only.
var legacyCalls = []string{ //nolint:gochecknoglobals // a constant list
	"open", "access", "readlink", "stat", "lstat", "poll", "select", "arch_prctl", "dup2", "pipe", "time", "getdents",
}

// enosys makes the C library fall back to the older call whose arguments a filter can see.
const enosys = seccomp.ActionErrno | seccomp.Action(unix.ENOSYS)

// A process is confined by several filters at once: the last word has the strictest. One allows by name; the others each
// refuse arguments of one call. They are apart because the library's program, once it has loaded an argument to compare it,
// compares the names that follow with that argument, too.

// decoderFilters allow computing and nothing else: memory that is counted and never executable, threads but no processes,
// signals to this process only. shared is the descriptor whose memory may be shared; 0 for none.
func decoderFilters(shared int) []seccomp.Policy {
	another := when(3, seccomp.BitsSet, unix.MAP_SHARED)
	if shared > 0 {
		another = append(another, when(4, seccomp.NotEqual, uint64(shared))...)
	}
	return []seccomp.Policy{
		refuse("mmap",
			when(2, seccomp.BitsSet, unix.PROT_EXEC),
			// Limits count private memory; of shared memory, only what the parent has measured out may be mapped. A mapping
			// that grows downwards counts as a stack.
			when(3, seccomp.BitsSet, unix.MAP_GROWSDOWN|unix.MAP_HUGETLB|unix.MAP_LOCKED),
			append(when(3, seccomp.BitsSet, unix.MAP_SHARED), when(3, seccomp.BitsSet, unix.MAP_ANONYMOUS)...),
			another,
			when(3, seccomp.BitsNotSet, unix.MAP_SHARED|unix.MAP_ANONYMOUS),
		),
		refuse("mprotect", when(2, seccomp.BitsSet, unix.PROT_EXEC)),
		threadsOnly(),
		toItself(),
		allow(commonCalls, []string{"mmap", "mprotect", "clone", "tgkill"}),
	}
}

// toolFilters allow one program to be started and to do its work; no sockets, no processes, no tracing. It maps libraries
// and caches, but no other memory than what is counted.
func toolFilters() []seccomp.Policy {
	names := slices.Concat(commonCalls, toolOnlyCalls, []string{"clone", "tgkill"})
	if runtime.GOARCH == "amd64" {
		names = append(names, legacyCalls...)
	}
	return []seccomp.Policy{
		refuse("mmap",
			when(3, seccomp.BitsSet, unix.MAP_GROWSDOWN|unix.MAP_HUGETLB),
			append(when(3, seccomp.BitsSet, unix.MAP_SHARED), when(3, seccomp.BitsSet, unix.MAP_ANONYMOUS)...),
		),
		threadsOnly(),
		toItself(),
		allow(names),
	}
}

// threadsOnly refuses to clone anything but a thread as the C libraries and Go make it: one that shares all with this one.
func threadsOnly() seccomp.Policy {
	const (
		shared   = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD | unix.CLONE_SYSVSEM
		settings = unix.CLONE_SETTLS | unix.CLONE_PARENT_SETTID | unix.CLONE_CHILD_SETTID | unix.CLONE_CHILD_CLEARTID |
			unix.CLONE_DETACHED // musl's, without a meaning
	)
	wrong := []seccomp.ArgumentConditions{when(0, seccomp.BitsSet, math.MaxUint32&^(shared|settings))}
	for bit := uint64(1); bit <= shared; bit <<= 1 {
		if bit&shared != 0 {
			wrong = append(wrong, when(0, seccomp.BitsNotSet, bit))
		}
	}
	return refuse("clone", wrong...)
}

// toItself refuses signals to others.
func toItself() seccomp.Policy {
	return refuse("tgkill", when(0, seccomp.NotEqual, uint64(os.Getpid()))) //nolint:gosec // G115: a pid is positive
}

// refuse is a filter that refuses a call under any of several conditions.
func refuse(name string, conditions ...seccomp.ArgumentConditions) seccomp.Policy {
	group := seccomp.SyscallGroup{Action: seccomp.ActionErrno}
	for _, c := range conditions {
		group.NamesWithCondtions = append(group.NamesWithCondtions, seccomp.NameWithConditions{Name: name, Conditions: c})
	}
	return seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{group}}
}

// allow is a filter that allows calls by name, and no others.
func allow(names ...[]string) seccomp.Policy {
	return seccomp.Policy{DefaultAction: seccomp.ActionErrno, Syscalls: []seccomp.SyscallGroup{
		{Action: enosys, Names: []string{"clone3"}},
		{Action: seccomp.ActionAllow, Names: slices.Concat(names...)},
	}}
}

func when(argument uint32, op seccomp.Operation, value uint64) seccomp.ArgumentConditions {
	return seccomp.ArgumentConditions{{Argument: argument, Operation: op, Value: value}}
}
