package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/search"
)

// measured gives the options of a measurement on the evaluation data; the test is skipped where they, the program or the
// models are missing.
func measured(t *testing.T) options {
	t.Helper()
	if testing.Short() {
		t.Skip("looks at six clips")
	}
	o := options{
		evaluation: os.Getenv("SPOTTER_EVALUATION"), spotter: filepath.Join("..", "..", "bin", "spotter"),
		models: filepath.Join("..", "..", "models", "default"), threshold: 80,
	}
	if o.evaluation == "" {
		o.evaluation = filepath.Join("..", "..", "..", "shared", "evaluation")
	}
	for what, path := range map[string]string{
		"evaluation data, which SPOTTER_EVALUATION names": o.evaluation, "program ('make build')": o.spotter, "model pack ('make setup')": o.models,
	} {
		if !exists(path) {
			t.Skipf("there are no %s", what)
		}
	}
	return o
}

// TestNobodyBearsAnothersName leaves out each enrolled person of every clip in turn, and enrols each alone.
func TestNobodyBearsAnothersName(t *testing.T) {
	t.Parallel()
	o := measured(t)
	l, err := newLaboratory(o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // the test ends
	var enrolled, nobody wholeness
	for _, c := range clips() {
		n, err := c.study(t.Context(), l, o)
		if err != nil {
			t.Fatal(err)
		}
		if n.LeftOut > 0 || n.Differing > 0 || n.Runs == 0 && !c.StrangersOnly {
			t.Errorf("%v", n)
		}
		enrolled.add(n.Enrolled)
		nobody.add(n.Nobody)
	}
	for what, w := range map[string]wholeness{"everybody": enrolled, "nobody": nobody} {
		t.Logf("%s enrolled: %v", what, w)
		if w.Sightings < 400 || w.pairs() < pairsGoal || w.purity() < purityGoal || w.pieces() > piecesGoal {
			t.Errorf("%s enrolled: %v of %d sightings", what, w, w.Sightings)
		}
	}
}

// TestACopyFindsWhatTheClipFinds joins a clip with itself four times; its length is a whole number of looks.
func TestACopyFindsWhatTheClipFinds(t *testing.T) {
	t.Parallel()
	o := measured(t)
	c := clips()[2]
	one, four := filepath.Join(t.TempDir(), "one.mp4"), filepath.Join(t.TempDir(), "four.mp4")
	ffmpeg(t, "-i", o.path(c.Video), "-frames:v", "250", "-an", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", one)
	ffmpeg(t, "-stream_loop", "3", "-i", one, "-c", "copy", four)
	l, err := newLaboratory(o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // the test ends
	named := func(video string) (sightings, persons int) {
		a, err := l.analyse(t.Context(), video, usualSampleRate)
		if err != nil {
			t.Fatal(err)
		}
		if err = a.enrol(t.Context(), o.path(c.Faces)); err != nil {
			t.Fatal(err)
		}
		r, err := a.answer(t.Context(), 80, everybody)
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Sightings {
			if len(r.Sightings[i].Matches) > 0 {
				sightings++
			}
		}
		return sightings, r.Persons
	}
	want, wantPersons := named(one)
	got, gotPersons := named(four)
	t.Logf("once: %d sightings named, %d persons; four times: %d and %d", want, wantPersons, got, gotPersons)
	if want < 50 || float64(got) < 0.99*4*float64(want) || float64(got) > 1.01*4*float64(want) || gotPersons > wantPersons+4 {
		t.Errorf("four copies have %d named sightings of %d persons, one has %d of %d", got, gotPersons, want, wantPersons)
	}
}

func ffmpeg(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed")
	}
	out, err := exec.CommandContext(t.Context(), "ffmpeg", append([]string{"-y", "-v", "error"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, bytes.TrimSpace(out))
	}
}

func TestWholeness(t *testing.T) {
	t.Parallel()
	var r search.Result
	who := map[place]string{}
	for i, s := range []struct {
		person int
		who    string
	}{{0, "ann"}, {0, "ann"}, {0, "bea"}, {1, "bea"}, {2, "ann"}, {3, ""}} {
		seen := face.Sighting{Person: s.person, Detection: face.Detection{Box: face.Box{Left: float32(i)}}}
		r.Sightings = append(r.Sightings, seen)
		if s.who != "" {
			who[placeOf(&seen, 0)] = s.who
		}
	}
	got := measureWholeness(&r, 0, func(p place) (string, bool) { w, ok := who[p]; return w, ok })
	want := wholeness{Pairs: 3, Right: 1, Sightings: 5, Pure: 4, Identities: 2, Indices: 4}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if s := got.String(); !strings.Contains(s, "2.00 indices") {
		t.Error(s)
	}
}
