package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spotter-video/spotter/bench/internal/evaluation"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/search"
)

// naming is what a clip shows of names and persons with every choice of who is enrolled.
type naming struct {
	Clip string `json:"clip"`
	// LeftOut counts the sightings of anybody that bear a name which is not theirs when each enrolled person in turn is
	// left out, or is the only one; Runs are how many choices that were. Second-best names count too.
	LeftOut int `json:"leftOut"`
	Runs    int `json:"runs"`
	// Nearest is the highest similarity of anybody to somebody else in all of these.
	Nearest float64  `json:"nearest"`
	Wrong   []string `json:"wrong,omitempty"`
	// Enrolled and Nobody are how well one person is one index, with everybody and with nobody enrolled.
	Enrolled wholeness `json:"enrolled"`
	Nobody   wholeness `json:"nobody"`
	// Differing counts the sightings whose answer at 80 or 90 is not the answer at 50, filtered.
	Differing int `json:"differing"`
}

// wholeness says how well Person.Index means a person, over the sightings whose person is known.
type wholeness struct {
	// Pairs of sightings with one index, and those of them that are one person.
	Pairs int `json:"pairs"`
	Right int `json:"right"`
	// Sightings, and those that are of the person whom most of their index is of.
	Sightings int `json:"sightings"`
	Pure      int `json:"pure"`
	// Identities, and the indices that they have together.
	Identities int `json:"identities"`
	Indices    int `json:"indices"`
}

func (w *wholeness) add(o wholeness) {
	w.Pairs, w.Right = w.Pairs+o.Pairs, w.Right+o.Right
	w.Sightings, w.Pure = w.Sightings+o.Sightings, w.Pure+o.Pure
	w.Identities, w.Indices = w.Identities+o.Identities, w.Indices+o.Indices
}

func (w wholeness) pairs() float64  { return evaluation.Share(w.Right, w.Pairs) }
func (w wholeness) purity() float64 { return evaluation.Share(w.Pure, w.Sightings) }
func (w wholeness) pieces() float64 { return evaluation.Share(w.Indices, w.Identities) }

func (w wholeness) String() string {
	return fmt.Sprintf("pairs %5.1f %%, purity %5.1f %%, %.2f indices a person", 100*w.pairs(), 100*w.purity(), w.pieces())
}

// everybody and nobody are choices of who is enrolled.
func everybody(string) bool { return true }
func nobody(string) bool    { return false }

// place is one face at one time, whatever its person is numbered.
type place struct {
	at  int // ms after the first video frame
	box face.Box
}

func placeOf(s *face.Sighting, offset int) place {
	return place{int(s.Time.Milliseconds()) - offset, s.Detection.Box}
}

// labeller knows whose face is where, as far as that is known.
type labeller func(place) (person string, known bool)

// studyNames measures a clip's names and persons.
func (c clip) studyNames(ctx context.Context, a *analysed, gt *evaluation.Truth, o options) (naming, error) {
	n := naming{Clip: c.Name}
	low, err := a.answer(ctx, 50, everybody)
	if err != nil {
		return n, err
	}
	label, err := c.labels(a, low, gt, o)
	if err != nil {
		return n, err
	}
	for _, threshold := range []face.Similarity{80, 90} {
		var high *search.Result
		if high, err = a.answer(ctx, threshold, everybody); err != nil {
			return n, err
		}
		n.Differing += differing(low, high, threshold)
	}
	alone, err := a.answer(ctx, 50, nobody)
	if err != nil {
		return n, err
	}
	n.Enrolled, n.Nobody = measureWholeness(low, gt.Offset(), label), measureWholeness(alone, gt.Offset(), label)
	if !c.StrangersOnly {
		err = n.leaveOut(ctx, a, gt, label, face.Similarity(o.threshold))
	}
	return n, err
}

// differing counts the sightings whose matches at a threshold are not those at a lower one, filtered.
func differing(low, high *search.Result, threshold face.Similarity) int {
	if len(low.Sightings) != len(high.Sightings) {
		return len(low.Sightings) + len(high.Sightings)
	}
	n := 0
	for i, s := range low.Sightings {
		want := slices.DeleteFunc(slices.Clone(s.Matches), func(m face.Match) bool { return m.Similarity < threshold })
		if got := high.Sightings[i]; got.Person != s.Person || !slices.Equal(got.Matches, want) {
			n++
		}
	}
	return n
}

// leaveOut searches with each person left out, and for each alone, and counts names that are wrong.
func (n *naming) leaveOut(ctx context.Context, a *analysed, gt *evaluation.Truth, label labeller, threshold face.Similarity) error {
	for _, who := range a.people() {
		for what, admit := range map[string]func(string) bool{
			"without ": func(p string) bool { return p != who }, "only ": func(p string) bool { return p == who },
		} {
			r, err := a.answer(ctx, 1, admit)
			if err != nil {
				return err
			}
			n.Runs++
			n.judge(r, what+who, a, gt, label, threshold)
		}
	}
	slices.Sort(n.Wrong)
	n.Wrong = slices.Compact(n.Wrong)
	return nil
}

