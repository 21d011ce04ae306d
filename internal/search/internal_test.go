package search

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
)

func TestSamplerKeepsFewAndSpreadOut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := sampler{most: rapid.IntRange(1, 8).Draw(t, "most")}
		n := rapid.IntRange(1, 60).Draw(t, "n")
		for i := range n {
			q := rapid.Float32Range(0.01, 1).Draw(t, "quality")
			at := time.Duration(i) * 200 * time.Millisecond
			crop := new(face.Crop)
			wanted := s.wants(at, q)
			replaced := s.add(candidate{at: at, quality: q, crop: crop})
			if wanted == (replaced == crop) {
				t.Fatalf("wants says %v, but the crop itself was dropped: %v", wanted, replaced == crop)
			}
		}
		if len(s.kept) != min(n, s.most) {
			t.Fatalf("kept %d of %d, most %d", len(s.kept), n, s.most)
		}
		if !slices.IsSortedFunc(s.kept, func(a, b candidate) int { return int(a.at - b.at) }) {
			t.Fatal("not in order of time")
		}
	})
}

func TestSamplesSpanTheTracklet(t *testing.T) {
	t.Parallel()
	s := sampler{most: 5}
	for i := range 101 {
		s.add(candidate{at: time.Duration(i) * 200 * time.Millisecond, quality: 0.5})
	}
	for i := range s.kept[1:] {
		if gap := s.kept[i+1].at - s.kept[i].at; gap > 8*time.Second {
			t.Errorf("nothing is kept for %v after %v of 20 s", gap, s.kept[i].at)
		}
	}
	if s.kept[0].at > 4*time.Second || s.kept[4].at < 15*time.Second {
		t.Errorf("kept %v to %v of 20 s", s.kept[0].at, s.kept[4].at)
	}
}

func TestSamplerPrefersGoodCrops(t *testing.T) {
	t.Parallel()
	s := sampler{most: 3}
	for i, q := range []float32{0.1, 0.9, 0.1, 0.1, 0.9, 0.1, 0.1, 0.9, 0.1} {
		s.add(candidate{at: time.Duration(i) * time.Second, quality: q, crop: nil})
	}
	for _, c := range s.kept {
		if c.quality != 0.9 {
			t.Errorf("kept quality %v at %v", c.quality, c.at)
		}
	}
}

func TestShotChanges(t *testing.T) {
	t.Parallel()
	picture := func(y, u, v byte) *face.Picture {
		p := &face.Picture{Width: 40, Height: 30, Strides: [3]int{40, 20, 20}}
		for i, c := range []byte{y, u, v} {
			p.Planes[i] = slices.Repeat([]byte{c}, 40*30)
		}
		return p
	}
	s := shots{params: &Params{ShotChange: 28, ShotContrast: 0.38}}
	for i, tt := range []struct {
		p   *face.Picture
		cut bool
	}{
		{picture(100, 128, 128), false}, // nothing before it
		{picture(110, 128, 128), false},
		{picture(150, 128, 128), true},
		{picture(150, 128, 128), false},
		{picture(150, 170, 90), true}, // as bright, another colour
	} {
		if got := s.next(tt.p); got != tt.cut {
			t.Errorf("frame %d: cut %v", i, got)
		}
	}
}

// TestTurnedPictureIsAShot turns a picture that is the same otherwise, and makes it larger, which is no cut.
func TestTurnedPictureIsAShot(t *testing.T) {
	t.Parallel()
	s := shots{params: &Params{ShotChange: 28, ShotContrast: 0.38}}
	for i, tt := range []struct {
		width, height int
		cut           bool
	}{{160, 90, false}, {426, 240, false}, {640, 360, false}, {360, 640, true}, {360, 640, false}} {
		p := &face.Picture{
			Width: tt.width, Height: tt.height, Layout: face.RGB, Strides: [3]int{3 * tt.width},
			Planes: [3][]byte{make([]byte, 3*tt.width*tt.height)},
		}
		if got := s.next(p); got != tt.cut {
			t.Errorf("picture %d: cut %v", i, got)
		}
	}
}

func TestShotsOfTinyPictures(t *testing.T) {
	t.Parallel()
	s := shots{params: &Params{ShotChange: 28, ShotContrast: 0.38}}
	p := &face.Picture{Width: 1, Height: 1, Layout: face.RGB, Strides: [3]int{3}, Planes: [3][]byte{{1, 2, 3}}}
	s.next(p)
	if s.next(p) {
		t.Error("a still picture is cut")
	}
	q := &face.Picture{Width: 1, Height: 1, Layout: face.RGB, Strides: [3]int{3}, Planes: [3][]byte{{101, 102, 103}}}
	if !s.next(q) {
		t.Error("a change of 100 levels is no cut")
	}
}

