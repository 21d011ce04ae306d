package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/spotter-video/spotter/internal/testkit/media"
	"github.com/spotter-video/spotter/internal/testkit/program"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"spotter": func() {
		os.Exit(int(Main(context.Background(), Process{
			Args: os.Args[1:], Stdout: os.Stdout, Stderr: os.Stderr, LookupEnv: os.LookupEnv, Now: time.Now,
		})))
	}})
}

// TestScripts runs testdata/script. Scripts that search need what 'make setup' makes and skip without it.
func TestScripts(t *testing.T) {
	t.Parallel()
	t.Cleanup(program.TakeSignals())
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	decoder := filepath.Join(root, "bin", "spotter-decode")
	models := filepath.Join(root, "models", "default")
	packages := filepath.Join(root, "node_modules")
	photos := filepath.Join(packages, "@vladmandic", "face-api", "demo")
	missing := missingParts(decoder, filepath.Join(models, "manifest.json"), filepath.Join(photos, "sample6.jpg"))
	if missing != "" {
		t.Logf("%s is missing: scripts that search are skipped; 'make setup' makes it", missing)
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("SPOTTER_MODELS", models)
			if missing == "" {
				e.Setenv("SPOTTER_DECODER", decoder)
			}
			e.Setenv("XDG_CACHE_HOME", filepath.Join(e.WorkDir, ".tmp", "cache"))
			e.Setenv("PACKAGES", packages)
			e.Setenv("PHOTOS", photos)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status, "serving": serving, "call": call, "until": until, "setfrom": setFrom,
			"heic": heic,
		},
		Condition: func(name string) (bool, error) { return name == "ready" && missing == "", nil },
	})
}

// status runs a program that must end with an exit status: status N PROGRAM [ARGUMENT...]
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N PROGRAM [ARGUMENT...]")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit := (*exec.ExitError)(nil)
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// heic makes a HEIC photo of tiles: heic PICTURE FILE
func heic(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: heic PICTURE FILE")
	}
	photo := media.HEIC{Width: 320, Height: 320, Tile: 128}
	ts.Check(photo.Write(context.Background(), ts.MkAbs(args[0]), ts.MkAbs(args[1])))
}

// missingParts names the first part that is missing.
func missingParts(files ...string) string {
	for _, f := range files {
		if _, err := os.Stat(f); err != nil {
			return f
		}
	}
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		return "ffmpeg"
	}
	return ""
}
