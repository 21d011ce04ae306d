package gallery

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
)

// checkWithin compares every face within reach with brute force. The faces of the model must be those of the gallery.
func checkWithin(t rapid.TB, d dice, dim int, g searchable, m model, all [][]float32) {
	t.Helper()
	probes := someProbes(d, dim, all)
	for i := range probes {
		probes[i].Limit = d.below(3) - 1 // it is not used
	}
	got, err := g.Within(context.Background(), probes)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(probes) {
		t.Fatalf("%d answers to %d probes", len(got), len(probes))
	}
	for i, p := range probes {
		checkBounds(t, m, p, got[i])
	}
}

func checkBounds(t rapid.TB, m model, p face.Probe, got []Bounds) {
	t.Helper()
	found := make(map[face.ID]bool, len(got))
	for _, b := range got {
		v, enrolled := m[b.ID]
		if !enrolled || found[b.ID] {
			t.Fatalf("face %s is listed: enrolled %t, twice %t", b.ID, enrolled, found[b.ID])
		}
		found[b.ID] = true
		score := face.Score(canonical(p.Vector, v))
		if !(b.Lower <= score && score <= b.Upper) {
			t.Fatalf("score %v of face %s is not within %v..%v", score, b.ID, b.Lower, b.Upper)
		}
		if b.Upper < p.MinScore {
			t.Fatalf("face %s of at most %v is listed, the lowest score is %v", b.ID, b.Upper, p.MinScore)
		}
	}
	for id, v := range m {
		if score := face.Score(canonical(p.Vector, v)); score >= p.MinScore && !found[id] {
			t.Fatalf("face %s with score %v is missing, the lowest score is %v", id, score, p.MinScore)
		}
	}
}

// TestWithinManyFaces has several chunks, units and workers, and more faces than a collector takes in at once.
func TestWithinManyFaces(t *testing.T) {
	t.Parallel()
	const dim, faces = 256, 16000
	all := slices.Collect(slices.Chunk(randomRows(newSeeded(3), faces, dim), dim))
	lean, originals, m := newLean(t, all)
	full := newGallery(t, dim)
	enrol(t, full, nil, 0, all)
	gone := numbers(100, 3000)
	for _, id := range gone {
		delete(m, id)
	}
	probes := make([]face.Probe, 11)
	for i := range probes {
		probes[i] = face.Probe{Vector: all[1000*i], MinScore: []face.Score{-1, 0, 0.05, 0.2, 0.9}[i%5]}
	}
	for _, g := range []*Gallery{lean, full} {
		g.Delete(gone)
		for _, k := range kernels() { // what is stored is the same for all
			for _, workers := range []int{1, 3} {
				g.kernel, g.parallelism = k, workers
				for _, ask := range [][]face.Probe{probes, probes[1:2]} {
					got, err := g.Within(t.Context(), ask)
					if err != nil {
						t.Fatal(err)
					}
					for i, p := range ask {
						checkBounds(t, m, p, got[i])
					}
				}
			}
		}
	}
	if originals.asked > 0 {
		t.Errorf("%d originals were asked for", originals.asked)
	}
}

// TestBoundsOfFacesWithinAreOfUse guards against bounds that hold because they are wide.
func TestBoundsOfFacesWithinAreOfUse(t *testing.T) {
	t.Parallel()
	const dim, faces = 512, 4000
	all := slices.Collect(slices.Chunk(randomRows(newSeeded(1), faces, dim), dim))
	g, _, m := newLean(t, all)
	p := face.Probe{Vector: all[7], MinScore: 0.1}
	got, err := g.Within(t.Context(), []face.Probe{p})
	if err != nil {
		t.Fatal(err)
	}
	checkBounds(t, m, p, got[0])
	for _, b := range got[0] {
		// Twice the residual: half a step / sqrt(3) in each dimension, 0.007 in all.
		if width := b.Upper - b.Lower; width > 0.02 {
			t.Errorf("the bounds of face %s are %v..%v, want some 0.015 between them", b.ID, b.Lower, b.Upper)
		}
	}
	if len(got[0]) > 100 { // 48 reach it
		t.Errorf("%d faces are listed for 48", len(got[0]))
	}
}

func TestWithinChecksProbes(t *testing.T) {
	t.Parallel()
	g := newGallery(t, 2)
	enrol(t, g, nil, 0, [][]float32{{1, 0}})
	ok := face.Probe{Vector: []float32{0, 1}}
	for name, change := range map[string]func(*face.Probe){
		"short vector": func(p *face.Probe) { p.Vector = []float32{1} },
		"long vector":  func(p *face.Probe) { p.Vector = []float32{1, 0, 0} },
		"not unit":     func(p *face.Probe) { p.Vector = []float32{1, 1} },
		"not a number": func(p *face.Probe) { p.Vector = []float32{float32(math.NaN()), 1} },
		"score NaN":    func(p *face.Probe) { p.MinScore = face.Score(math.NaN()) },
	} {
		bad := ok
		change(&bad)
		if got, err := g.Within(t.Context(), []face.Probe{ok, bad}); !errors.Is(err, ErrProbe) || got != nil {
			t.Errorf("%s: %v, %v, want ErrProbe", name, got, err)
		}
	}
	for score, want := range map[face.Score]int{face.Score(math.Inf(-1)): 1, 0: 1, 0.5: 0, face.Score(math.Inf(1)): 0} {
		got, err := g.Within(t.Context(), []face.Probe{{Vector: []float32{0, 1}, MinScore: score}})
		if err != nil || len(got) != 1 || len(got[0]) != want {
			t.Errorf("lowest score %v: %v, %v, want %d", score, got, err, want)
		}
	}
	if got, err := g.Within(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("no probes: %v, %v", got, err)
	}
}

func TestWithinNothing(t *testing.T) {
	t.Parallel()
	g := newGallery(t, 2)
	probes := []face.Probe{{Vector: []float32{0, 1}, MinScore: -1}, {Vector: []float32{1, 0}, MinScore: -1}}
	if got, err := g.Within(t.Context(), probes); err != nil || len(got) != 2 || len(got[0])+len(got[1]) != 0 {
		t.Errorf("an empty gallery: %v, %v", got, err)
	}
	s := g.Snapshot()
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Within(t.Context(), probes); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed gallery: %v", err)
	}
	if got, err := s.Within(t.Context(), probes); err != nil || len(got) != 2 {
		t.Errorf("its snapshot: %v, %v", got, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Within(t.Context(), probes); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed snapshot: %v", err)
	}
}

func TestWithinEndsWithItsContext(t *testing.T) {
	t.Parallel()
	g := newGallery(t, 8)
	enrol(t, g, nil, 0, vectors(newSeeded(1), 100, 8))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	probes := []face.Probe{{Vector: vector(newSeeded(2), 8, nil), MinScore: -1}}
	if got, err := g.Within(ctx, probes); !errors.Is(err, context.Canceled) || got != nil {
		t.Errorf("a context that is done: %v, %v", got, err)
	}
}
