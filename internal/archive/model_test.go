package archive_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/archive"
)

// model is what an archive should have.
type model struct {
	files    map[string]archive.File
	videos   map[archive.Sum]int64
	analyses map[int64][]archive.Analysis // by video
	segments map[int64]map[int]string     // by analysis
	codes    map[int64]string
	highest  int64 // id of an analysis
}

// sweep removes the videos that no file has.
func (m *model) sweep() {
	for sum, video := range m.videos {
		used := false
		for _, f := range m.files {
			used = used || f.Video == video
		}
		if !used {
			m.replace(video, nil)
			delete(m.videos, sum)
		}
	}
}

func (m *model) replace(video int64, list []archive.Analysis) {
	for _, x := range m.analyses[video] {
		delete(m.segments, x.ID)
		delete(m.codes, x.ID)
	}
	delete(m.analyses, video)
	if len(list) > 0 {
		m.analyses[video] = list
	}
}

func (m *model) analysis(id int64) *archive.Analysis {
	for _, list := range m.analyses {
		for i := range list {
			if list[i].ID == id {
				return &list[i]
			}
		}
	}
	return nil
}

func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		path := filepath.Join(t.TempDir(), "x.spotter")
		ctx := context.Background()
		a, err := archive.Open(ctx, path)
		ok(r, err)
		defer func() { _ = a.Close() }()
		m := model{
			files: map[string]archive.File{}, videos: map[archive.Sum]int64{}, analyses: map[int64][]archive.Analysis{},
			segments: map[int64]map[int]string{}, codes: map[int64]string{},
		}
		name := rapid.SampledFrom([]string{"/a", "/a/b", "/a\xff", "/c"})
		bytes := rapid.SampledFrom([]string{"", "x", "y\x00z", string(make([]byte, 40_000))})
		id := func(r *rapid.T) int64 { return rapid.Int64Range(0, m.highest+1).Draw(r, "analysis") }
		r.Repeat(map[string]func(*rapid.T){
			"put": func(r *rapid.T) {
				sum := archive.Sum{rapid.ByteRange(0, 2).Draw(r, "sum")}
				f := archive.File{
					Path: name.Draw(r, "path"), Size: rapid.Int64Range(0, 9).Draw(r, "size"),
					Changed: time.Unix(0, rapid.Int64().Draw(r, "changed")), Failure: bytes.Draw(r, "failure"),
				}
				ok(r, a.Put(ctx, &f, sum))
				if video, known := m.videos[sum]; known && video != f.Video {
					r.Fatalf("video %d, want %d", f.Video, video)
				}
				m.videos[sum], m.files[f.Path] = f.Video, f
				m.sweep()
			},
			"fail": func(r *rapid.T) {
				named, failure := name.Draw(r, "path"), bytes.Draw(r, "failure")
				f, known := m.files[named]
				if err := a.Fail(ctx, named, failure); gone(r, err, known) {
					return
				}
				f.Failure = failure
				m.files[named] = f
			},
			"forget": func(r *rapid.T) {
				list := rapid.SliceOfN(name, 0, 3).Draw(r, "paths")
				ok(r, a.Forget(ctx, list))
				for _, path := range list {
					delete(m.files, path)
				}
				m.sweep()
			},
			"begin": func(r *rapid.T) {
				f, known := m.files[name.Draw(r, "of")]
				list := make([]archive.Analysis, rapid.IntRange(0, 2).Draw(r, "tracks"))
				for i := range list {
					list[i] = archive.Analysis{Track: i, Terms: []byte(name.Draw(r, "terms")), Segments: rapid.IntRange(0, 3).Draw(r, "segments")}
				}
				if gone(r, a.Begin(ctx, f.Video, list), known) {
					return
				}
				for _, x := range list {
					if x.ID <= m.highest {
						r.Fatalf("the id %d after %d", x.ID, m.highest)
					}
					m.highest = x.ID
					m.segments[x.ID] = map[int]string{}
				}
				m.replace(f.Video, list)
			},
			"save": func(r *rapid.T) {
				id, n, data := id(r), rapid.IntRange(0, 3).Draw(r, "n"), bytes.Draw(r, "data")
				x := m.analysis(id)
				failed := a.SaveSegment(ctx, id, n, []byte(data), []byte(pictureOf(data)))
				if x != nil && n >= x.Segments {
					if failed == nil {
						r.Fatalf("segment %d of %d", n, x.Segments)
					}
					return
				}
				if gone(r, failed, x != nil) {
					return
				}
				if _, known := m.segments[id][n]; !known {
					m.segments[id][n] = data
				}
			},
			"complete": func(r *rapid.T) {
				id, codes, failure := id(r), bytes.Draw(r, "codes"), bytes.Draw(r, "failure")
				x := m.analysis(id)
				if gone(r, a.Complete(ctx, id, []byte(codes), failure), x != nil) {
					return
				}
				x.Done, x.Failure, m.codes[id] = true, failure, codes
			},
			"reopen": func(r *rapid.T) {
				ok(r, a.Close())
				var failed error
				a, failed = archive.Open(ctx, path)
				ok(r, failed)
			},
			"": func(r *rapid.T) { m.compare(r, a) },
		})
	})
}

