package report

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
)

func TestTable(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]TableOptions{
		"office.txt":        {},
		"office-narrow.txt": {Columns: 60, Lines: 3},
	} {
		var b strings.Builder
		if err := Table(&b, office(t), opts); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.String())
	}
}

func TestTableByPerson(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]TableOptions{"archive.txt": {}, "archive-narrow.txt": {Columns: 60}} {
		var b strings.Builder
		if err := Table(&b, archive(t), opts); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.String())
	}
}

// TestTableByPersonCutsNoName has names longer than a terminal: of whom and which file it speaks must be told.
func TestTableByPersonCutsNoName(t *testing.T) {
	t.Parallel()
	run := archive(t)
	long := strings.Repeat("a long folder/", 12) + "clip.mp4"
	run.Videos[0].Name, run.Gallery.Person[id(3)], run.Gallery.Person[id(4)] = long, strings.Repeat("花", 60), strings.Repeat("n", 150)
	var b strings.Builder
	if err := Table(&b, run, TableOptions{Columns: 80}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{long, run.Gallery.Person[id(3)], run.Gallery.Person[id(4)]} {
		if !strings.Contains(b.String(), name) {
			t.Errorf("%s is not in\n%s", name, b.String())
		}
	}
}

func TestTableSaysOnceWhatIsOddWithManyVideos(t *testing.T) {
	t.Parallel()
	run := archive(t)
	for i := range run.Videos {
		run.Videos[i].Cautions = []string{"names may be wrong"}
	}
	var b strings.Builder
	if err := Table(&b, run, TableOptions{}); err != nil {
		t.Fatal(err)
	}
	const want = "\ncaution: names may be wrong (7 videos: c/party.mp4, b/street #1.mp4, b/empty.mp4 and 4 more)\n"
	if !strings.Contains(b.String(), want) {
		t.Errorf("no line %q in\n%s", want, b.String())
	}
}

func TestTableOfManyPeople(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 40 {
		names = append(names, strings.Repeat(string(rune('A'+i%26)), 1+2*i))
	}
	run := &Run{Gallery: gallery(t, names...), Threshold: 80, SampleRate: 5, Videos: []Video{{Name: "clip.mp4"}}}
	for i := range 25 {
		run.Videos[0].Sightings = append(run.Videos[0].Sightings, seen(i, i*1000, i*1000+400, match(i+1, 85))...)
	}
	var b strings.Builder
	if err := Table(&b, run, TableOptions{Columns: 80}); err != nil {
		t.Fatal(err)
	}
	golden(t, "many.txt", b.String())
	for line := range strings.Lines(b.String()) {
		if columns(strings.TrimSuffix(line, "\n")) > 80 {
			t.Errorf("line of %d columns: %s", columns(line), line)
		}
	}
}

func TestTableNeutralisesControlCharacters(t *testing.T) {
	t.Parallel()
	for _, by := range []Grouping{ByClip, ByPerson} {
		run := hostile(t)
		run.By = by
		var b strings.Builder
		if err := Table(&b, run, TableOptions{}); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.String() {
			if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0) || r == '\u202e' {
				t.Fatalf("control character %U in\n%s", r, b.String())
			}
		}
	}
}

func TestRenderersReturnTheWritersError(t *testing.T) {
	t.Parallel()
	run := office(t)
	for name, render := range map[string]func(io.Writer) error{
		"table": func(w io.Writer) error { return Table(w, run, TableOptions{}) },
		"CSV":   func(w io.Writer) error { return CSV(w, run) },
		"HTML":  func(w io.Writer) error { return HTML(w, run) },
		"subtitles": func(w io.Writer) error {
			return Subtitles(w, &run.Videos[0], &run.Gallery, SubtitleOptions{SampleRate: 5})
		},
	} {
		if err := render(brokenPipe{}); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: error %v, want the writer's", name, err)
		}
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// hostile is a run whose every text tries to be something else.
func hostile(tb testing.TB) *Run {
	tb.Helper()
	names := []string{
		`<script>document.title="owned"</script>`,
		`"><img src=x onerror=document.title='owned'>`,
		`=cmd|' /C calc'!A0`,
		"\x1b]0;owned\x07\u202e\nAnna",
		`</style></script><svg/onload=document.title="owned">`,
		`{\b1\fs200}\N\h{`,
		`javascript:alert(1)`,
	}
	run := &Run{Gallery: gallery(tb, names...), Threshold: 80, SampleRate: 5, Version: names[0]}
	v := Video{
		Name: names[1], Info: face.VideoInfo{Codec: names[0], Format: names[1], Width: 640, Height: 360},
		Warnings: names, Err: errors.New(names[0] + names[3]), Portraits: map[int][]byte{0: []byte(names[1])},
	}
	for i := range names {
		v.Sightings = append(v.Sightings, seen(i, i*3000, i*3000+1000, match(i+1, 90), match((i+1)%7+1, 85))...)
	}
	v.Sightings = append(v.Sightings, seen(9, 40_000, 41_000)...)
	run.Videos = []Video{v, {Name: names[4]}}
	run.Notes, run.Folder = names, "/"
	for i, name := range names { // also as the names of files, and with nobody but the one person in them
		run.Videos = append(run.Videos, Video{
			Name: name, Path: "/" + name, Sightings: seen(0, 0, 1000, match(i+1, 90)), Partial: names[i:],
		})
	}
	return run
}
