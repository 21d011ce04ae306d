package gallery

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/testkit/patience"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSnapshotStaysAsItWas(t *testing.T) {
	t.Parallel()
	const dim = 24
	d := newSeeded(11)
	all := vectors(d, 300, dim)
	g, m := newGallery(t, dim, withChunkFaces(32)), model{}
	enrol(t, g, m, 0, all[:200])
	probes := []face.Probe{{Vector: all[3], Limit: 300, MinScore: -2}, {Vector: all[250], Limit: 5, MinScore: 0.1}}
	want := m.search(probes)
	s := g.Snapshot()
	g.Delete(numbers(0, 150))
	enrol(t, g, nil, 200, all[200:])
	g.Delete(numbers(150, 300))
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if s.Len() != 200 {
		t.Errorf("Len = %d, want 200", s.Len())
	}
	for _, name := range Kernels() {
		other, err := s.With(WithKernel(name), WithParallelism(2))
		if err != nil {
			t.Fatal(err)
		}
		got, err := other.Search(t.Context(), probes)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
		_ = other.Close()
	}
	if _, err := s.With(WithParallelism(-1)); err == nil {
		t.Error("With(WithParallelism(-1)) succeeded")
	}
	got, err := s.Search(t.Context(), probes)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestClosedGalleryRefuses(t *testing.T) {
	t.Parallel()
	g := newGallery(t, 2)
	enrol(t, g, nil, 0, [][]float32{{1, 0}})
	for range 2 {
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
	}
	probes := []face.Probe{{Vector: []float32{1, 0}, Limit: 1}}
	if _, err := g.Search(t.Context(), probes); !errors.Is(err, ErrClosed) {
		t.Errorf("Search: %v", err)
	}
	if err := g.Add(numbers(1, 2), []float32{1, 0}); !errors.Is(err, ErrClosed) {
		t.Errorf("Add: %v", err)
	}
	if n := g.Delete(numbers(0, 1)); n != 0 || g.Len() != 0 {
		t.Errorf("Delete = %d, Len = %d", n, g.Len())
	}
	s := g.Snapshot()
	if _, err := s.Search(t.Context(), probes); !errors.Is(err, ErrClosed) || s.Len() != 0 {
		t.Errorf("its snapshot: %v, %d faces", err, s.Len())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// chunksOf makes every chunk of a gallery report when its memory is given back.
func chunksOf(g *Gallery) (alive *atomic.Int64) {
	alive = new(atomic.Int64)
	for i := range g.current.v.parts {
		c := g.current.v.parts[i].chunk
		alive.Add(1)
		free := c.free
		c.free = func() {
			free()
			alive.Add(-1)
		}
	}
	return alive
}

func TestMemoryIsGivenBackByTheLastHolder(t *testing.T) {
	t.Parallel()
	const dim, faces = 8, 320
	all := vectors(newSeeded(1), faces, dim)
	g := newGallery(t, dim, withChunkFaces(64))
	enrol(t, g, nil, 0, all)
	alive := chunksOf(g)
	if alive.Load() != 5 {
		t.Fatalf("%d chunks, want 5", alive.Load())
	}
	g.Delete(numbers(0, 64))
	if alive.Load() != 4 {
		t.Errorf("%d chunks alive after the faces of one were deleted, want 4", alive.Load())
	}
	first, second := g.Snapshot(), g.Snapshot()
	g.Delete(numbers(64, 128))
	_ = first.Close()
	if alive.Load() != 4 {
		t.Errorf("%d chunks alive while a snapshot holds them, want 4", alive.Load())
	}
	_ = second.Close()
	_ = second.Close()
	if alive.Load() != 3 {
		t.Errorf("%d chunks alive after the last snapshot, want 3", alive.Load())
	}
	third := g.Snapshot()
	_ = g.Close()
	if alive.Load() != 3 {
		t.Errorf("%d chunks alive while a snapshot outlives its gallery, want 3", alive.Load())
	}
	_ = third.Close()
	if alive.Load() != 0 {
		t.Errorf("%d chunks alive after all is closed", alive.Load())
	}
}

func TestDroppedHandlesAreCollected(t *testing.T) {
	t.Parallel()
	alive := func() *atomic.Int64 {
		g, err := New(4)
		if err != nil {
			t.Fatal(err)
		}
		enrol(t, g, nil, 0, vectors(newSeeded(1), 32, 4))
		if g.Snapshot().Len() != 32 {
			t.Error("snapshot is not complete")
		}
		return chunksOf(g)
	}()
	if !patience.Usual().Until(t.Context(), func() bool {
		runtime.GC()
		return alive.Load() == 0
	}) {
		t.Fatal("a gallery and a snapshot that nobody holds keep their memory")
	}
}

// TestChangesWhileSearching lets writers and searchers loose on one gallery. Faces come and go in families of identical
// vectors, a family in one call: whoever sees a part of a family has seen a change half done.
func TestChangesWhileSearching(t *testing.T) {
	t.Parallel()
	const dim, families, size, rounds = 16, 12, 23, 60
	axes := vectors(newSeeded(21), families, dim)
	for i := range axes { // families must differ
		axes[i] = make([]float32, dim)
		axes[i][i] = 1
	}
	for _, kernel := range Kernels() {
		g := newGallery(t, dim, WithKernel(kernel), withChunkFaces(48))
		var writers, searchers sync.WaitGroup
		var done atomic.Bool
		for w := range 2 {
			writers.Go(func() {
				d := newSeeded(uint64(w))
				for range rounds {
					f := 2*d.below(families/2) + w // each writer has its own families
					ids := numbers(f*size, (f+1)*size)
					if n := g.Delete(ids); n == size {
						continue
					} else if n != 0 {
						t.Errorf("deleted %d of a family of %d", n, size)
					}
					if err := g.Add(ids, slices.Concat(slices.Repeat(axes[f:f+1], size)...)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for range 2 {
			searchers.Go(func() {
				for !done.Load() {
					checkFamilies(t, g.Snapshot(), axes, size)
				}
			})
		}
		writers.Wait()
		done.Store(true)
		searchers.Wait()
	}
}

func checkFamilies(t *testing.T, s *Snapshot, axes [][]float32, size int) {
	t.Helper()
	defer func() { _ = s.Close() }()
	var probes []face.Probe
	for _, axis := range axes {
		probes = append(probes, face.Probe{Vector: axis, Limit: maxLimit, MinScore: 1})
	}
	found := 0
	hits, err := s.Search(t.Context(), probes)
	if err != nil {
		t.Error(err)
		return
	}
	for f, family := range hits {
		if len(family) != 0 && len(family) != size {
			t.Errorf("family %d has %d members, want none or %d", f, len(family), size)
		}
		found += len(family)
	}
	if found != s.Len() {
		t.Errorf("found %d of %d faces", found, s.Len())
	}
	again, err := s.Search(t.Context(), probes)
	if err != nil || !cmp.Equal(hits, again) {
		t.Errorf("a second search of one snapshot differs: %v", err)
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()
	const dim, page = 512, 2 << 20
	all := vectors(newSeeded(1), 5000, dim)
	g, _, _ := newLean(t, all[:15])
	if n := g.Bytes(); n < 1 || n > page {
		t.Errorf("%d bytes for faces without a block", n)
	}
	if err := g.Add(numbers(15, 16), all[15]); err != nil {
		t.Fatal(err)
	}
	if n := g.Bytes(); n < 2*page || n > 2*page+page/2 {
		t.Errorf("%d bytes, want a huge page of codes and one of ids", n)
	}
	if err := g.Add(numbers(16, len(all)), slices.Concat(all[16:]...)); err != nil {
		t.Fatal(err)
	}
	if n := g.Bytes(); n < 5000*600 || n > 3*page+page/2 {
		t.Errorf("%d bytes for 5,000 faces, want two huge pages of codes and one of ids", n)
	}
	if err := g.Close(); err != nil || g.Bytes() != 0 {
		t.Errorf("%d bytes when closed: %v", g.Bytes(), err)
	}
}