func ok(r *rapid.T, err error) {
	if err != nil {
		r.Fatal(err)
	}
}

// gone checks that an error says whether something is there.
func gone(r *rapid.T, err error, there bool) bool {
	if there && err != nil || !there && !errors.Is(err, archive.ErrGone) {
		r.Fatalf("there: %v, and the error is %v", there, err)
	}
	return !there
}

// compare reads everything.
func (m *model) compare(r *rapid.T, a *archive.Archive) {
	ctx := context.Background()
	same := func(what string, got, want any) {
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			r.Fatalf("%s (-want +got):\n%s", what, d)
		}
	}
	var files []archive.File
	ok(r, a.EachFile(ctx, "", func(f *archive.File) error {
		files = append(files, *f)
		return nil
	}))
	var want []archive.File
	for _, path := range slices.Sorted(maps.Keys(m.files)) {
		want = append(want, m.files[path])
	}
	same("files", files, want)
	codes := map[int64]string{}
	ok(r, a.EachCodes(ctx, func(analysis int64, b []byte) error {
		codes[analysis] = string(b)
		return nil
	}))
	same("codes", codes, m.codes)
	stats := archive.Stats{Files: int64(len(m.files)), Videos: int64(len(m.videos))}
	for sum := range 3 {
		video, known, err := a.Video(ctx, archive.Sum{byte(sum)})
		ok(r, err)
		if number, wanted := m.videos[archive.Sum{byte(sum)}]; known != wanted || video != number {
			r.Fatalf("sum %d is video %d, want %d", sum, video, number)
		}
		list, err := a.Analyses(ctx, video)
		ok(r, err)
		same("analyses", list, m.analyses[video])
		for _, x := range list {
			m.compareSegments(r, a, x.ID)
			one, err := a.Analysis(ctx, x.ID)
			ok(r, err)
			same("one analysis", *one, x)
			stats.Analyses, stats.Segments = stats.Analyses+1, stats.Segments+int64(len(m.segments[x.ID]))
		}
	}
	for _, f := range m.files {
		list := m.analyses[f.Video]
		done := len(list) > 0 && !slices.ContainsFunc(list, func(x archive.Analysis) bool { return !x.Done || x.Failure != "" })
		if f.Failure == "" && !done {
			stats.Unfinished++
		}
	}
	got, err := a.Stats(ctx)
	ok(r, err)
	got.Bytes = 0
	same("statistics", got, stats)
}

func (m *model) compareSegments(r *rapid.T, a *archive.Archive, analysis int64) {
	ctx, segments := context.Background(), map[int]string{}
	ok(r, a.EachSegment(ctx, analysis, true, func(n int, data, pictures []byte) error {
		segments[n] = string(data)
		if string(pictures) != pictureOf(string(data)) {
			r.Fatalf("pictures %q beside %q", pictures, data)
		}
		return nil
	}))
	ok(r, a.EachSegment(ctx, analysis, false, func(n int, data, pictures []byte) error {
		if segments[n] != string(data) || len(pictures) > 0 {
			r.Fatalf("without pictures segment %d is %q with %q", n, data, pictures)
		}
		return nil
	}))
	if !maps.Equal(segments, m.segments[analysis]) {
		r.Fatalf("segments of %d: %d, want %d, or others", analysis, len(segments), len(m.segments[analysis]))
	}
	numbers, err := a.Saved(ctx, analysis)
	ok(r, err)
	if want := slices.Sorted(maps.Keys(m.segments[analysis])); !slices.Equal(numbers, want) {
		r.Fatalf("segments of %d: %v, want %v", analysis, fmt.Sprint(numbers), want)
	}
}

// pictureOf is what is kept as pictures beside data.
func pictureOf(data string) string { return "pictures of " + data }
