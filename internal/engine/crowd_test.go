package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/search"
)

// withoutEyes is an engine that can finish and nothing else.
func withoutEyes(t *testing.T) *Engine {
	t.Helper()
	pack, err := recognizer.LoadPack(filepath.Join("..", "..", "models", "default"))
	if err != nil {
		t.Skip("no model pack here (make setup): ", err)
	}
	e := &Engine{pipeline: pipeline{pack: pack, params: search.DefaultParams(*pack.Scale())}}
	e.config.MaxFaces = 10
	return e
}

// someone is a random face; like mixes another one in.
func someone(r *rand.Rand, dim int, like []float32, share float64) []float32 {
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	if _, err := face.Normalize(v); err != nil {
		panic(err)
	}
	for i := range like {
		v[i] = float32(share*float64(like[i]) + (1-share)*float64(v[i]))
	}
	if _, err := face.Normalize(v); err != nil {
		panic(err)
	}
	return v
}

// made is a record of two segments whose tracklets have these faces; one goes on across the border.
func made(t *testing.T, e *Engine, faces [][]float32) *Record {
	t.Helper()
	terms, err := e.termsBy(nil).encode()
	if err != nil {
		t.Fatal(err)
	}
	plan, err := encodePlan(goldenPlan())
	if err != nil {
		t.Fatal(err)
	}
	segments := []segmentData{{}, {Tracklets: search.Tracklets{Stretch: 1}}}
	for i, v := range faces {
		at := time.Duration(i) * time.Second
		s := &segments[2*i/max(len(faces), 1)].Tracklets
		s.List = append(s.List, search.Tracklet{
			Track: i, Embedding: face.Embedding{Vector: v}, Weight: 2,
			Observations: []search.Observation{{Time: at}, {Time: at + 200*time.Millisecond}},
		})
	}
	return &Record{Terms: terms, Plan: plan, Each: func(_ bool, each func(int, []byte, []byte) error) error {
		for n := range segments {
			data, err := encodeSegment(&segments[n])
			if err = errors.Join(err, each(n, data, nil)); err != nil {
				return err
			}
		}
		return nil
	}}
}