func (n *naming) judge(r *search.Result, choice string, a *analysed, gt *evaluation.Truth, label labeller, threshold face.Similarity) {
	for i := range r.Sightings {
		s := &r.Sightings[i]
		at := placeOf(s, gt.Offset())
		is, known := label(at)
		wrong := false
		for _, m := range s.Matches {
			name := a.person(m.ID)
			if known && name == is || !known && !gt.Absent(name, at.at) {
				continue
			}
			n.Nearest = max(n.Nearest, float64(m.Similarity))
			if m.Similarity >= threshold {
				wrong = true
				n.Wrong = append(n.Wrong, fmt.Sprintf("%s: %s is named %s", choice, is, name))
			}
		}
		if wrong {
			n.LeftOut++
		}
	}
}

// labels says whose face is where: by the boxes of the ground truth where there are some; else a face is the visible person
// whose name its own similarity bears, or nobody enrolled where nobody is visible.
func (c clip) labels(a *analysed, all *search.Result, gt *evaluation.Truth, o options) (labeller, error) {
	if c.Frames != "" {
		return readFrames(o.path(c.Frames))
	}
	known := map[place]string{}
	for i := range all.Sightings {
		s := &all.Sightings[i]
		at := placeOf(s, gt.Offset())
		if len(s.Matches) == 0 {
			continue
		}
		if m := s.Matches[0]; m.Own >= face.Similarity(o.threshold) && gt.Visible(a.person(m.ID), at.at) {
			known[at] = a.person(m.ID)
		}
	}
	return func(p place) (string, bool) {
		person, ok := known[p]
		return person, ok
	}, nil
}

// readFrames reads whose face is where in every frame of a made clip.
func readFrames(path string) (labeller, error) {
	f, err := os.Open(path) //nolint:gosec // as above
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	raw, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Frames []struct {
			TMs   int
			Faces []struct {
				ID  string
				Box [4]float32 // left, top, width, height in pixels
			}
		}
	}
	if err := json.NewDecoder(raw).Decode(&doc); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	const width, height = 1280, 720
	return func(p place) (string, bool) {
		best, most := "", float32(0.3)
		for _, frame := range doc.Frames {
			if frame.TMs < p.at-20 || frame.TMs > p.at+20 {
				continue
			}
			for _, it := range frame.Faces {
				b := face.Box{Left: it.Box[0] / width, Top: it.Box[1] / height, Width: it.Box[2] / width, Height: it.Box[3] / height}
				if iou := face.IoU(b, p.box); iou > most {
					best, most = it.ID, iou
				}
			}
		}
		return best, best != ""
	}, nil
}

func measureWholeness(r *search.Result, offset int, label labeller) (w wholeness) {
	indices := map[int]map[string]int{}
	identities := map[string]map[int]bool{}
	for i := range r.Sightings {
		s := &r.Sightings[i]
		who, known := label(placeOf(s, offset))
		if !known {
			continue
		}
		if indices[s.Person] == nil {
			indices[s.Person] = map[string]int{}
		}
		indices[s.Person][who]++
		if identities[who] == nil {
			identities[who] = map[int]bool{}
		}
		identities[who][s.Person] = true
	}
	for _, people := range indices {
		all, most := 0, 0
		for _, n := range people {
			all, most = all+n, max(most, n)
			w.Right += n * (n - 1) / 2
		}
		w.Pairs += all * (all - 1) / 2
		w.Sightings, w.Pure = w.Sightings+all, w.Pure+most
	}
	w.Identities = len(identities)
	for _, list := range identities {
		w.Indices += len(list)
	}
	return w
}

// study looks at a clip once and measures its names and persons. A clip whose files are not there is an error.
func (c clip) study(ctx context.Context, l *laboratory, o options) (naming, error) {
	gt, err := evaluation.ReadTruth(o.path(c.Truth))
	if err != nil {
		return naming{}, err
	}
	a, err := l.analyse(ctx, o.path(c.Video), usualSampleRate)
	if err != nil {
		return naming{}, fmt.Errorf("analyse %s: %w", c.Name, err)
	}
	if err := a.enrol(ctx, o.path(c.Faces)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return naming{}, err
	}
	return c.studyNames(ctx, a, gt, o)
}

const usualSampleRate = 5 // frames a second, the default

func (n naming) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-18s %d wrong names in %d choices of who is enrolled (nearest stranger %.1f %%), %d answers differ between thresholds\n",
		n.Clip, n.LeftOut, n.Runs, n.Nearest, n.Differing)
	fmt.Fprintf(&b, "%-18s everybody enrolled: %v; nobody: %v\n", "", n.Enrolled, n.Nobody)
	for _, w := range n.Wrong {
		fmt.Fprintf(&b, "    %s\n", w)
	}
	return b.String()
}
