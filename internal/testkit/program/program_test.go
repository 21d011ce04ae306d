package program_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/spotter-video/spotter/internal/testkit/patience"
	"github.com/spotter-video/spotter/internal/testkit/program"
)

func TestMain(m *testing.M) {
	if os.Getenv(parentVariable) != "" {
		parent()
	}
	goleak.VerifyTestMain(m)
}

func shell(script string, ready func(context.Context) error) program.Program {
	return program.Program{Path: "/bin/sh", Arguments: []string{"-c", script}, Ready: ready}
}

func TestStartWaitsAndStopEnds(t *testing.T) {
	t.Parallel()
	mark := filepath.Join(t.TempDir(), "mark")
	asked := 0
	p, err := shell("echo here; trap 'echo bye > "+mark+"; exit' TERM; while :; do sleep 0.01; done", func(context.Context) error {
		if asked++; asked < 5 {
			return errors.New("not yet")
		}
		return nil
	}).Start(t.Context())
	if err != nil || asked != 5 {
		t.Fatalf("started after %d questions, %v", asked, err)
	}
	for !strings.Contains(p.Log(), "here") {
		time.Sleep(time.Millisecond)
	}
	p.Stop()
	p.Stop() // once more does no harm
	if text, err := filepath.Glob(mark); err != nil || len(text) != 1 {
		t.Error("it was not asked to end")
	}
}

func TestProgramsThatDoNotStart(t *testing.T) {
	t.Parallel()
	never := func(context.Context) error { return errors.New("never") }
	if _, err := shell("echo broken; exit 3", never).Start(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "it has exited\nbroken") {
		t.Errorf("a program that exits gives %v", err)
	}
	if _, err := (program.Program{Path: "/no/such/program"}).Start(t.Context()); err == nil {
		t.Error("a program that is not there starts")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := shell("exec sleep 60", never).Start(ctx); !strings.Contains(err.Error(), "it is not ready: never") {
		t.Errorf("a program that is never ready gives %v", err)
	}
}

func TestBuildOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	if _, err := program.Build(t.Context(), "./no-such-tool"); !errors.Is(err, program.ErrBuild) {
		t.Errorf("got %v", err)
	}
}

const parentVariable = "SPOTTER_TEST_PARENT"

// parent is this test binary as the process whose child must not outlive it: it starts one, says its number, and waits to be
// killed.
func parent() {
	cmd := exec.Command("/bin/sh", "-c", "trap '' TERM INT; while :; do sleep 3600; done")
	runtime.LockOSThread() // the first thread of a process never ends: not that one
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // so that the thread ends with this goroutine
		_, err := program.Start(cmd)
		started <- err
	}()
	if err := <-started; err != nil {
		panic(err)
	}
	time.Sleep(100 * time.Millisecond) // for the thread's end, which nobody is told
	fmt.Println(cmd.Process.Pid)
	select {}
}

// TestNothingOutlivesTheTests kills a process that has started a program which listens to no other signal.
func TestNothingOutlivesTheTests(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("this system does not end a process with another one")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), parentVariable+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var child int
	if _, err := fmt.Fscan(out, &child); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(child, 0); err != nil {
		t.Errorf("the program has ended with the thread that asked for it: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	gone := func() bool {
		// Who inherits it may be slow to bury it.
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child))
		return err != nil || strings.Contains(string(state), ") Z ")
	}
	if !(patience.Patience{Idle: 10 * time.Second, Effort: time.Minute}).Until(t.Context(), gone, child) {
		_ = syscall.Kill(child, syscall.SIGKILL)
		t.Error("the program has outlived who started it")
	}
}
