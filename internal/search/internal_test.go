package search

import (
	"math/rand/v2"
	"reflect"
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
			replaced := s.add(candidate{at, q, crop})
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
	s := shots{limit: 28}
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
	s := shots{limit: 28}
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
	s := shots{limit: 28}
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
	if e, w := pool([]face.Sample{s(1), s(-1)}); e.Vector != nil || w != 0 {
		t.Errorf("pooled to %v with weight %v", e, w)
	}
	if e, _ := pool(nil); e.Vector != nil {
		t.Errorf("nothing pooled to %v", e)
	}
}

func TestManyTrackletsOfFewPeopleAreFewPersons(t *testing.T) {
	t.Parallel()
	const dim, people, each = 64, 5, 60
	random := rand.New(rand.NewPCG(3, 4))
	cohort := &face.Cohort{Mean: make([]float32, dim), Covariance: make([]float32, dim*dim)}
	for i := range dim {
		cohort.Covariance[i*dim+i] = 1.0 / dim
	}
	direction := func(near []float32, noise float64) []float32 {
		v := make([]float32, dim)
		copy(v, near)
		for i := range v {
			v[i] += float32(noise / 8 * random.NormFloat64())
		}
		if _, err := face.Normalize(v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	var list []Tracklet
	var who []int
	faces := make([][]float32, people)
	for p := range faces {
		faces[p] = direction(nil, 8)
	}
	for i := range people * each {
		at := time.Duration(i) * time.Second
		list = append(list, Tracklet{
			Observations: []Observation{{Time: at}}, Weight: 1 + float64(i%7),
			Embedding: face.Embedding{Vector: direction(faces[i%people], 0.6)},
		})
		who = append(who, i%people)
	}
	numbers, pooled := persons(list, make([]map[string]bool, len(list)), cohort, 4.1)
	for i := range numbers {
		if numbers[i] != who[i] {
			t.Fatalf("tracklet %d of person %d is person %d", i, who[i], numbers[i])
		}
	}
	if len(pooled) != people {
		t.Errorf("%d pooled embeddings", len(pooled))
	}
}

func TestSureMatchesAreNearTheBest(t *testing.T) {
	t.Parallel()
	id := func(b byte) face.ID { return face.ID{b} }
	people := map[face.ID]string{id(1): "ANN", id(2): "ANN", id(3): "BEA", id(4): "CLEO", id(5): "DORA"}
	got := sure([][]face.Match{
		{{ID: id(1), Similarity: 99.9}, {ID: id(2), Similarity: 95}, {ID: id(3), Similarity: 84}},
		nil,
		{{ID: id(4), Similarity: 81}, {ID: id(5), Similarity: 80}},
	}, Matching{Threshold: 80, Person: func(i face.ID) string { return people[i] }})
	want := []map[string]bool{{"ANN": true}, nil, {"CLEO": true}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
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
		for _, part := range split(&f, samples, 0.25) {
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
