package report

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
)

func TestSubtitles(t *testing.T) {
	t.Parallel()
	g := gallery(t, "Anna", "Bob")
	v := &Video{Info: face.VideoInfo{Width: 1280, Height: 720}}
	v.Sightings = slices.Concat(seen(0, 1000, 1400, match(1, 98.44)), seen(1, 2000, 2000), seen(0, 9000, 9000, match(2, 80)))
	golden(t, "office.ass", subtitles(t, v, &g))
}

// TestSubtitlesNumberStrangersAsThePageDoes has a known person with a look that resembles nobody between two strangers.
func TestSubtitlesNumberStrangersAsThePageDoes(t *testing.T) {
	t.Parallel()
	g := gallery(t, "Anna")
	v := &Video{Info: face.VideoInfo{Width: 1280, Height: 720}}
	v.Sightings = slices.Concat(seen(5, 0, 0), seen(2, 1000, 1000, match(1, 90)), seen(2, 2000, 2000), seen(1, 3000, 3000))
	var labels []string
	for _, label := range regexp.MustCompile(`Label,.*}(.*)`).FindAllStringSubmatch(subtitles(t, v, &g), -1) {
		labels = append(labels, label[1])
	}
	want := []string{"Stranger 2", "Anna 90.0%", "not recognised", "Stranger 1"}
	if diff := cmp.Diff(want, labels); diff != "" {
		t.Error(diff)
	}
	for _, s := range Summarise(v, &g, 5).Strangers {
		if name := map[int]string{1: "Stranger 1", 5: "Stranger 2"}[s.Person]; strangerName(s.Number) != name {
			t.Errorf("person %d is %s on the page, want %s", s.Person, strangerName(s.Number), name)
		}
	}
}

