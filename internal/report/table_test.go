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
	var b strings.Builder
	if err := Table(&b, hostile(t), TableOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.String() {
		if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0) || r == '\u202e' {
			t.Fatalf("control character %U in\n%s", r, b.String())
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
	return run
}