func TestOverlap(t *testing.T) {
	t.Parallel()
	a := []span{{1, 3}, {10, 12}}
	for _, tt := range []struct {
		b    []span
		want bool
	}{
		{[]span{{4, 9}}, false},
		{[]span{{3, 4}}, true},
		{[]span{{0, 0}, {11, 11}}, true},
		{[]span{{13, 20}}, false},
		{nil, false},
	} {
		if overlap(a, tt.b) != tt.want || overlap(tt.b, a) != tt.want {
			t.Errorf("overlap with %v is not %v", tt.b, tt.want)
		}
	}
}

func TestPoolOfOppositesSaysNothing(t *testing.T) {
	t.Parallel()
	s := func(x float32) face.Sample {
		return face.Sample{Embedding: face.Embedding{Vector: []float32{x, 0}}, Norm: 3}
	}
	if e, w := pool([]face.Sample{s(1), s(-1)}, testScale()); e.Vector != nil || w != 0 {
		t.Errorf("pooled to %v with weight %v", e, w)
	}
	if e, _ := pool(nil, testScale()); e.Vector != nil {
		t.Errorf("nothing pooled to %v", e)
	}
}

func TestOneBadCropNamesNobody(t *testing.T) {
	t.Parallel()
	good := face.Sample{Embedding: face.Embedding{Vector: []float32{1, 0}}, Norm: 3.5}
	bad := face.Sample{Embedding: face.Embedding{Vector: []float32{0, 1}}, Norm: 3.5} // just like somebody else
	for name, samples := range map[string][]face.Sample{
		"first":  {bad, good, good, good},
		"middle": {good, good, bad, good},
		"last":   {good, good, good, bad},
	} {
		var f followed
		for i := range samples {
			at := time.Duration(i) * time.Second
			f.Observations = append(f.Observations, Observation{Time: at})
			f.sampler.kept = append(f.sampler.kept, candidate{at: at, quality: 1})
		}
		seen := 0
		for _, part := range split(&f, samples, testScale(), &face.Cohort{Mean: make([]float32, 2), Covariance: []float32{0.01, 0, 0, 0.01}}) {
			seen += len(part.Observations)
			if v := part.Embedding.Vector; v != nil && face.Dot(v, good.Embedding.Vector) < 0.9 {
				t.Errorf("%s: a tracklet of %d observations looks like the bad crop: %v", name, len(part.Observations), v)
			}
		}
		if seen != len(samples) {
			t.Errorf("%s: %d of %d observations are left", name, seen, len(samples))
		}
	}
}

func testScale() *face.Scale {
	return &face.Scale{PoolFloor: 1.5, PoolLeast: 0.05, Split: 2.4, SplitSure: 4, Sure: 4, SamePerson: 4.76, Weak: 0.5}
}

func TestDarkPicturesOfDifferentShotsAreCut(t *testing.T) {
	t.Parallel()
	slide := func(at, level int) *face.Picture { // dark, with one brighter quarter
		p := &face.Picture{Width: 64, Height: 36, Strides: [3]int{64, 32, 32}}
		p.Planes[0] = slices.Repeat([]byte{18}, 64*36)
		p.Planes[1], p.Planes[2] = slices.Repeat([]byte{128}, 32*18), slices.Repeat([]byte{128}, 32*18)
		for y := range 18 {
			for x := range 32 {
				p.Planes[0][64*(y+18*(at/2))+x+32*(at%2)] = byte(level)
			}
		}
		return p
	}
	s := shots{params: &Params{ShotChange: 28, ShotContrast: 0.38}}
	for i, tt := range []struct {
		picture *face.Picture
		cut     bool
	}{
		{slide(0, 50), false},
		{slide(0, 53), false}, // the same, a little brighter
		{slide(3, 50), true},
	} {
		if got := s.next(tt.picture); got != tt.cut {
			t.Errorf("slide %d: cut %v", i, got)
		}
	}
}

