package crashtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/testkit/patience"
	"github.com/spotter-video/spotter/internal/testkit/program"
)

// usual is the patience with a server: what is waited for takes it a minute's effort at most, under the race detector, and a
// task that has failed is tried again within a minute.
func usual() patience.Patience {
	return patience.Patience{Idle: 2 * time.Minute, Effort: 5 * time.Minute}
}

// server is a running program.
type server struct {
	t      *testing.T
	bed    *bed
	cmd    *exec.Cmd
	record *record
	exited chan struct{} // closed when it has ended and all it wrote has been read
	url    string        // once it listens
}

// start runs the server on the bed. It does not wait until it listens.
func (b *bed) start(t *testing.T, args ...string) *server {
	t.Helper()
	return b.launch(t, &syscall.SysProcAttr{}, b.environment(), append([]string{"serve", "--config", b.settings()}, args...)...)
}

func (b *bed) launch(t *testing.T, attr *syscall.SysProcAttr, env []string, args ...string) *server {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, bed: b, cmd: exec.Command(self, args...), record: newRecord(), exited: make(chan struct{})}
	s.cmd.Env, s.cmd.Dir, s.cmd.Stderr, s.cmd.SysProcAttr = env, b.root, in, attr
	ended, err := program.Start(s.cmd)
	if err != nil {
		t.Fatal(err)
	}
	_ = in.Close()
	go func() {
		defer close(s.exited)
		s.record.read(out) // until no process has the other end any more
		_ = out.Close()
		<-ended // its state says how
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.exited
		if t.Failed() {
			t.Logf("the server's log:\n%s", s.record.tail())
		}
	})
	return s
}

// listening waits until the server takes requests.
func (s *server) listening() *server {
	s.t.Helper()
	e, ok := s.said(func(e entry) bool { return e.Message == "listening" })
	if !ok {
		s.t.Fatalf("the server does not listen; it says:\n%s", s.record.tail())
	}
	s.url = e.URL
	return s
}

// patient is a context that ends with the patience with the server.
func (s *server) patient() (context.Context, context.CancelFunc) {
	return usual().Context(s.t.Context(), s.cmd.Process.Pid)
}

// said waits for an entry of the server's log, which may have been written before. It says false when the server has ended
// without it, or when patience has.
func (s *server) said(match func(entry) bool) (entry, bool) {
	ctx, cancel := s.patient()
	defer cancel()
	return s.record.await(ctx, match)
}

// eventually asks until the answer is yes, or patience with the server ends.
func (s *server) eventually(yes func() bool) bool {
	return usual().Until(s.t.Context(), yes, s.cmd.Process.Pid)
}

// kill kills the server and nobody else, and waits until it is gone.
func (s *server) kill() {
	s.t.Helper()
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Fatal(err)
	}
	s.wait()
}

// signal sends SIGTERM.
func (s *server) terminate() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
}

// wait waits for the end.
func (s *server) wait() *os.ProcessState {
	s.t.Helper()
	ctx, cancel := s.patient()
	defer cancel()
	select {
	case <-s.exited:
	case <-ctx.Done():
		s.t.Fatalf("the server does not end; it says:\n%s", s.record.tail())
	}
	return s.cmd.ProcessState
}

// stop stops the server in good order, and fails if it is not done in time or says that something was wrong.
func (s *server) stop() {
	s.t.Helper()
	s.terminate()
	if state := s.wait(); state.ExitCode() != 0 {
		s.t.Fatalf("asked to stop, the server ended with %v; it says:\n%s", state, s.record.tail())
	}
}

// decoders are the processes of the bed's decoder.
func (b *bed) decoders(t *testing.T) (found []string) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		// A process may be gone by now; one that is dying has no words.
		if words, err := os.ReadFile(path); err == nil && bytes.HasPrefix(words, []byte(b.decoder+"\x00")) {
			found = append(found, filepath.Base(filepath.Dir(path)))
		}
	}
	return found
}

// freeze stops the decoders that run now where they are, so that none of them ends unless somebody kills it. It says how many
// there were.
func (b *bed) freeze(t *testing.T) (frozen int) {
	t.Helper()
	for _, id := range b.decoders(t) {
		n, err := strconv.Atoi(id)
		if err == nil {
			err = syscall.Kill(n, syscall.SIGSTOP)
		}
		if err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
		if err == nil {
			frozen++
		}
	}
	return frozen
}

// noDecoders waits for the end of decoders that nobody waits for any more. The kernel kills them with the server, which takes
// a moment. Once in some hundred kills it has not killed one that freeze had stopped just after it began; such a one must
// end by itself as soon as it runs, because its parent's end of the socket is closed.
func (b *bed) noDecoders(t *testing.T) {
	t.Helper()
	var left []string
	gone := func() bool { left = b.decoders(t); return len(left) == 0 }
	if deathbed().Until(t.Context(), gone, numbers(b.decoders(t))...) {
		return
	}
	for _, id := range left {
		status, err := os.ReadFile(filepath.Join("/proc", id, "status"))
		if err != nil {
			continue // it is gone after all
		}
		if bytes.Contains(status, []byte(confined)) {
			t.Errorf("decoder %s had begun its work, and has outlived its server", id)
		}
		b.outlived++
		t.Logf("decoder %s has outlived its server and is let go on:\n%s", id, status)
		n, err := strconv.Atoi(id)
		if err == nil {
			err = syscall.Kill(n, syscall.SIGCONT)
		}
		if err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
	if !usual().Until(t.Context(), gone, numbers(left)...) {
		t.Fatalf("decoders are left behind: %s", strings.Join(left, " "))
	}
}

// confined is what the kernel says of a process with a filter for its calls: a decoder has one before it reads the video.
const confined = "Seccomp:\t2"

// atWork counts the decoders that have begun to work.
func (b *bed) atWork(t *testing.T) (n int) {
	t.Helper()
	for _, id := range b.decoders(t) {
		if status, err := os.ReadFile(filepath.Join("/proc", id, "status")); err == nil && bytes.Contains(status, []byte(confined)) {
			n++
		}
	}
	return n
}

// deathbed is the patience with decoders that die with their server.
func deathbed() patience.Patience {
	return patience.Patience{Idle: 10 * time.Second, Effort: time.Minute}
}

func numbers(processes []string) []int {
	list := []int{0} // nobody has this number; with an empty list all of this process would be meant
	for _, id := range processes {
		if n, err := strconv.Atoi(id); err == nil {
			list = append(list, n)
		}
	}
	return list
}

func copyFile(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
