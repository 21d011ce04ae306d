package gallery

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
)

func TestNewChecksItsArguments(t *testing.T) {
	t.Parallel()
	for _, dim := range []int{-1, 0, 4097, math.MaxInt} {
		if _, err := New(dim); err == nil {
			t.Errorf("New(%d) succeeded", dim)
		}
	}
	if _, err := New(4, WithKernel("abacus")); err == nil {
		t.Error("New with an unknown kernel succeeded")
	}
	if _, err := New(4, WithParallelism(0)); err == nil {
		t.Error("New with parallelism 0 succeeded")
	}
}

func TestAddRefusesAllOrNothing(t *testing.T) {
	t.Parallel()
	good := []float32{0.6, 0.8, 0}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, test := range []struct {
		name    string
		ids     []face.ID
		vectors []float32
		want    error
	}{
		{"present", numbers(0, 1), good, ErrDuplicate},
		{"one of many present", []face.ID{number(5), number(0)}, slices.Repeat(good, 2), ErrDuplicate},
		{"twice in the call", []face.ID{number(5), number(6), number(5)}, slices.Repeat(good, 3), ErrDuplicate},
		{"too few values", numbers(5, 6), good[:2], ErrVector},
		{"too many values", numbers(5, 6), append(slices.Clone(good), 0), ErrVector},
		{"values without id", nil, good, ErrVector},
		{"second has no length", numbers(5, 7), append(slices.Clone(good), 0, 0, 0), ErrVector},
		{"too long", numbers(5, 6), []float32{1, 0.1, 0}, ErrVector},
		{"too short", numbers(5, 6), []float32{0.999, 0, 0}, ErrVector},
		{"not a number", numbers(5, 6), []float32{1, nan, 0}, ErrVector},
		{"infinite", numbers(5, 6), []float32{inf, 0, 0}, ErrVector},
		{"overflows float32 squares", numbers(5, 6), []float32{math.MaxFloat32, 0, 0}, ErrVector},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := newGallery(t, 3)
			enrol(t, g, nil, 0, [][]float32{good})
			if err := g.Add(test.ids, test.vectors); !errors.Is(err, test.want) {
				t.Errorf("Add: %v, want %v", err, test.want)
			}
			if n := g.Len(); n != 1 {
				t.Errorf("%d faces afterwards, want 1", n)
			}
			if err := g.Add(numbers(5, 8), slices.Repeat(good, 3)); err != nil {
				t.Errorf("good faces afterwards: %v", err)
			}
		})
	}
}

func TestSearchChecksProbes(t *testing.T) {
	t.Parallel()
	g := newGallery(t, 2)
	enrol(t, g, nil, 0, [][]float32{{1, 0}})
	ok := face.Probe{Vector: []float32{0, 1}, Limit: 1}
	for name, change := range map[string]func(*face.Probe){
		"short vector":   func(p *face.Probe) { p.Vector = []float32{1} },
		"long vector":    func(p *face.Probe) { p.Vector = []float32{1, 0, 0} },
		"not unit":       func(p *face.Probe) { p.Vector = []float32{1, 1} },
		"not a number":   func(p *face.Probe) { p.Vector = []float32{float32(math.NaN()), 1} },
		"limit 0":        func(p *face.Probe) { p.Limit = 0 },
		"limit negative": func(p *face.Probe) { p.Limit = -1 },
		"limit 4097":     func(p *face.Probe) { p.Limit = 4097 },
		"score NaN":      func(p *face.Probe) { p.MinScore = face.Score(math.NaN()) },
	} {
		bad := ok
		change(&bad)
		if _, err := g.Search(t.Context(), []face.Probe{ok, bad}); !errors.Is(err, ErrProbe) {
			t.Errorf("%s: %v, want ErrProbe", name, err)
		}
	}
	for name, change := range map[string]func(*face.Probe){
		"limit 4096":     func(p *face.Probe) { p.Limit = 4096 },
		"score -Inf":     func(p *face.Probe) { p.MinScore = face.Score(math.Inf(-1)) },
		"score on point": func(p *face.Probe) { p.MinScore = 0 },
	} {
		good := ok
		change(&good)
		got, err := g.Search(t.Context(), []face.Probe{good})
		if want := [][]face.Hit{{{ID: number(0)}}}; err != nil || !cmp.Equal(want, got) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	got, err := g.Search(t.Context(), []face.Probe{{Vector: []float32{0, 1}, Limit: 1, MinScore: face.Score(math.Inf(1))}})
	if err != nil || len(got) != 1 || len(got[0]) != 0 {
		t.Errorf("lowest score +Inf: %v, %v, want no hits", got, err)
	}
	if got, err := g.Search(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("no probes: %v, %v", got, err)
	}
}

func TestSearchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	g := newGallery(t, 8)
	enrol(t, g, nil, 0, vectors(newSeeded(1), 100, 8))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Search(ctx, []face.Probe{{Vector: vector(newSeeded(2), 8, nil), Limit: 1}}); !errors.Is(err, context.Canceled) {
		t.Errorf("Search with a context that is done: %v", err)
	}
}