// enrolled are people with these faces.
func enrolled(t *testing.T, faces [][]float32, threshold face.Similarity) *People {
	t.Helper()
	g, err := gallery.New(len(faces[0]))
	if err != nil {
		t.Fatal(err)
	}
	p := newPeople(g)
	p.Threshold = threshold
	var ids []face.ID
	for i, v := range faces {
		ids, p.vectors = append(ids, face.ID{byte(i), 1}), append(p.vectors, v...)
		p.Faces[ids[i]], p.Person[ids[i]] = face.Enrolled{ID: ids[i]}, string(rune('A'+i%3))
	}
	if err := g.Add(ids, p.vectors); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// TestCrowdMissesNobody asks records one by one and all together: in whichever somebody is found, it is a candidate, as much alike as it
// says at most.
func TestCrowdMissesNobody(t *testing.T) {
	t.Parallel()
	e := withoutEyes(t)
	r := rand.New(rand.NewPCG(1, 2))
	dim := e.pack.Dim()
	people := [][]float32{someone(r, dim, nil, 0), someone(r, dim, nil, 0), someone(r, dim, nil, 0), someone(r, dim, nil, 0)}
	crowd, err := e.NewCrowd()
	if err != nil {
		t.Fatal(err)
	}
	defer crowd.Close() //nolint:errcheck // it has none
	records := map[int64]*Record{}
	tracklets := 0
	for n := int64(1); n <= 60; n++ {
		faces := make([][]float32, r.IntN(6))
		for i := range faces {
			faces[i] = someone(r, dim, people[r.IntN(len(people))], r.Float64()*0.8)
		}
		tracklets += len(faces)
		records[n] = made(t, e, faces)
		codes, _, err := e.Codes(n, records[n])
		if err == nil {
			err = crowd.Add(n, codes)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if crowd.Len() != tracklets || crowd.Bytes() < int64(tracklets*dim) {
		t.Fatalf("%d tracklets in %d bytes, want %d", crowd.Len(), crowd.Bytes(), tracklets)
	}
	for _, threshold := range []face.Similarity{0, 20, 50, 80, 95, 99, 99.5} {
		who := enrolled(t, people[:3], threshold)
		list, err := crowd.Candidates(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSortedFunc(list, func(a, b Candidate) int { return int(10000 * (b.AtMost - a.AtMost)) }) {
			t.Errorf("the best are not the first of %v", list)
		}
		found := 0
		for n, record := range records {
			at := slices.IndexFunc(list, func(c Candidate) bool { return c.Number == n })
			best := bestOf(t, e, record, who)
			switch {
			case best >= 0:
				found++
				if at < 0 || list[at].AtMost < best {
					t.Errorf("at %v record %d has somebody with %v: candidates %v", threshold, n, best, list)
				}
			case at >= 0 && list[at].AtMost > threshold+5 && threshold > 50:
				t.Errorf("at %v record %d has nobody, and is a candidate with %v", threshold, n, list[at].AtMost)
			}
		}
		if found == 0 || threshold > 50 && found == len(records) {
			t.Errorf("at %v somebody is found in %d records", threshold, found)
		}
	}
}

// bestOf is the highest similarity in a record; -1 where nobody is found.
func bestOf(t *testing.T, e *Engine, r *Record, who *People) face.Similarity {
	t.Helper()
	found, err := e.Recall(context.Background(), r, who, false)
	if err != nil {
		t.Fatal(err)
	}
	best := face.Similarity(-1)
	for _, s := range found.Sightings {
		for _, m := range s.Matches {
			best = max(best, m.Similarity)
		}
	}
	return best
}

// TestCrowdFindsWhatJustReaches asks for each of some records alone at the very similarity that somebody has in it, which is where a bound that
// is drawn too high shows.
func TestCrowdFindsWhatJustReaches(t *testing.T) {
	t.Parallel()
	e := withoutEyes(t)
	r := rand.New(rand.NewPCG(5, 6))
	dim := e.pack.Dim()
	people := [][]float32{someone(r, dim, nil, 0), someone(r, dim, nil, 0)}
	reached := 0
	for n := int64(1); n <= 60; n++ {
		record := made(t, e, [][]float32{someone(r, dim, people[r.IntN(len(people))], 0.1+r.Float64()*0.6)})
		best := bestOf(t, e, record, enrolled(t, people, 0))
		if best <= 0 {
			continue
		}
		crowd, err := e.NewCrowd()
		if err != nil {
			t.Fatal(err)
		}
		codes, _, err := e.Codes(n, record)
		if err == nil {
			err = crowd.Add(n, codes)
		}
		if err != nil {
			t.Fatal(err)
		}
		list, err := crowd.Candidates(t.Context(), enrolled(t, people, best))
		if err != nil || len(list) != 1 || list[0].AtMost < best {
			t.Errorf("somebody is in record %d with %v: candidates %v, %v", n, best, list, err)
		}
		if reached++; crowd.Close() != nil {
			t.Error("the crowd cannot be closed")
		}
	}
	if reached < 30 {
		t.Errorf("only %d records have somebody", reached)
	}
}

// TestCodesThatCannotBeUsed are refused, whatever is wrong with them.
func TestCodesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	e := withoutEyes(t)
	r := rand.New(rand.NewPCG(3, 4))
	codes, _, err := e.Codes(7, made(t, e, [][]float32{someone(r, e.pack.Dim(), nil, 0), nil, someone(r, e.pack.Dim(), nil, 0)}))
	if err != nil {
		t.Fatal(err)
	}
	crowd, err := e.NewCrowd()
	if err != nil {
		t.Fatal(err)
	}
	defer crowd.Close() //nolint:errcheck // it has none
	for at := range codes {
		broken := slices.Clone(codes)
		broken[at] ^= 1
		if err := crowd.Add(7, broken); !errors.Is(err, errCodes) {
			t.Fatalf("byte %d is another one: %v", at, err)
		}
	}
	for name, bad := range map[string][]byte{"nothing": nil, "a part": codes[:len(codes)-1], "a tracklet less": codes[:len(codes)/2]} {
		if err := crowd.Add(7, bad); !errors.Is(err, errCodes) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := crowd.Add(8, codes); !errors.Is(err, errCodes) {
		t.Errorf("another record's: %v", err)
	}
	if err := crowd.Add(7, codes); err != nil || crowd.Len() != 2 {
		t.Errorf("%d tracklets, %v", crowd.Len(), err)
	}
}
