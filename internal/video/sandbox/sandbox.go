package sandbox

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/landlock-lsm/go-landlock/landlock"
	llsys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// Limits are the resource limits of a sandboxed process.
type Limits struct {
	Memory     uint64 // bytes of writable private memory (RLIMIT_DATA)
	CPUSeconds uint64 // seconds of CPU (RLIMIT_CPU)
	FileSize   uint64 // bytes a written file may have; 0 forbids writing to files
	// Shared is a descriptor whose memory a decoder may share, and SharedBytes how much of it; 0 for none.
	Shared      int
	SharedBytes uint64
}

// Status says what is in force.
type Status struct {
	// Landlock is the ABI version in force, 0 for none.
	Landlock int
	Seccomp  bool
	Limits   bool
	// Problems says why something is not in force, in order: limits, Landlock, seccomp.
	Problems []error
}

// Full says whether every part is in force.
func (s Status) Full() bool { return s.Landlock > 0 && s.Seccomp && s.Limits }

// Err joins the problems; nil if there are none.
func (s Status) Err() error { return errors.Join(s.Problems...) }

// maxFiles is the number of open descriptors a process needs: standard streams, input, control, ring, and the Go
// runtime's own three; 16 was measured to suffice (reference figures in docs/decisions).
const maxFiles = 16

// toolFiles is the same for ffmpeg, which opens libraries, fonts and scripts one by one.
const toolFiles = 64

// Bounds of what no other limit counts.
const (
	// addressSpace is what a process maps beside its counted memory: 1.5 GB in the decoder, most of it reserved by the Go
	// runtime and never touched; ffmpeg less. It bounds page tables, which take a five-hundredth of what they map.
	addressSpace = 6 << 30
	// stack is Linux's default. An unlimited one could grow to all memory.
	stack = 8 << 20
	// moreThreads is how many threads a process may start, if all others of the machine are the same user's: a decoder has
	// about eight, and others of the same user may start while it works. The kernel needs some 30 kB for each.
	moreThreads = 1024
)

// Landlock is the newest Landlock ABI of the kernel, 0 where there is none (or it is switched off).
func Landlock() int {
	abi, err := llsys.LandlockGetABIVersion()
	if err != nil || abi < 0 {
		return 0
	}
	return abi
}

// Decoder puts the decoder's profile in force for the whole process.
func Decoder(l Limits) Status {
	var s Status
	s.add(&s.Limits, limit(l, maxFiles))
	s.landlock()
	s.add(&s.Seccomp, filter(decoderFilters(l.Shared)))
	return s
}

// Tool puts the profile for running one program in force: it may execute program, read its libraries, fonts and the
// files named, and write the files named.
func Tool(l Limits, program string, read, write []string) Status {
	var s Status
	s.add(&s.Limits, limit(l, toolFiles))
	rules := make([]landlock.Rule, 0, len(read)+len(write)+4) // the four below, and the files
	rules = append(rules,
		landlock.PathAccess(readRights, systemFolders...).IgnoreIfMissing(),
		landlock.PathAccess(executeRights, append([]string{program}, loaders...)...).IgnoreIfMissing(),
		landlock.PathAccess(readFile|writeFile, "/dev/null").IgnoreIfMissing(),
		landlock.PathAccess(readFile, "/dev/urandom", "/etc/ld.so.cache").IgnoreIfMissing(),
	)
	for _, path := range read {
		rules = append(rules, landlock.PathAccess(readFile, path))
	}
	for _, path := range write {
		rules = append(rules, landlock.PathAccess(readFile|writeFile|truncateFile, path))
	}
	s.landlock(rules...)
	s.add(&s.Seccomp, filter(toolFilters()))
	return s
}

