package gallery

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
)

// shelf keeps originals.
type shelf struct {
	mu    sync.Mutex
	faces map[face.ID][]float32 // guarded by mu
	asked int                   // guarded by mu
	fail  error
}

var errShelf = errors.New("the shelf has fallen down")

func (s *shelf) Originals(ctx context.Context, ids []face.ID, each func(face.ID, []float32) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.asked += len(ids)
	if len(ids) > mostOriginals || !slices.IsSortedFunc(ids, func(a, b face.ID) int { return slices.Compare(a[:], b[:]) }) ||
		len(slices.Compact(slices.Clone(ids))) != len(ids) {
		return errors.New("the ids are too many, twice, or in disorder")
	}
	for _, id := range slices.Backward(ids) {
		if v, there := s.faces[id]; there {
			lent := slices.Clone(v)
			if err := each(id, lent); err != nil {
				return err
			}
			clear(lent) // it is valid during the call only
		}
	}
	return ctx.Err()
}

func (s *shelf) put(ids []face.ID, vectors [][]float32) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, id := range ids {
		s.faces[id] = vectors[i]
	}
}

func (s *shelf) drop(ids []face.ID) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		delete(s.faces, id)
	}
}

// count is how many originals have been asked for.
func (s *shelf) count() int {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// forget takes out of a model what is not on the shelf any more.
func (s *shelf) forget(m model) {
	if s == nil {
		return
	}
	for id := range m {
		if _, there := s.faces[id]; !there {
			delete(m, id)
		}
	}
}

// newLean makes a gallery whose originals are on a shelf, with numbered faces.
func newLean(tb testing.TB, all [][]float32, opts ...Option) (*Gallery, *shelf, model) {
	tb.Helper()
	s, m := &shelf{faces: map[face.ID][]float32{}}, model{}
	g, err := NewWithOriginals(len(all[0]), s, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = g.Close() })
	s.put(numbers(0, len(all)), all)
	enrol(tb, g, m, 0, all)
	return g, s, m
}

// TestOriginalsThatAreGone deletes originals behind the gallery's back: the answer is what it would be without these faces,
// although others were dropped for them.
func TestOriginalsThatAreGone(t *testing.T) {
	t.Parallel()
	const dim, faces = 12, 400
	rapid.Check(t, func(r *rapid.T) {
		d := newSeeded(rapid.Uint64().Draw(r, "seed"))
		all := vectors(d, faces, dim)
		s, m := &shelf{faces: map[face.ID][]float32{}}, model{}
		g, err := NewWithOriginals(dim, s, withChunkFaces(64), WithParallelism(2))
		if err != nil {
			r.Fatal(err)
		}
		defer func() { _ = g.Close() }()
		s.put(numbers(0, faces), all)
		if err := g.Add(numbers(0, faces), slices.Concat(all...)); err != nil {
			r.Fatal(err)
		}
		tenths := rapid.IntRange(0, 10).Draw(r, "tenths deleted")
		for n, v := range all {
			if d.below(10) < tenths {
				s.drop(numbers(n, n+1))
			} else {
				m[number(n)] = v
			}
		}
		for range 3 {
			checkAnswers(r, d, dim, g, m, all)
		}
	})
}

func TestOriginalsThatAreWrong(t *testing.T) {
	t.Parallel()
	nan := float32(math.NaN())
	for name, vector := range map[string][]float32{
		"another":      {0, 1, 0},
		"opposite":     {-1, 0, 0},
		"short":        {1, 0},
		"none":         {},
		"long":         {1, 0, 0, 0},
		"not a number": {nan, nan, nan},
		"too large":    {math.MaxFloat32, math.MaxFloat32, 0},
	} {
		g, s, _ := newLean(t, [][]float32{{1, 0, 0}, {0.6, 0.8, 0}})
		s.faces[number(0)] = vector
		probes := []face.Probe{{Vector: []float32{0, 1, 0}, Limit: 1, MinScore: 0.5}, {Vector: []float32{1, 0, 0}, Limit: 1}}
		if hits, err := g.Search(t.Context(), probes); !errors.Is(err, ErrOriginal) || hits != nil {
			t.Errorf("%s: %v, %v, want ErrOriginal", name, hits, err)
		}
		if hits, err := g.Search(t.Context(), probes[:1]); err != nil || len(hits[0]) != 1 || hits[0][0].ID != number(1) {
			t.Errorf("%s: a search that does not need it: %v, %v", name, hits, err)
		}
	}
}

func TestOriginalsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	g, s, _ := newLean(t, vectors(newSeeded(1), 100, 8))
	s.fail = errShelf
	probes := []face.Probe{{Vector: vector(newSeeded(2), 8, nil), Limit: 3, MinScore: -1}}
	if hits, err := g.Search(t.Context(), probes); !errors.Is(err, errShelf) || hits != nil {
		t.Errorf("%v, %v, want the error of the originals", hits, err)
	}
	probes[0].MinScore = 1.5
	if hits, err := g.Search(t.Context(), probes); err != nil || len(hits[0]) != 0 {
		t.Errorf("%v, %v for a search without candidates", hits, err)
	}
}

// TestFewOriginalsAreAskedFor guards against bounds that are right because they leave everything to the originals.
func TestFewOriginalsAreAskedFor(t *testing.T) {
	t.Parallel()
	const dim, faces = 512, 4000
	rows := slices.Collect(slices.Chunk(randomRows(newSeeded(1), faces, dim), dim))
	g, s, m := newLean(t, rows)
	for _, test := range []struct {
		probe face.Probe
		most  int
	}{
		{face.Probe{MinScore: 0.4, Limit: 100}, 1},
		{face.Probe{MinScore: 0.1, Limit: maxLimit}, 80}, // 48 score that much
		{face.Probe{MinScore: -1, Limit: 10}, leastFetched},
	} {
		test.probe.Vector, s.asked = rows[7], 0
		got, err := g.Search(t.Context(), []face.Probe{test.probe})
		if diff := cmp.Diff(m.search([]face.Probe{test.probe}), got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if s.asked > test.most {
			t.Errorf("%d originals for %d hits, want at most %d", s.asked, len(got[0]), test.most)
		}
	}
}
