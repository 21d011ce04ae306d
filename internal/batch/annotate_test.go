package batch

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnnotatedPlaces(t *testing.T) {
	t.Parallel()
	root := tree(t, "in/a.mp4", "in/b.mov", "more/a.avi", "out/", "old.mp4", "empty.mp4")
	if err := os.Truncate(filepath.Join(root, "empty.mp4"), 0); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(root, name) }
	videos := []string{at("in/a.mp4"), at("in/b.mov"), at("more/a.avi")}
	for name, c := range map[string]struct {
		named  string
		videos []string
		want   []string // nil where it must be refused
	}{
		"none":             {"", videos[:1], []string{}},
		"a new file":       {at("new.mp4"), videos[:1], []string{at("new.mp4")}},
		"somebody's file":  {at("old.mp4"), videos[:1], nil},
		"an empty file":    {at("empty.mp4"), videos[:1], []string{at("empty.mp4")}},
		"a folder":         {at("out"), videos, []string{at("out/a.mp4"), at("out/b.mp4"), at("out/a-2.mp4")}},
		"one into folder":  {at("out"), videos[:1], []string{at("out/a.mp4")}},
		"many into a file": {at("new.mp4"), videos, nil},
		"no such folder":   {at("none/new.mp4"), videos[:1], nil},
		"the video itself": {at("in/a.mp4"), videos[:1], nil},
		"over the videos":  {at("in"), videos, nil},
		"a device":         {os.DevNull, videos[:1], nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			places, err := annotatedPlaces(c.named, c.videos, false)
			if (err == nil) != (c.want != nil) {
				t.Fatalf("error %v", err)
			}
			got := []string{}
			for _, p := range places {
				got = append(got, p.Path())
			}
			if d := cmp.Diff(c.want, got); err == nil && d != "" {
				t.Error(d)
			}
		})
	}
}
