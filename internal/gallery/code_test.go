package gallery

import (
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
)

// TestCodeStaysAsItIs guards what is in databases: a code of this version must be read for ever, or get another version.
func TestCodeStaysAsItIs(t *testing.T) {
	t.Parallel()
	got := hex.EncodeToString(Code(face.ID{0: 0xab, 15: 0xcd}, []float32{0.5, -0.5, 0.70710677, 0}))
	const want = "ab0000000000000000000000000000cd01c72204337f3eb63b67ed8f3ada26ff80"
	if got != want {
		t.Errorf("the code is\n%s, want\n%s", got, want)
	}
}

func TestCodeRefuses(t *testing.T) {
	t.Parallel()
	for name, vector := range map[string][]float32{
		"nothing": nil, "no unit vector": {1, 1}, "not a number": {float32(math.NaN()), 1}, "too long": make([]float32, maxDim+1),
	} {
		if code := Code(number(1), vector); code != nil {
			t.Errorf("%s: %x", name, code)
		}
	}
}

func TestDamagedCodesArePassedOver(t *testing.T) {
	t.Parallel()
	all := vectors(newSeeded(3), 3, 5)
	g, _, _ := newLean(t, all[:1])
	second, third := Code(number(1), all[1]), Code(number(2), all[2])
	for i := range second {
		for bit := range 8 {
			damaged := slices.Clone(second)
			damaged[i] ^= 1 << bit
			if n, err := g.AddCodes(slices.Concat(damaged, third)); n != 1 || err != nil {
				t.Fatalf("bit %d of byte %d: %d codes passed over, %v", bit, i, n, err)
			}
			if g.Has(number(1)) || !g.Has(number(2)) || g.Delete(numbers(2, 3)) != 1 {
				t.Fatalf("bit %d of byte %d: the good code was not added alone", bit, i)
			}
		}
	}
	if n, err := g.AddCodes(second); n != 0 || err != nil || !g.Has(number(1)) {
		t.Errorf("the undamaged code: %d, %v", n, err)
	}
}

func TestAddCodesRefusesAllOrNothing(t *testing.T) {
	t.Parallel()
	all := vectors(newSeeded(3), 3, 5)
	g, _, _ := newLean(t, all[:1])
	first, second := Code(number(0), all[0]), Code(number(1), all[1])
	for name, test := range map[string]struct {
		codes []byte
		want  error
	}{
		"enrolled": {slices.Concat(second, first), ErrDuplicate},
		"twice":    {slices.Concat(second, second), ErrDuplicate},
		"cut off":  {slices.Concat(second, first[:20]), ErrVector},
	} {
		if _, err := g.AddCodes(test.codes); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if g.Len() != 1 {
		t.Errorf("%d faces afterwards, want 1", g.Len())
	}
	if _, err := newGallery(t, 5).AddCodes(second); !errors.Is(err, ErrVector) {
		t.Errorf("a gallery that keeps vectors takes a code: %v", err)
	}
	_ = g.Close()
	if _, err := g.AddCodes(second); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed gallery: %v", err)
	}
}

// FuzzAddCodes adds bytes that nobody has checked, and searches what became of them.
func FuzzAddCodes(f *testing.F) {
	const dim = 3
	vectors := [][]float32{{1, 0, 0}, {0.6, 0.8, 0}, {0, -0.6, 0.8}}
	var codes []byte
	for n, v := range vectors {
		codes = append(codes, Code(number(n), v)...)
	}
	f.Add(codes)
	f.Add(codes[:CodeSize(dim)])
	f.Add(slices.Concat(codes[:CodeSize(dim)], make([]byte, CodeSize(dim))))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &shelf{faces: map[face.ID][]float32{}}
		g, err := NewWithOriginals(dim, s)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = g.Close() }()
		s.put(numbers(0, len(vectors)), vectors)
		passedOver, err := g.AddCodes(data)
		if err == nil && (g.Len()+passedOver)*CodeSize(dim) != len(data) || err != nil && g.Len() != 0 {
			t.Fatalf("%d of %d bytes' faces added, %d passed over: %v", g.Len(), len(data), passedOver, err)
		}
		_, err = g.Search(t.Context(), []face.Probe{{Vector: vectors[0], Limit: 2, MinScore: -2}})
		if err != nil && !errors.Is(err, ErrOriginal) { // whoever can make checksums can make codes of nothing
			t.Fatal(err)
		}
	})
}

func TestCodesAreWhatAddMakes(t *testing.T) {
	t.Parallel()
	for _, dim := range []int{1, 4, 15, 16, 17, 33} {
		all := vectors(newSeeded(uint64(dim)), 40, dim)
		added, _, _ := newLean(t, all)
		filled, err := NewWithOriginals(dim, &shelf{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = filled.Close() })
		for n, v := range all {
			if _, err := filled.AddCodes(Code(number(n), v)); err != nil {
				t.Fatal(err)
			}
		}
		a, b := added.current.v, filled.current.v
		for i := range a.parts {
			if diff := cmp.Diff(a.parts[i].blocks[:2*a.parts[i].shape.blockBytes], b.parts[i].blocks[:2*b.parts[i].shape.blockBytes]); diff != "" {
				t.Errorf("dimension %d: blocks differ (-added +filled):\n%s", dim, diff)
			}
		}
	}
}
