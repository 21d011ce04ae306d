package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/batch"
	"github.com/spotter-video/spotter/internal/face"
)

// stage is a progress with a clock that the test turns.
type stage struct {
	*progress
	out *bytes.Buffer
	at  time.Time
}

func newStage(columns func() int, quiet bool) *stage {
	s := &stage{out: &bytes.Buffer{}, at: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	s.progress = newProgress(s.out, func() time.Time { return s.at }, columns, quiet)
	return s
}

func (s *stage) after(d time.Duration, e batch.Event) {
	s.at = s.at.Add(d)
	s.Show(e)
}

func (s *stage) play() {
	info := face.VideoInfo{Duration: 3 * time.Minute, Codec: "h264", Width: 1280, Height: 720}
	s.after(0, batch.EnrolmentStarted{Photos: 3})
	s.after(time.Second, batch.PhotoDone{Done: 1, Photos: 3})
	s.after(0, batch.Noted{Path: "people/BEN/\x1b[31m.jpg", Reason: "no face was found", Refused: true})
	s.after(0, batch.Noted{Path: "people/notes.txt", Reason: "not a photo"})
	s.after(time.Second, batch.EnrolmentDone{Faces: 2, People: 1})
	s.after(0, batch.VideoStarted{Video: 0, Videos: 2, Path: "in/a.mp4", Info: info})
	for i := range 4 {
		s.after(6*time.Second, batch.VideoProgress{
			Video: 0, Analysed: time.Duration(i+1) * 40 * time.Second, Faces: 10 * (i + 1),
		})
	}
	s.after(time.Second, batch.Annotating{Video: 0, Written: time.Minute})
	s.after(time.Second, batch.VideoDone{
		Video: 0, Path: "in/a.mp4", Length: info.Duration,
		Took: 26 * time.Second, Faces: 50, Persons: 3, Warnings: []string{"2 damaged packets"},
	})
	s.after(0, batch.VideoStarted{Video: 1, Videos: 2, Path: "in/b.mp4", Info: info})
	s.after(time.Second, batch.VideoProgress{Video: 1, Analysed: time.Second, Faces: 1})
	s.after(time.Second, batch.VideoDone{Video: 1, Path: "in/b.mp4", Err: errors.New("the decoder\nfell over")})
}

func TestProgressPiped(t *testing.T) {
	t.Parallel()
	s := newStage(nil, false)
	s.play()
	want := `warning: people/BEN/?[31m.jpg: no face was found
note: people/notes.txt: not a photo
looking for 1 person (2 photos)
in/a.mp4: searching 3:00 of h264, 1280 x 720
[1/2] a.mp4: 44 %  1:20 / 3:00  6.7x  20 faces
[1/2] a.mp4: 89 %  2:40 / 3:00  6.7x  40 faces
in/a.mp4: done in 26s (6.9x real time), 50 faces of 3 people
in/b.mp4: searching 3:00 of h264, 1280 x 720
error: in/b.mp4: the decoder?fell over
`
	if d := cmp.Diff(want, s.out.String()); d != "" {
		t.Error("lines (-want +got):\n" + d)
	}
}

func TestProgressQuiet(t *testing.T) {
	t.Parallel()
	s := newStage(func() int { return 80 }, true)
	s.play()
	want := "warning: people/BEN/?[31m.jpg: no face was found\nerror: in/b.mp4: the decoder?fell over\n"
	if d := cmp.Diff(want, s.out.String()); d != "" {
		t.Error("lines (-want +got):\n" + d)
	}
}

func TestProgressWarns(t *testing.T) {
	t.Parallel()
	s := newStage(nil, true)
	s.warnings = true
	s.play()
	if want := "\nwarning: in/a.mp4: 2 damaged packets\nerror: "; !strings.Contains(s.out.String(), want) {
		t.Errorf("%q is not in\n%s", want, s.out)
	}
}

func TestProgressOnTerminal(t *testing.T) {
	t.Parallel()
	s := newStage(func() int { return 80 }, false)
	s.play()
	s.Clear()
	screen := strings.Split(onScreen(s.out.String()), "\n")
	want := []string{
		"warning: people/BEN/?[31m.jpg: no face was found",
		"note: people/notes.txt: not a photo",
		"looking for 1 person (2 photos)",
		"in/a.mp4: searching 3:00 of h264, 1280 x 720",
		"in/a.mp4: done in 26s (6.9x real time), 50 faces of 3 people",
		"in/b.mp4: searching 3:00 of h264, 1280 x 720",
		"error: in/b.mp4: the decoder?fell over",
		"",
	}
	if d := cmp.Diff(want, screen); d != "" {
		t.Error("what stays on the screen (-want +got):\n" + d)
	}
	for _, drawn := range []string{
		"enrolling  ━━━━", "[1/2] a.mp4  ━", "0:40 / 3:00  6.7x  10 faces", "[2/2] b.mp4  ━", "51 faces",
		"left", "annotating a.mp4  ━",
	} {
		if !strings.Contains(s.out.String(), drawn) {
			t.Errorf("%q was never drawn in %q", drawn, s.out.String())
		}
	}
}

// onScreen is what a terminal shows in the end of lines that are drawn over.
func onScreen(s string) string {
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		parts := strings.Split(line, "\r")
		lines = append(lines, strings.TrimSuffix(strings.TrimPrefix(parts[len(parts)-1], "\x1b[K"), "\x1b[K"))
	}
	return strings.Join(lines, "\n")
}

func TestBarFits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		label := printable(rapid.String().Draw(t, "label"))
		share := rapid.Float64().Draw(t, "share")
		facts := printable(rapid.StringN(0, 40, -1).Draw(t, "facts"))
		width := rapid.IntRange(-1, 200).Draw(t, "width")
		if got := bar(label, share, facts, width); columns(got) > max(width, 0) {
			t.Fatalf("%q takes %d of %d columns", got, columns(got), width)
		}
	})
}

func TestBar(t *testing.T) {
	t.Parallel()
	for width, want := range map[int]string{
		70: "clip.mp4  ━━━━━━━━━━━━━━━━━━━━────────────────────  1:00 / 2:00",
		40: "clip.mp4  ━━━━━━━━─────────  1:00 / 2:00",
		30: "cli…mp4  ━━━━────  1:00 / 2:00",
		22: "━━━━─────  1:00 / 2:00",
		12: "1:00 / 2:00",
		6:  "1:0…00",
		0:  "",
	} {
		if got := bar("clip.mp4", 0.5, "1:00 / 2:00", width); got != want {
			t.Errorf("at %d columns: %q, want %q", width, got, want)
		}
	}
}
