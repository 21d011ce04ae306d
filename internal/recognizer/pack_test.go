package recognizer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoadPackRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string)
		says  string
	}{
		"no folder":   {func(t *testing.T, dir string) { t.Helper(); remove(t, dir) }, "make setup"},
		"no manifest": {func(t *testing.T, dir string) { t.Helper(); remove(t, filepath.Join(dir, ManifestName)) }, ManifestName},
		"no model":    {func(t *testing.T, dir string) { t.Helper(); remove(t, filepath.Join(dir, "e.onnx")) }, "e.onnx"},
		"a changed model": {func(t *testing.T, dir string) {
			t.Helper()
			path := filepath.Join(dir, "e.onnx")
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			content[len(content)/2] ^= 1
			write(t, path, content)
		}, "sha256"},
		"a model that grew": {func(t *testing.T, dir string) {
			t.Helper()
			write(t, filepath.Join(dir, "e.onnx"), make([]byte, 1<<20))
		}, "regular file of at most"},
		"a folder for a model": {func(t *testing.T, dir string) {
			t.Helper()
			remove(t, filepath.Join(dir, "e.onnx"))
			if err := os.Mkdir(filepath.Join(dir, "e.onnx"), 0o700); err != nil {
				t.Fatal(err)
			}
		}, "regular file"},
		"a link out of the folder": {func(t *testing.T, dir string) {
			t.Helper()
			outside := filepath.Join(t.TempDir(), "e.onnx")
			write(t, outside, embedderModel())
			remove(t, filepath.Join(dir, "e.onnx"))
			if err := os.Symlink(outside, filepath.Join(dir, "e.onnx")); err != nil {
				t.Fatal(err)
			}
		}, "e.onnx"},
		"no cohort": {func(*testing.T, string) {}, "bench/cohort"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := scrfdPack(t)
			c.spoil(t, dir)
			if _, err := LoadPack(dir); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error is %v and should speak of %q", err, c.says)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func TestModelIDFollowsWhatDecidesEmbeddings(t *testing.T) {
	t.Parallel()
	id := modelID(valid())
	if !strings.HasPrefix(string(id), "tiny-1.2.3-") {
		t.Errorf("the id is %q", id)
	}
	same, flip, colours := valid(), valid(), valid()
	same.Detector.MinScore = 0.9
	flip.Embedder.Flip = false
	colours.Embedder.Input.Colours = "BGR"
	if modelID(same) != id {
		t.Error("a detector's threshold changes the id")
	}
	if modelID(flip) == id || modelID(colours) == id {
		t.Error("other embeddings have the same id")
	}
}

func TestRuntimeIsSharedAndFound(t *testing.T) {
	t.Parallel()
	first, second := newRuntime(t), newRuntime(t)
	if first.Version() == "" || first.Path() != second.Path() {
		t.Errorf("version %q, paths %s and %s", first.Version(), first.Path(), second.Path())
	}
	if _, err := NewRuntime(filepath.Join(t.TempDir(), "libnothing.so")); err == nil {
		t.Error("a library that is not there was loaded")
	}
	if path, err := FindRuntime(filepath.Join(t.TempDir(), "none")); err != nil && !strings.Contains(err.Error(), "make setup") {
		t.Errorf("found %q, %v", path, err)
	}
}
