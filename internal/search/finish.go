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

// Finish joins the tracklets of all stretches into persons and matches them, all in one batch against one state of the
// gallery. The stretches may be given in any order.
func Finish(ctx context.Context, stretches []*Tracklets, in Matching) (*Result, error) {
	list, err := gather(stretches, len(in.Cohort.Mean), in.Params)
	if err != nil {
		return nil, err
	}
	numbers, pooled := persons(list, in.Cohort, in.Params.SamePerson)
	matches, err := match(ctx, list, numbers, pooled, in)
	if err != nil {
		return nil, fmt.Errorf("match %d tracklets: %w", len(list), err)
	}
	r := &Result{Portraits: map[int][]byte{}}
	quality := map[int]float32{}
	for i := range list {
		t, n := &list[i], numbers[i]
		r.Persons = max(r.Persons, n+1)
		for _, o := range t.Observations {
			r.Sightings = append(r.Sightings,
				face.Sighting{Time: o.Time, Person: n, Detection: o.Detection, Matches: matches[i]})
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

// match searches the gallery for all tracklets and for all persons of several tracklets, in one batch. A tracklet has the
// matches of its own embedding and those of its person's: a face that is turned away in one shot is known from another.
func match(ctx context.Context, list []Tracklet, numbers []int, pooled map[int][]float32, in Matching) ([][]face.Match, error) {
	if in.MaxMatches < 1 {
		return nil, errors.New("at least one match per face must be allowed")
	}
	vectors := make([][]float32, 0, len(list)+len(pooled))
	for i := range list {
		vectors = append(vectors, list[i].Embedding.Vector)
	}
	place := map[int]int{}
	for _, n := range slices.Sorted(maps.Keys(pooled)) {
		place[n] = len(vectors)
		vectors = append(vectors, pooled[n])
	}
	found, err := lookUp(ctx, vectors, in)
	if err != nil {
		return nil, err
	}
	matches := make([][]face.Match, len(list))
	for i, n := range numbers {
		matches[i] = found[i]
		if p, ok := place[n]; ok {
			matches[i] = merge(found[i], found[p], in.MaxMatches)
		}
	}
	return matches, nil
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
			Vector: v, MinScore: in.Calibration.Threshold(in.Threshold, impostors[i]), Limit: in.MaxMatches,
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

// merge is the best matches of two lists, each face once with its higher similarity.
func merge(a, b []face.Match, most int) []face.Match {
	all := sortMatches(slices.Concat(a, b))
	seen := map[face.ID]bool{}
	all = slices.DeleteFunc(all, func(m face.Match) bool {
		again := seen[m.ID]
		seen[m.ID] = true
		return again
	})
	return all[:min(len(all), most)]
}

func similarities(hits []face.Hit, impostors face.Impostors, in Matching) []face.Match {
	var out []face.Match
	for _, h := range hits {
		if s := in.Calibration.Similarity(h.Score, impostors); s >= in.Threshold {
			out = append(out, face.Match{ID: h.ID, Similarity: s})
		}
	}
	return sortMatches(out)
}

// sortMatches orders matches in place: most similar first, ties by id.
func sortMatches(list []face.Match) []face.Match {
	slices.SortFunc(list, func(a, b face.Match) int {
		return cmp.Or(cmp.Compare(b.Similarity, a.Similarity), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return list
}
