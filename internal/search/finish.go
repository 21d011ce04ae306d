package search

import (
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
	// Threshold is the lowest similarity that is a match, inclusive. It chooses among the matches and changes nothing else:
	// the answer at a higher threshold is the answer at a lower one, filtered.
	Threshold face.Similarity
	// MaxMatches is the most matches listed per face, 1..4096.
	MaxMatches int
	Params     Params
	// People, if set, names the persons that enrolled faces are of, and is asked once for all that match. Faces of one person then say
	// the same about who somebody is; one without a name counts as a person of its own.
	People func(ctx context.Context, ids []face.ID) (map[face.ID]string, error)
}

// Result is what a face search found in one video.
type Result struct {
	// Sightings are every face at every analysed time, by time, then person.
	Sightings []face.Sighting
	// Persons is how many different people were seen.
	Persons int
	// Portraits holds the best portrait of each person that has one.
	Portraits map[int][]byte
	// Turn is by how many quarters clockwise the video has to be turned for its people to be upright; 0 if it need not.
	Turn int
}

// Finish matches the tracklets of all stretches and joins them into persons. The gallery must stay as it is meanwhile:
// hand in a snapshot. The stretches may be given in any order.
func Finish(ctx context.Context, stretches []*Tracklets, in Matching) (*Result, error) {
	if in.MaxMatches < 1 {
		return nil, errors.New("at least one match per face must be allowed")
	}
	list, err := Whole(stretches, in.Cohort, in.Params)
	if err != nil {
		return nil, err
	}
	probes := newProbes(list, in.Cohort)
	own, err := lookUp(ctx, probes, in)
	if err != nil {
		return nil, fmt.Errorf("match %d tracklets: %w", len(list), err)
	}
	named, err := newNaming(ctx, own, in)
	if err != nil {
		return nil, fmt.Errorf("name whom %d tracklets match: %w", len(list), err)
	}
	numbers := persons(probes, named, in)
	matches := named.matches(probes, numbers)
	r := &Result{Portraits: map[int][]byte{}, Turn: turnOf(stretches)}
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

// Whole lists the tracklets of all stretches as they are matched: made whole across borders, by start. The stretches may be given in
// any order.
func Whole(stretches []*Tracklets, cohort *face.Cohort, p Params) ([]Tracklet, error) {
	dim := len(cohort.Mean)
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
	list := stitch(stretches, p, cohort)
	slices.SortStableFunc(list, func(a, b Tracklet) int { return cmp.Compare(a.Start(), b.Start()) })
	return list, nil
}

// probe is a tracklet with what strangers score against it.
type probe struct {
	*Tracklet
	impostors face.Impostors
}

func newProbes(list []Tracklet, cohort *face.Cohort) []probe {
	probes := make([]probe, len(list))
	for i := range list {
		probes[i].Tracklet = &list[i]
		if v := list[i].Embedding.Vector; v != nil {
			probes[i].impostors = cohort.Impostors(v)
		}
	}
	return probes
}

func (p *probe) vector() []float32 { return p.Embedding.Vector }

// like is the similarity of two tracklets that have embeddings.
func (p *probe) like(q *probe, c *face.Calibration) face.Similarity {
	return c.Between(face.Score(face.Dot32(p.vector(), q.vector())), p.impostors, q.impostors)
}

// lookUp finds each tracklet's own matches, best first; one without an embedding has none. It goes down to
// [leastEvidence] whatever the threshold.
func lookUp(ctx context.Context, probes []probe, in Matching) ([][]face.Match, error) {
	floor := min(in.Threshold, leastEvidence)
	var asked []face.Probe
	var of []int
	for i := range probes {
		if v := probes[i].vector(); v != nil {
			asked = append(asked, face.Probe{
				Vector: v, MinScore: in.Calibration.Threshold(floor, probes[i].impostors),
				Limit: max(in.MaxMatches, leastMatches),
			})
			of = append(of, i)
		}
	}
	found := make([][]face.Match, len(probes))
	if len(asked) == 0 {
		return found, nil
	}
	hits, err := in.Gallery.Search(ctx, asked)
	if err != nil {
		return nil, err
	}
	for k, i := range of {
		for _, h := range hits[k] {
			if s := in.Calibration.Similarity(h.Score, probes[i].impostors); s >= floor {
				found[i] = append(found[i], face.Match{ID: h.ID, Similarity: s, Own: s})
			}
		}
		slices.SortFunc(found[i], bestFirst)
	}
	return found, nil
}