// TestSearchEqualsBruteForce is the property that the package stands for, through a life of additions and deletions.
func TestSearchEqualsBruteForce(t *testing.T) {
	t.Parallel()
	for _, k := range Kernels() {
		t.Run(k, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { checkLife(t, k, nil) })
		})
		t.Run(k+" with originals elsewhere", func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { checkLife(t, k, &shelf{}) })
		})
	}
}

// checkLife compares a gallery with brute force. Without a shelf it keeps the vectors itself.
func checkLife(t *rapid.T, kernel string, elsewhere *shelf) {
	d := newSeeded(rapid.Uint64().Draw(t, "seed"))
	dim := rapid.SampledFrom([]int{1, 2, 7, 16, 17, 40, 128, 300}).Draw(t, "dim")
	opts := []Option{
		WithKernel(kernel), WithParallelism(rapid.IntRange(1, 4).Draw(t, "parallelism")),
		withChunkFaces(blockFaces * rapid.IntRange(1, 6).Draw(t, "chunk blocks")),
	}
	g, err := New(dim, opts...)
	if elsewhere != nil {
		elsewhere = &shelf{faces: map[face.ID][]float32{}}
		g, err = NewWithOriginals(dim, elsewhere, opts...)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	m := model{}
	var all [][]float32 // all that ever were, so that copies of deleted faces come up
	type moment struct {
		s *Snapshot
		m model
	}
	var moments []moment
	for range rapid.IntRange(1, 7).Draw(t, "steps") {
		switch rapid.IntRange(0, 3).Draw(t, "step") {
		case 0, 1:
			var fresh [][]float32
			for range rapid.IntRange(0, 70).Draw(t, "faces") {
				fresh = append(fresh, vector(d, dim, append(all, fresh...)))
			}
			ids := numbers(len(all), len(all)+len(fresh))
			elsewhere.put(ids, fresh)
			addSomehow(t, d, g, ids, fresh)
			for i, id := range ids {
				m[id] = fresh[i]
			}
			all = append(all, fresh...)
		case 2:
			share := rapid.IntRange(1, 10).Draw(t, "tenths deleted")
			gone := []face.ID{number(1 << 30)}
			for n := range all {
				if d.below(10) < share {
					gone = append(gone, number(n))
				}
			}
			before := len(m)
			for _, id := range gone {
				delete(m, id)
			}
			elsewhere.drop(gone)
			if n := g.Delete(gone); n != before-len(m) {
				t.Fatalf("Delete = %d, want %d", n, before-len(m))
			}
		case 3:
			moments = append(moments, moment{g.Snapshot(), maps.Clone(m)})
		}
		checkSearch(t, d, dim, g, m, all)
		checkWithin(t, d, dim, g, m, all)
		if got := g.Digest(); got != m.digest() {
			t.Fatalf("the digest is %x, want %x", got, m.digest())
		}
	}
	for _, then := range moments {
		if then.s.Len() != len(then.m) {
			t.Fatalf("Len of a snapshot = %d, want %d", then.s.Len(), len(then.m))
		}
		asked := elsewhere.count()
		checkWithin(t, d, dim, then.s, then.m, all)
		if elsewhere.count() != asked {
			t.Fatal("originals were asked for")
		}
		elsewhere.forget(then.m)
		checkAnswers(t, d, dim, then.s, then.m, all)
		_ = then.s.Close()
	}
}

// addSomehow adds faces by their vectors, or by their codes where that can be.
func addSomehow(t *rapid.T, d dice, g *Gallery, ids []face.ID, fresh [][]float32) {
	if g.shape.keepsRows || d.below(2) == 0 {
		if err := g.Add(ids, slices.Concat(fresh...)); err != nil {
			t.Fatal(err)
		}
		return
	}
	var codes []byte
	for i, id := range ids {
		codes = append(codes, Code(id, fresh[i])...)
	}
	if n, err := g.AddCodes(codes); n != 0 || err != nil {
		t.Fatalf("%d of %d codes were passed over: %v", n, len(ids), err)
	}
}

type searchable interface {
	Len() int
	Search(ctx context.Context, probes []face.Probe) ([][]face.Hit, error)
	Within(ctx context.Context, probes []face.Probe) ([][]Bounds, error)
}

func checkSearch(t *rapid.T, d dice, dim int, g searchable, m model, all [][]float32) {
	if g.Len() != len(m) {
		t.Fatalf("Len = %d, want %d", g.Len(), len(m))
	}
	checkAnswers(t, d, dim, g, m, all)
}

// someProbes makes up to 17 probes, some of which are hard.
func someProbes(d dice, dim int, all [][]float32) []face.Probe {
	probes := make([]face.Probe, []int{1, 2, 8, 9, 17}[d.below(5)])
	for i := range probes {
		p := &probes[i]
		p.Vector = vector(d, dim, all)
		p.Limit = []int{1, 2, 10, 100, maxLimit}[d.below(5)]
		switch d.below(3) {
		case 0:
			p.MinScore = -2
		case 1:
			p.MinScore = face.Score(d.normal() / 3)
		default: // exactly on a score, or next to it
			if len(all) > 0 {
				s := canonical(p.Vector, all[d.below(len(all))])
				p.MinScore = face.Score(math.Nextafter32(s, s+float32(d.below(3)-1)))
			}
		}
	}
	return probes
}

func checkAnswers(t *rapid.T, d dice, dim int, g searchable, m model, all [][]float32) {
	probes := someProbes(d, dim, all)
	got, err := g.Search(context.Background(), probes)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.search(probes), got); diff != "" {
		t.Fatalf("not the answer of brute force (-want +got):\n%s", diff)
	}
}

