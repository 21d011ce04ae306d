package cli

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/spotter-video/spotter/internal/app"
)

func TestOutputAppearsWhole(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path, link := filepath.Join(folder, "real.html"), filepath.Join(folder, "link.html")
	must(t, os.WriteFile(path, []byte("old"), 0o600), os.Symlink("real.html", link))

	f, err := createOutput(link)
	must(t, err)
	_, err = f.WriteString("new")
	must(t, err)
	contains(t, path, "old")
	must(t, f.Commit())
	f.Discard()
	contains(t, path, "new")
	if target, err := os.Readlink(link); err != nil || target != "real.html" {
		t.Errorf("the link leads to %q (%v)", target, err)
	}
	entries(t, folder, 2)
}

func TestOutputIsDiscarded(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	f, err := createOutput(filepath.Join(folder, "x.html"))
	must(t, err)
	entries(t, folder, 1)
	f.Discard()
	entries(t, folder, 0)
}

func TestOutputToDeviceIsWrittenDirectly(t *testing.T) {
	t.Parallel()
	f, err := createOutput(os.DevNull)
	must(t, err)
	_, err = f.WriteString("gone")
	must(t, err, f.Commit())
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Fatalf("%s is no device any more (%v)", os.DevNull, err)
	}
}

func TestOutputRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, path := range map[string]string{"folder": folder, "no folder": filepath.Join(folder, "none", "x.html")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := createOutput(path)
			if usage := (*app.UsageError)(nil); !errors.As(err, &usage) {
				t.Errorf("error %v, want a usage error", err)
			}
		})
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func contains(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s contains %q (%v), want %q", path, got, err, want)
	}
}

func entries(t *testing.T, folder string, want int) {
	t.Helper()
	list, err := os.ReadDir(folder)
	if err != nil || len(list) != want {
		t.Errorf("%d files in the folder (%v), want %d", len(list), err, want)
	}
}