func TestThumbnailsSurviveBeingKept(t *testing.T) {
	t.Parallel()
	var a thumbnail
	a.shape = 1.7
	for i := range a.cells {
		a.cells[i] = float32(i*37%2550) / 10
	}
	b, ok := thumbnailOf(a.bytes())
	if !ok || difference(&a.cells, &b.cells, 0) > 1.5 || b.shape != a.shape {
		t.Errorf("%v, %v, difference %v", ok, b.shape, difference(&a.cells, &b.cells, 0))
	}
	if _, ok := thumbnailOf(nil); ok {
		t.Error("nothing was read as a thumbnail")
	}
}

func TestSamplesCountByWhatTheirNormHasAboveTheFloor(t *testing.T) {
	t.Parallel()
	samples := []face.Sample{
		{Embedding: face.Embedding{Vector: []float32{1, 0}}, Norm: 3}, {Embedding: face.Embedding{Vector: []float32{0, 1}}, Norm: 2},
	}
	for _, tt := range []struct {
		floor       float32
		first, both float64 // weights
	}{{1, 4, 5}, {1.5, 2.25, 2.5}, {2, 1, 1.0025}} {
		scale := face.Scale{PoolFloor: tt.floor, PoolLeast: 0.05}
		e, weight := pool(samples, &scale)
		if math.Abs(weight-tt.both) > 1e-3 || math.Abs(float64(e.Vector[0]/e.Vector[1])-tt.first/(tt.both-tt.first)) > 0.1*tt.first/(tt.both-tt.first) {
			t.Errorf("floor %v: %v with weight %v", tt.floor, e.Vector, weight)
		}
	}
}

// TestTwoWellSeenPeopleAreSplitThoughTheyLookAlike: a cosine of a third is much between two blurred sights of one face, and
// too little between two good ones.
func TestTwoWellSeenPeopleAreSplitThoughTheyLookAlike(t *testing.T) {
	t.Parallel()
	for norm, want := range map[float32]int{3.5: 1, 2: 0} { // normalised, a third is 3.3
		var samples []face.Sample
		for i := range 6 {
			v := []float32{1, 0}
			if i >= 3 {
				v = []float32{1. / 3, float32(math.Sqrt(8. / 9))}
			}
			samples = append(samples, face.Sample{Embedding: face.Embedding{Vector: v}, Norm: norm})
		}
		if got := changes(samples, testScale(), face.Impostors{Deviation: 0.1}); len(got) != want || want > 0 && got[0] != 3 {
			t.Errorf("norm %v: changes at %v", norm, got)
		}
	}
}

func TestEachRunKeepsTwoCrops(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := sampler{most: 10}
		length := map[int]int{}
		for i := range rapid.IntRange(1, 80).Draw(t, "n") {
			if i > 0 && s.runs < 4 && rapid.IntRange(0, 9).Draw(t, "new") == 0 {
				s.runs++
			}
			length[s.runs]++
			s.add(candidate{at: time.Duration(i) * time.Second, quality: rapid.Float32Range(0.01, 1).Draw(t, "quality")})
		}
		s.thin(2)
		for run, n := range length {
			if got := inRun(s.kept, run); got < min(n, runCrops) {
				t.Fatalf("%d crops of run %d are kept, it had %d", got, run, n)
			}
		}
	})
}

func TestPatches(t *testing.T) {
	t.Parallel()
	p := &face.Picture{Width: 64, Height: 36, Strides: [3]int{64, 32, 32}}
	p.Planes[0] = make([]byte, 64*36)
	for i := range p.Planes[0] {
		p.Planes[0][i] = byte(40 + i%64 + 2*(i/64)) // brighter to the right and downwards
	}
	left, right := patchOf(p, face.Box{Left: 0.1, Top: 0.2, Width: 0.3, Height: 0.5}), patchOf(p, face.Box{Left: 0.6, Top: 0.2, Width: 0.3, Height: 0.5})
	if like := left.like(&right); like < 0.99 {
		t.Errorf("the same gradient is alike by %v", like)
	}
	var turned patch
	for i := range left {
		turned[i] = 200 - left[i]
	}
	if like := left.like(&turned); like > -0.99 {
		t.Errorf("the opposite is alike by %v", like)
	}
	for _, b := range []face.Box{{Left: -1, Top: -1, Width: 3, Height: 3}, {Left: 2, Top: 2, Width: 1, Height: 1}, {}, {Left: -5, Width: 1, Height: 1}} {
		flat := patchOf(p, b) // must not reach beyond the picture
		_ = flat.like(&left)
	}
	var grey patch
	if like := grey.like(&left); like != 1 {
		t.Errorf("a grey patch is alike by %v", like)
	}
}
