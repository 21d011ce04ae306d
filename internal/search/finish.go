package search

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
)

// Matching is what a video's tracklets are matched against, and how strictly.
type Matching struct {
	Gallery Gallery
	// Cohort and Calibration are those of the model pack that made the embeddings.
	Cohort      *face.Cohort
	Calibration *face.Calibration
	// Threshold is the lowest similarity that is a match, inclusive.
	Threshold face.Similarity
	// MaxMatches is the most matches listed per face, 1..4096.
	MaxMatches int
	Params     Params
	// Person, if set, names the person an enrolled face is of. Faces of one person then say the same about who somebody
	// is; without it each enrolled face counts as a person of its own.
	Person func(face.ID) string
}

// Result is what a face search found in one video.
type Result struct {
	// Sightings are every face at every analysed time, by time, then person.
	Sightings []face.Sighting
	// Persons is how many different people were seen.
	Persons int
	// Portraits holds the best portrait of each person that has one.
	Portraits map[int][]byte
}

// Finish matches the tracklets of all stretches, joins them into persons, and matches these once more for the tracklets
// that matched nobody. The gallery must stay as it is meanwhile: hand in a snapshot. The stretches may be given in any
// order.
func Finish(ctx context.Context, stretches []*Tracklets, in Matching) (*Result, error) {
	list, err := gather(stretches, len(in.Cohort.Mean), in.Params)
	if err != nil {
		return nil, err
	}
	matches, numbers, err := identify(ctx, list, in)
	if err != nil {
		return nil, fmt.Errorf("match %d tracklets: %w", len(list), err)
	}
	r := &Result{Portraits: map[int][]byte{}}
	quality := map[int]float32{}
	for i := range list {
		t, n := &list[i], numbers[i]
		r.Persons = max(r.Persons, n+1)
		for _, o := range t.Observations {
			r.Sightings = append(r.Sightings, face.Sighting{
				Time: o.Time, Person: n, Detection: o.Detection, Matches: matches[i], Attributes: o.Attributes,
			})
		}
		if t.Portrait != nil && t.PortraitQuality > quality[n] {
			r.Portraits[n], quality[n] = t.Portrait, t.PortraitQuality
		}
	}
	slices.SortStableFunc(r.Sightings, func(a, b face.Sighting) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Person, b.Person))
	})
	return r, nil
}

// gather lists the tracklets of all stretches, made whole across their borders, by start.
func gather(stretches []*Tracklets, dim int, p Params) ([]Tracklet, error) {
	stretches = slices.Clone(stretches)
	slices.SortStableFunc(stretches, func(a, b *Tracklets) int { return cmp.Compare(a.Stretch, b.Stretch) })
	for _, s := range stretches {
		for _, t := range s.List {
			if len(t.Observations) == 0 {
				return nil, fmt.Errorf("stretch %d has a tracklet without observations", s.Stretch)
			}
			if v := t.Embedding.Vector; v != nil && len(v) != dim {
				return nil, fmt.Errorf("stretch %d has an embedding of %d dimensions, the cohort has %d",
					s.Stretch, len(v), dim)
			}
		}
	}
	list := stitch(stretches, p)
	slices.SortStableFunc(list, func(a, b Tracklet) int { return cmp.Compare(a.Start(), b.Start()) })
	return list, nil
}

// identify gives each tracklet its matches and its person. A tracklet that matches nobody by itself has the matches of
// its person, pooled: a face that is turned away in one shot is known from another.
func identify(ctx context.Context, list []Tracklet, in Matching) (matches [][]face.Match, numbers []int, err error) {
	if in.MaxMatches < 1 {
		return nil, nil, errors.New("at least one match per face must be allowed")
	}
	vectors := make([][]float32, len(list))
	for i := range list {
		vectors[i] = list[i].Embedding.Vector
	}
	if matches, err = lookUp(ctx, vectors, in); err != nil {
		return nil, nil, err
	}
	numbers, pooled := persons(list, sure(matches, in), in.Cohort, in.Params.SamePerson)
	several := slices.Sorted(maps.Keys(pooled))
	vectors = make([][]float32, len(several))
	for i, n := range several {
		vectors[i] = pooled[n]
	}
	found, err := lookUp(ctx, vectors, in)
	if err != nil {
		return nil, nil, err
	}
	for i, n := range numbers {
		if place, ok := slices.BinarySearch(several, n); ok && len(matches[i]) == 0 {
			matches[i] = found[place]
		}
		matches[i] = matches[i][:min(len(matches[i]), in.MaxMatches)]
	}
	return matches, numbers, nil
}

// leastMatches is how many matches of a tracklet are looked at, however few are wanted in the end, so that who is one
// person does not depend on that.
const leastMatches = 16

// sure lists the enrolled people that a tracklet may be: the best match and those nearer to it than to the threshold, so
// that of two people who look alike each is only themselves.
func sure(matches [][]face.Match, in Matching) []map[string]bool {
	name := in.Person
	if name == nil {
		name = face.ID.String
	}
	out := make([]map[string]bool, len(matches))
	for i, list := range matches {
		if len(list) == 0 {
			continue
		}
		out[i] = map[string]bool{}
		for _, m := range list {
			if m.Similarity >= (list[0].Similarity+in.Threshold)/2 {
				out[i][name(m.ID)] = true
			}
		}
	}
	return out
}

// lookUp finds the matches of each vector; a nil vector has none.
func lookUp(ctx context.Context, vectors [][]float32, in Matching) ([][]face.Match, error) {
	var probes []face.Probe
	var of []int
	impostors := make([]face.Impostors, len(vectors))
	for i, v := range vectors {
		if v == nil {
			continue
		}
		impostors[i] = in.Cohort.Impostors(v)
		probes = append(probes, face.Probe{
			Vector: v, MinScore: in.Calibration.Threshold(in.Threshold, impostors[i]),
			Limit: max(in.MaxMatches, leastMatches),
		})
		of = append(of, i)
	}
	found := make([][]face.Match, len(vectors))
	if len(probes) == 0 {
		return found, nil
	}
	hits, err := in.Gallery.Search(ctx, probes)
	if err != nil {
		return nil, err
	}
	for p, i := range of {
		found[i] = similarities(hits[p], impostors[i], in)
	}
	return found, nil
}

func similarities(hits []face.Hit, impostors face.Impostors, in Matching) []face.Match {
	var out []face.Match
	for _, h := range hits {
		if s := in.Calibration.Similarity(h.Score, impostors); s >= in.Threshold {
			out = append(out, face.Match{ID: h.ID, Similarity: s})
		}
	}
	slices.SortFunc(out, func(a, b face.Match) int {
		return cmp.Or(cmp.Compare(b.Similarity, a.Similarity), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return out
}