// The rights of Landlock by their numbers in the kernel's interface (linux/landlock.h).
const (
	executeFile   landlock.AccessFSSet = llsys.AccessFSExecute
	writeFile     landlock.AccessFSSet = llsys.AccessFSWriteFile
	readFile      landlock.AccessFSSet = llsys.AccessFSReadFile
	readDir       landlock.AccessFSSet = llsys.AccessFSReadDir
	truncateFile  landlock.AccessFSSet = llsys.AccessFSTruncate
	readRights                         = readFile | readDir
	executeRights                      = executeFile | readFile
)

// Wants is the Landlock ABI that is asked for: signals and abstract sockets are fenced in from 6 on. Older kernels give
// what they have.
const wants = 6

func (s *Status) landlock(rules ...landlock.Rule) {
	abi := Landlock()
	if abi == 0 {
		s.Problems = append(s.Problems, errors.New("landlock: the kernel has it not, or it is switched off (lsm= on its command line)"))
		return
	}
	if err := landlock.V6.BestEffort().Restrict(rules...); err != nil {
		s.Problems = append(s.Problems, fmt.Errorf("landlock: %w", err))
		return
	}
	s.Landlock = min(abi, wants)
}

func (s *Status) add(done *bool, err error) {
	*done = err == nil
	if err != nil {
		s.Problems = append(s.Problems, err)
	}
}

func limit(l Limits, files uint64) error {
	threads, err := tasks()
	if err != nil {
		return err
	}
	for _, r := range []struct {
		name  string
		which int
		value uint64
	}{
		{"core", unix.RLIMIT_CORE, 0},
		{"fsize", unix.RLIMIT_FSIZE, l.FileSize},
		{"nofile", unix.RLIMIT_NOFILE, files},
		{"cpu", unix.RLIMIT_CPU, l.CPUSeconds},
		{"data", unix.RLIMIT_DATA, l.Memory},
		{"as", unix.RLIMIT_AS, l.Memory + l.SharedBytes + addressSpace},
		{"stack", unix.RLIMIT_STACK, stack},
		{"memlock", unix.RLIMIT_MEMLOCK, 0},
		{"nproc", unix.RLIMIT_NPROC, threads + moreThreads},
	} {
		if err := lower(r.which, r.value); err != nil {
			return fmt.Errorf("limit %s to %d: %w", r.name, r.value, err)
		}
	}
	return nil
}

// lower sets a limit, or keeps the one in force where that is lower already.
func lower(which int, value uint64) error {
	var now unix.Rlimit
	if err := unix.Getrlimit(which, &now); err != nil {
		return os.NewSyscallError("getrlimit", err)
	}
	value = min(value, now.Max)
	return os.NewSyscallError("setrlimit", unix.Setrlimit(which, &unix.Rlimit{Cur: value, Max: value}))
}

// tasks is how many threads there are on the whole machine: no user has more. The kernel counts a user's threads against
// RLIMIT_NPROC, and tells nobody how many they are; it does not hold root to it.
func tasks() (uint64, error) {
	if b, err := os.ReadFile("/proc/loadavg"); err == nil { // "0.97 3.42 3.91 4/101 4861": 4 of 101 run
		if fields := strings.Fields(string(b)); len(fields) > 3 {
			_, all, _ := strings.Cut(fields[3], "/")
			if n, err := strconv.ParseUint(all, 10, 32); err == nil {
				return n, nil
			}
		}
	}
	// A service may see its own processes only. The call counts all, but in 16 bits.
	var s unix.Sysinfo_t
	if err := unix.Sysinfo(&s); err != nil {
		return 0, os.NewSyscallError("sysinfo", err)
	}
	return uint64(s.Procs) + 1<<16, nil
}

// filter puts filters in force; what they allow together is allowed. The last one may forbid to add any.
func filter(policies []seccomp.Policy) error {
	if !seccomp.Supported() {
		return errors.New("seccomp: the kernel has no system call filters")
	}
	for _, p := range policies {
		f := seccomp.Filter{NoNewPrivs: true, Flag: seccomp.FilterFlagTSync, Policy: p}
		if err := seccomp.LoadFilter(f); err != nil {
			return fmt.Errorf("seccomp: %w", err)
		}
	}
	return nil
}