// TestManyFaces has several chunks, units and workers, and galleries without any structure to help.
func TestManyFaces(t *testing.T) {
	t.Parallel()
	const dim, faces = 256, 24000
	d := newSeeded(3)
	m := model{}
	all := make([][]float32, faces)
	for i := range all {
		all[i] = make([]float32, dim)
		for j := range all[i] {
			all[i][j] = float32(d.normal())
		}
		unitVector(all[i])
	}
	probes := []face.Probe{}
	for i, limit := range []int{1, 10, 1000, maxLimit, maxLimit, 10, 10, 10, 10, 10, 3} {
		minScore := []face.Score{-1, -1, -1, -1, 0.05, 0.1, 0.15, 0.2, 0.25, 2, 0}[i]
		probes = append(probes, face.Probe{Vector: vector(d, dim, all[:50]), Limit: limit, MinScore: minScore})
	}
	for i := range all {
		m[number(i)] = all[i]
	}
	want := m.search(probes)
	g := newGallery(t, dim)
	enrol(t, g, nil, 0, all)
	for _, k := range kernels() { // what is stored is the same for all
		for _, workers := range []int{1, 3, 8} {
			g.kernel, g.parallelism = k, workers
			got, err := g.Search(t.Context(), probes)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%s, %d workers: %v (-want +got):\n%s", k.name, workers, err, diff)
			}
			alone, err := g.Search(t.Context(), probes[3:4])
			if diff := cmp.Diff(want[3:4], alone); err != nil || diff != "" {
				t.Errorf("%s, %d workers, one probe: %v (-want +got):\n%s", k.name, workers, err, diff)
			}
		}
	}
}

// TestEqualFaces has so many candidates that none can be told from another by bounds: they are decided in the middle of
// the scan, and the ids decide the answer.
func TestEqualFaces(t *testing.T) {
	t.Parallel()
	const faces = resolveExtra + 5000
	same, other := []float32{0.5, 0.5, 0.5, 0.5}, []float32{0.5, 0.5, 0.5, -0.5}
	elsewhere := &shelf{faces: map[face.ID][]float32{}}
	lean, err := NewWithOriginals(4, elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lean.Close() })
	all := append(slices.Repeat([][]float32{same}, faces), other, same)
	elsewhere.put(numbers(0, len(all)), all)
	probe := face.Probe{Vector: same, Limit: 7}
	search := func(g *Gallery, from []face.ID) {
		t.Helper()
		got, err := g.Search(t.Context(), []face.Probe{probe})
		want := []face.Hit{}
		for _, id := range from[:probe.Limit] {
			want = append(want, face.Hit{ID: id, Score: 1})
		}
		if diff := cmp.Diff([][]face.Hit{want}, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	sorted := numbers(0, faces)
	slices.SortFunc(sorted, func(a, b face.ID) int { return slices.Compare(a[:], b[:]) })
	for _, g := range []*Gallery{newGallery(t, 4), lean} {
		enrol(t, g, nil, 0, all)
		search(g, sorted)
	}
	// The best are gone while the gallery does not know it yet.
	elsewhere.drop(sorted[:3000])
	search(lean, sorted[3000:])
	elsewhere.fail = errShelf
	if hits, err := lean.Search(t.Context(), []face.Probe{probe}); !errors.Is(err, errShelf) || hits != nil {
		t.Errorf("originals cannot be read: %v, %v", hits, err)
	}
}

// TestDeletedMemoryIsGivenBack follows a gallery that lives long: what it takes depends on how many faces there are,
// not on how many there were.
func TestDeletedMemoryIsGivenBack(t *testing.T) {
	t.Parallel()
	g := newGallery(t, 8, withChunkFaces(64))
	d := newSeeded(5)
	for round := range 50 {
		enrol(t, g, nil, round*100, vectors(d, 100, 8))
		if round > 0 {
			g.Delete(numbers((round-1)*100, round*100))
		}
		v := g.current.v
		if slots := len(v.parts) * 64; slots > 2*100+2*64 {
			t.Fatalf("round %d: %d slots for %d faces", round, slots, g.Len())
		}
	}
	g.Delete(numbers(0, 5000))
	if v := g.current.v; len(v.parts) != 0 || v.tail.live != 0 || g.Len() != 0 {
		t.Errorf("emptied gallery has %d chunks, %d faces waiting", len(v.parts), v.tail.live)
	}
}
