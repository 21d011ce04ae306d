package notify

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestFileAppendsLines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jobs.jsonl")
	snd, err := File{Path: path}.open(environment{now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	m := testMessage(t)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if err := snd.send(t.Context(), m); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	lines := readLines(t, path)
	if len(lines) != 20 {
		t.Fatalf("there are %d lines, want 20", len(lines))
	}
	for _, line := range lines {
		var got fileLine
		if err := json.Unmarshal([]byte(line), &got); err != nil || got.ID != m.id || got.Topic != testTopic ||
			string(got.Message) != string(m.body) {
			t.Errorf("line %s, %v", line, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v; want it for the owner only", info.Mode(), err)
	}
}

func TestFileEndsATornLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jobs.jsonl")
	if err := os.WriteFile(path, []byte(`{"id":"to`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sendOne(t, File{Path: path}, nil); err != nil {
		t.Fatal(err)
	}
	if lines := readLines(t, path); len(lines) != 2 || !json.Valid([]byte(lines[1])) {
		t.Errorf("the lines are %q, want the new one for itself", lines)
	}
}

func TestFileThatIsNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	photo := filepath.Join(dir, "photo.jpg")
	if err := os.WriteFile(photo, []byte("a photo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"somebody's file": photo, "folder": dir, "in no folder": filepath.Join(dir, "none", "jobs"), "pipe": pipe,
	} {
		if err := sendOne(t, File{Path: path}, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if is, err := os.ReadFile(photo); err != nil || string(is) != "a photo" {
		t.Errorf("the photo is now %q (%v)", is, err)
	}
}

func TestFileThatIsFull(t *testing.T) {
	t.Parallel()
	if err := (&file{path: "/dev/full"}).send(context.Background(), testMessage(t)); err == nil {
		t.Error("no error")
	}
}

func readLines(t *testing.T, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}