func TestSubtitlesMoveOnlyWhatMoves(t *testing.T) {
	t.Parallel()
	g := gallery(t, "Anna")
	at := func(t int, left float32) face.Sighting {
		return face.Sighting{
			Time: ms(t), Matches: []face.Match{match(1, 90)},
			Detection: face.Detection{Box: face.Box{Left: left, Top: 0.25, Width: 0.2, Height: 0.5}},
		}
	}
	for name, tc := range map[string]struct {
		sightings []face.Sighting
		want      []string // start, end and left edge of each box
	}{
		"one": {[]face.Sighting{at(1000, 0.1)}, []string{"0:00:01.00 0:00:01.10 10"}},
		"still": {
			[]face.Sighting{at(1000, 0.1), at(1200, 0.1), at(1400, 0.1)},
			[]string{"0:00:01.00 0:00:01.50 10"},
		},
		"moving": {
			[]face.Sighting{at(1000, 0.1), at(1200, 0.12)},
			[]string{"0:00:01.00 0:00:01.10 10", "0:00:01.10 0:00:01.20 11", "0:00:01.20 0:00:01.30 12"},
		},
		"a sample missed": {
			[]face.Sighting{at(1000, 0.1), at(1400, 0.14)},
			[]string{
				"0:00:01.00 0:00:01.10 10", "0:00:01.10 0:00:01.20 11", "0:00:01.20 0:00:01.30 12",
				"0:00:01.30 0:00:01.40 13", "0:00:01.40 0:00:01.50 14",
			},
		},
		"gone and back": {
			[]face.Sighting{at(1000, 0.1), at(1600, 0.1)},
			[]string{"0:00:01.00 0:00:01.10 10", "0:00:01.60 0:00:01.70 10"},
		},
		"a cut": {
			[]face.Sighting{at(1000, 0.1), at(1200, 0.6)},
			[]string{"0:00:01.00 0:00:01.10 10", "0:00:01.20 0:00:01.30 60"},
		},
		"twice at once": {
			[]face.Sighting{at(1000, 0.1), at(1000, 0.6), at(1200, 0.6), at(1200, 0.1)},
			[]string{"0:00:01.00 0:00:01.30 10", "0:00:01.00 0:00:01.30 60"},
		},
		"outside": {[]face.Sighting{at(1000, 1.5)}, nil},
	} {
		v := &Video{Info: face.VideoInfo{Width: 100, Height: 100}, Sightings: tc.sightings}
		var got []string
		frame := regexp.MustCompile(`Dialogue: 0,([^,]+),([^,]+),Frame.*\\p1}m (\d+)`)
		for _, m := range frame.FindAllStringSubmatch(subtitles(t, v, &g), -1) {
			got = append(got, strings.Join(m[1:], " "))
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestSubtitlesEscapeText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Anna":          "Anna",
		`{\b1}x`:        `\{` + "\\\u2060" + `b1\}x`,
		`a\Nb`:          "a\\\u2060Nb",
		"a\nDialogue: ": "a�Dialogue: ",
	} {
		if got := assText(in); got != want {
			t.Errorf("assText(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestSubtitlesStayWellFormed holds that no name, font or box breaks out of its line or its block.
func TestSubtitlesStayWellFormed(t *testing.T) {
	t.Parallel()
	line := regexp.MustCompile(`^(Dialogue: [01],\d+:\d\d:\d\d\.\d\d,\d+:\d\d:\d\d\.\d\d,(Frame|Label),,0,0,0,,|Style: |Format: |\[|` +
		`ScriptType: |PlayRes|Scaled|WrapStyle|YCbCr|$)`)
	head := gallery(t)
	golden := strings.Count(subtitles(t, &Video{Info: face.VideoInfo{Width: 10, Height: 10}}, &head), "\n")
	rapid.Check(t, func(r *rapid.T) {
		g := gallery(t, rapid.String().Draw(r, "name"))
		number := rapid.OneOf(rapid.Float32Range(-1, 2), rapid.Float32())
		v := &Video{Info: face.VideoInfo{Width: 640, Height: 360}}
		for i := range rapid.IntRange(1, 5).Draw(r, "sightings") {
			v.Sightings = append(v.Sightings, face.Sighting{
				Time: ms(i * 200), Matches: []face.Match{match(1, 90)},
				Detection: face.Detection{Box: face.Box{
					Left: number.Draw(r, "left"), Top: number.Draw(r, "top"),
					Width: number.Draw(r, "width"), Height: number.Draw(r, "height"),
				}},
			})
		}
		var b strings.Builder
		if err := Subtitles(&b, v, &g, SubtitleOptions{SampleRate: 5, Font: rapid.String().Draw(r, "font")}); err != nil {
			r.Fatal(err)
		}
		lines := strings.Split(b.String(), "\n")
		for _, l := range lines {
			if !line.MatchString(l) {
				r.Fatalf("line %q", l)
			}
		}
		if (len(lines)-1-golden)%2 != 0 {
			r.Fatalf("%d lines of events: boxes and labels do not pair", len(lines)-1-golden)
		}
	})
}

func TestSubtitlesNeedASize(t *testing.T) {
	t.Parallel()
	if err := Subtitles(&bytes.Buffer{}, &Video{}, &Gallery{}, SubtitleOptions{}); err == nil {
		t.Error("no error for a video without a size")
	}
}

func TestColorsAreDistinct(t *testing.T) {
	t.Parallel()
	seen := map[rgb]int{}
	for i := range 40 {
		for _, c := range []rgb{vivid(i), pale(i)} {
			if j, taken := seen[c]; taken {
				t.Errorf("colours %d and %d are both %v", j, i, c)
			}
			seen[c] = i
		}
	}
	if c := hsl(0, 1, 0.5); c != (rgb{255, 0, 0}) {
		t.Errorf("red is %v", c)
	}
}

// TestSubtitlesBurnIn renders the script with ffmpeg and libass, and looks for the box and the label's background.
func TestSubtitlesBurnIn(t *testing.T) {
	t.Parallel()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is not installed")
	}
	filters, err := exec.CommandContext(t.Context(), ffmpeg, "-hide_banner", "-filters").Output()
	if err != nil || !bytes.Contains(filters, []byte(" ass ")) {
		t.Skip("this ffmpeg has no ass filter")
	}
	g := gallery(t, `Anna {\pos(0,0)}\N`)
	v := &Video{Info: face.VideoInfo{Width: 640, Height: 360}}
	for i := range 10 {
		v.Sightings = append(v.Sightings, face.Sighting{
			Time: time.Duration(i) * 200 * time.Millisecond, Matches: []face.Match{match(1, 98.4)},
			Detection: face.Detection{Box: face.Box{Left: 0.25, Top: 0.5, Width: 0.25, Height: 0.25}},
		})
	}
	folder := t.TempDir()
	if err = os.WriteFile(filepath.Join(folder, "faces.ass"), []byte(subtitles(t, v, &g)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-f", "lavfi", "-i", "color=black:s=640x360:r=10:d=2",
		"-vf", "format=rgb24,ass=faces.ass", "-ss", "1", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
	cmd.Dir = folder
	frame, err := cmd.Output()
	if err != nil || len(frame) != 640*360*3 {
		t.Fatalf("%d bytes, %v", len(frame), err)
	}
	at := func(x, y int) rgb { p := frame[3*(640*y+x):]; return rgb{p[0], p[1], p[2]} }
	near := func(a, b rgb) bool {
		d := func(x, y uint8) int { return max(int(x)-int(y), int(y)-int(x)) }
		return d(a.r, b.r) < 12 && d(a.g, b.g) < 12 && d(a.b, b.b) < 12
	}
	color := vivid(0)
	for name, p := range map[string][2]int{
		"left edge": {161, 230}, "right edge": {318, 230}, "lower edge": {240, 268}, "label": {162, 170},
	} {
		if got := at(p[0], p[1]); !near(got, color) {
			t.Errorf("%s is %v, want %v", name, got, color)
		}
	}
	for name, p := range map[string][2]int{"inside": {240, 230}, "outside": {400, 300}, "far corner": {5, 5}} {
		if got := at(p[0], p[1]); !near(got, rgb{}) {
			t.Errorf("%s is %v, want black", name, got)
		}
	}
}

func subtitles(tb testing.TB, v *Video, g *Gallery) string {
	tb.Helper()
	var b strings.Builder
	if err := Subtitles(&b, v, g, SubtitleOptions{SampleRate: 5}); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}
