package program_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/spotter-video/spotter/internal/testkit/program"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
