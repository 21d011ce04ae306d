package patience

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// watch measures processes and their descendants, thread by thread. It is for one goroutine, whose own thread does not count.
type watch struct {
	processes []int
	self      string
	before    map[string]spent // by thread
}

// spent is what the kernel says of a thread (schedstat in proc(5)).
type spent struct{ used, waited time.Duration }

func newWatch(processes []int) *watch {
	runtime.LockOSThread()
	w := &watch{processes: processes, self: strconv.Itoa(syscall.Gettid())}
	w.look()
	return w
}

func (*watch) close() { runtime.UnlockOSThread() }

// look is how long the processes have used processors and waited for one, or for a disk, since the last look. What ended in
// between is left out.
func (w *watch) look() (used, waited time.Duration) {
	now := map[string]spent{}
	for _, pid := range w.processes {
		waited += w.visit(pid, now)
	}
	for thread, s := range now {
		used += s.used - w.before[thread].used
		waited += s.waited - w.before[thread].waited
	}
	w.before = now
	return used, waited
}

// visit notes what the threads of a process and of its descendants have spent, and adds how long those wait that wait now:
// that is not written down before it is over.
func (w *watch) visit(pid int, now map[string]spent) (waiting time.Duration) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid)) // the pattern is a good one
	for _, thread := range threads {
		if filepath.Base(thread) != w.self {
			s, wants := threadOf(thread)
			now[thread] = s
			if wants {
				waiting += lookEvery
			}
		}
		children, _ := os.ReadFile(filepath.Join(thread, "children")) //nolint:gosec // G304: of /proc; the thread may be gone
		for child := range strings.FieldsSeq(string(children)) {
			if n, err := strconv.Atoi(child); err == nil {
				waiting += w.visit(n, now)
			}
		}
	}
	return waiting
}

// threadOf is what a thread has spent, and whether it wants a processor or a disk at this moment; nothing if it is gone.
func threadOf(folder string) (s spent, wants bool) {
	text, _ := os.ReadFile(filepath.Join(folder, "schedstat")) //nolint:gosec // G304: of /proc
	if fields := strings.Fields(string(text)); len(fields) >= 2 {
		s = spent{nanoseconds(fields[0]), nanoseconds(fields[1])}
	}
	text, _ = os.ReadFile(filepath.Join(folder, "stat")) //nolint:gosec // G304: likewise
	// The state follows the name in brackets, which may hold anything.
	state := strings.TrimSpace(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	return s, strings.HasPrefix(state, "R") || strings.HasPrefix(state, "D")
}

func nanoseconds(text string) time.Duration {
	n, _ := strconv.ParseInt(text, 10, 64) // the kernel wrote it
	return time.Duration(n)
}
