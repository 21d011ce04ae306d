package search

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
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

// Finish joins the tracklets of all stretches into persons and matches each tracklet once, all in one batch against one
// state of the gallery. The stretches may be given in any order.
func Finish(ctx context.Context, stretches []*Tracklets, in Matching) (*Result, error) {
	list, err := gather(stretches, len(in.Cohort.Mean))
	if err != nil {
		return nil, err
	}
	matches, err := match(ctx, list, in)
	if err != nil {
		return nil, fmt.Errorf("match %d tracklets: %w", len(list), err)
	}
	numbers := persons(list, in.Cohort, in.Params.SamePerson)
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

// gather lists the tracklets of all stretches by start, ties by stretch and place.
func gather(stretches []*Tracklets, dim int) ([]Tracklet, error) {
	stretches = slices.Clone(stretches)
	slices.SortStableFunc(stretches, func(a, b *Tracklets) int { return cmp.Compare(a.Stretch, b.Stretch) })
	var list []Tracklet
	for _, s := range stretches {
		for _, t := range s.List {
			if len(t.Observations) == 0 {
				return nil, fmt.Errorf("stretch %d has a tracklet without observations", s.Stretch)
			}
			if v := t.Embedding.Vector; v != nil && len(v) != dim {
				return nil, fmt.Errorf("stretch %d has an embedding of %d dimensions, the cohort has %d",
					s.Stretch, len(v), dim)
			}
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(a, b Tracklet) int { return cmp.Compare(a.Start(), b.Start()) })
	return list, nil
}

// match searches the gallery for all tracklets that have an embedding, in one batch.
func match(ctx context.Context, list []Tracklet, in Matching) ([][]face.Match, error) {
	if in.MaxMatches < 1 {
		return nil, errors.New("at least one match per face must be allowed")
	}
	var probes []face.Probe
	var of []int
	impostors := make([]face.Impostors, len(list))
	for i := range list {
		v := list[i].Embedding.Vector
		if v == nil {
			continue
		}
		impostors[i] = in.Cohort.Impostors(v)
		probes = append(probes, face.Probe{
			Vector: v, MinScore: in.Calibration.Threshold(in.Threshold, impostors[i]), Limit: in.MaxMatches,
		})
		of = append(of, i)
	}
	matches := make([][]face.Match, len(list))
	if len(probes) == 0 {
		return matches, nil
	}
	hits, err := in.Gallery.Search(ctx, probes)
	if err != nil {
		return nil, err
	}
	for p, i := range of {
		matches[i] = similarities(hits[p], impostors[i], in)
	}
	return matches, nil
}

func similarities(hits []face.Hit, impostors face.Impostors, in Matching) []face.Match {
	var out []face.Match
	for _, h := range hits {
		if s := in.Calibration.Similarity(h.Score, impostors); s >= in.Threshold {
			out = append(out, face.Match{ID: h.ID, Similarity: s})
		}
	}
	slices.SortStableFunc(out, func(a, b face.Match) int {
		return cmp.Or(cmp.Compare(b.Similarity, a.Similarity), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return out
}
