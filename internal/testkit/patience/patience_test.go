package patience_test

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/spotter-video/spotter/internal/testkit/patience"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const plenty = time.Hour

// run starts a shell's script, and ends it with all its children when the test does.
func run(t *testing.T, script string) (pid int) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

func over(t *testing.T, p patience.Patience, processes ...int) {
	t.Helper()
	ctx, cancel := p.Context(t.Context(), processes...)
	defer cancel()
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, patience.ErrOver) {
		t.Errorf("the context ends with %v", cause)
	}
}

func TestIdleProcessesSpendPatience(t *testing.T) {
	t.Parallel()
	over(t, patience.Patience{Idle: time.Second, Effort: plenty}, run(t, "sleep 3600; true"))
	over(t, patience.Patience{Idle: time.Second, Effort: plenty}, 0) // there is no such process
}

func TestProcessesThatRunInCirclesSpendPatience(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("this system does not tell what a process uses")
	}
	over(t, patience.Patience{Idle: plenty, Effort: time.Second}, run(t, "(while :; do :; done) & wait"))
}

// A process that works, be it as slow as it may, is waited for longer than one that does nothing: until a process that is
// idle has cost the same patience more than twice.
func TestProcessesThatWorkAreWaitedFor(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("this system does not tell what a process uses")
	}
	p := patience.Patience{Idle: time.Second, Effort: plenty}
	ctx, cancel := p.Context(t.Context(), run(t, "(while :; do :; done) & wait"))
	defer cancel()
	idle := run(t, "sleep 3600; true")
	over(t, p, idle)
	over(t, p, idle)
	if ctx.Err() != nil {
		t.Error("nobody waits for a process that works")
	}
}

func TestUntil(t *testing.T) {
	t.Parallel()
	asked := 0
	p := patience.Patience{Idle: plenty, Effort: plenty}
	if !p.Until(t.Context(), func() bool { asked++; return asked == 3 }) || asked != 3 {
		t.Errorf("asked %d times, want 3", asked)
	}
	short := patience.Patience{Idle: time.Second, Effort: plenty}
	if short.Until(t.Context(), func() bool { return false }, run(t, "sleep 3600; true")) {
		t.Error("what never happens has happened")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if p.Until(ctx, func() bool { return false }) {
		t.Error("what never happens has happened under a context that had ended")
	}
}
