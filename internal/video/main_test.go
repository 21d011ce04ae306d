package video

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// helperPath is spotter-decode, built once for all tests; empty where it cannot be built.
var helperPath, helperProblem string

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case StageCommand:
			os.Exit(StageMain(os.Args[2:]))
		case shortCommand:
			os.Exit(shortOfFiles(os.Args[2], os.Args[3]))
		case ServeCommand:
			os.Exit(liar(strings.ReplaceAll(filepath.Base(os.Args[0]), "-", " ")))
		}
	}
	os.Exit(withHelper(m))
}

func withHelper(m *testing.M) int {
	dir, err := os.MkdirTemp("", "spotter-video")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, helperName)
	// With the flags of 'make build', which has compiled it.
	out, err := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-o", path,
		"github.com/spotter-video/spotter/cmd/spotter-decode").CombinedOutput()
	if err != nil {
		helperProblem = string(out)
	} else {
		helperPath = path
	}
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if children := childProcesses(); len(children) > 0 {
			fmt.Fprintln(os.Stderr, "processes left over:", children)
			return 1
		}
	}
	return code
}

// childProcesses are the process ids of this process's children, dead ones that nobody waited for included.
func childProcesses() []string {
	var found []string
	tasks, _ := filepath.Glob("/proc/self/task/*/children")
	for _, t := range tasks {
		b, _ := os.ReadFile(t)
		found = append(found, strings.Fields(string(b))...)
	}
	return found
}

// newDecoder is a decoder with the real helper.
func newDecoder(tb testing.TB, change ...func(*Config)) *Decoder {
	tb.Helper()
	if helperPath == "" {
		tb.Skip("spotter-decode cannot be built here (libav headers, pkg-config and gcc are needed): " + helperProblem)
	}
	cfg := DefaultConfig()
	cfg.Helper = helperPath
	for _, f := range change {
		f(&cfg)
	}
	d, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// newTool is a decoder without the helper: the ffmpeg command line.
func newTool(tb testing.TB, change ...func(*Config)) *Decoder {
	tb.Helper()
	needFFmpeg(tb)
	cfg := DefaultConfig()
	for _, f := range change {
		f(&cfg)
	}
	d, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	d.helper = ""
	return d
}

func needFFmpeg(tb testing.TB) {
	tb.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		tb.Skip("ffmpeg, which makes the test videos, is not installed")
	}
}

// segmentsOf sets the length of segments.
func segmentsOf(length time.Duration) func(*Config) {
	return func(c *Config) { c.Limits.SegmentLength = length }
}

func open(tb testing.TB, path string) *os.File {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() })
	return f
}

func wantKind(tb testing.TB, err error, want Kind) {
	tb.Helper()
	_ = ofKind(tb, err, want)
}

// ofKind is an error of this package, of the wanted kind and with a sentence for a reason.
func ofKind(tb testing.TB, err error, want Kind) *Error {
	tb.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Kind != want {
		tb.Fatalf("error %v, want one of kind %q", err, want)
	}
	if len(e.Reason) < 10 || !strings.HasSuffix(e.Reason, ".") {
		tb.Errorf("reason %q is no sentence", e.Reason)
	}
	return e
}
