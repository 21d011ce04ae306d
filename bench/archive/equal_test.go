package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/bench/internal/evaluation"
	"github.com/spotter-video/spotter/internal/batch"
	"github.com/spotter-video/spotter/internal/config"
)

// world is the evaluation's clips and people, and an archive of the clips.
type world struct {
	config         config.Config
	clips          []string
	people, folder string
	archive        string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	root := filepath.Join("..", "..")
	data := evaluation.Default()
	if !filepath.IsAbs(data) {
		data = filepath.Join(root, data)
	}
	w := &world{config: config.Default(), folder: t.TempDir()}
	w.config.Helper, w.config.Models = config.Path(filepath.Join(root, "bin", "spotter-decode")), config.Path(filepath.Join(root, "models", "default"))
	w.config.PhotoCache = config.Path(filepath.Join(w.folder, "photos"))
	clips, err := filepath.Glob(filepath.Join(data, "clips", "*.mp4"))
	if err != nil || len(clips) == 0 {
		t.Skipf("the evaluation data are absent (%s, %v); SPOTTER_EVALUATION says where they are", data, err)
	}
	for _, needed := range []string{string(w.config.Helper), string(w.config.Models)} {
		if _, err = os.Stat(needed); err != nil {
			t.Skip("not set up (make setup): ", err)
		}
	}
	for _, clip := range clips {
		w.clips = append(w.clips, absolute(t, clip))
	}
	w.people, w.archive = filepath.Join(w.folder, "people"), filepath.Join(w.folder, "all.spotter")
	if err = os.Mkdir(w.people, 0o700); err != nil {
		t.Fatal(err)
	}
	everybody, err := filepath.Glob(filepath.Join(data, "enrol", "*", "*"))
	if err != nil || len(everybody) == 0 {
		t.Fatal("nobody to look for: ", err)
	}
	for _, folder := range everybody {
		if err = os.Symlink(absolute(t, folder), filepath.Join(w.people, filepath.Base(folder))); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// searched is what a search of the clips, or of what an archive has of them, writes as documents, and as lines of who was found.
func (w *world) searched(t *testing.T, in string) (documents, lines []string) {
	t.Helper()
	var one, other bytes.Buffer
	d, l := batch.NewOutput(batch.JSON, &one, batch.Layout{}), batch.NewFindOutput(batch.JSON, &other, batch.Layout{})
	r := batch.Request{Videos: w.clips, In: in, Faces: w.people, Now: time.Now, Each: func(f *batch.Found) error {
		return errors.Join(d.Add(f), l.Add(f))
	}}
	if err := batch.Search(t.Context(), w.config, r); err != nil {
		t.Fatal(err)
	}
	return sorted(one.String()), sorted(other.String())
}

// found is what is found in the archive.
func (w *world) found(t *testing.T) []string {
	t.Helper()
	var out bytes.Buffer
	l := batch.NewFindOutput(batch.JSON, &out, batch.Layout{})
	if _, err := batch.Find(t.Context(), w.config, batch.Finding{Faces: w.people, In: w.archive, Each: l.Add, Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	return sorted(out.String())
}

// TestEveryClipAnswersTheSame searches the evaluation's clips, each by itself, and asks an archive of them, for everybody at once: the
// documents have the same bytes, and those who are found are found in the same clips, at the same times, as much alike, at any threshold.
func TestEveryClipAnswersTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := batch.Index(t.Context(), w.config, batch.Indexing{Videos: w.clips, Archive: w.archive, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	w.config.Threshold = 50
	documents, lines := w.searched(t, "")
	recalled, those := w.searched(t, w.archive)
	if d := cmp.Diff(documents, recalled); d != "" || len(documents) != len(w.clips) {
		t.Error("documents (-search +archive):\n" + d)
	}
	if d := cmp.Diff(lines, those); d != "" {
		t.Error("lines (-search +archive):\n" + d)
	}
	for _, threshold := range []config.Threshold{50, 80, 95, 99} {
		w.config.Threshold = threshold
		_, want := w.searched(t, w.archive)
		if d := cmp.Diff(want, w.found(t)); d != "" || len(want) < 3 {
			t.Errorf("at %v %d lines (-search +find):\n%s", threshold, len(want), d)
		}
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func sorted(lines string) []string {
	return slices.Sorted(strings.Lines(lines))
}
