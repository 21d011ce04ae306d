package search

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// persons joins the tracklets of one person across shots and stretches: it returns each tracklet's person, numbered
// from 0 by first sighting, and the pooled embeddings of the persons that have several tracklets.
//
// It is agglomerative clustering on pooled embeddings: pairs of tracklets from the most alike downwards, and two
// groups become one when their pooled embeddings are still alike enough and nobody would be in two places at once.
func persons(list []Tracklet, cohort *face.Cohort, samePerson float64) (numbers []int, pooled map[int][]float32) {
	samePerson = max(samePerson, noChance(len(list)))
	groups := make([]*group, len(list))
	for i := range list {
		groups[i] = newGroup(i, &list[i], cohort)
	}
	for _, p := range alike(groups, samePerson) {
		a, b := groups[p.a].root(), groups[p.b].root()
		if a == b || likeness(a, b) < samePerson || overlap(a.spans, b.spans) {
			continue
		}
		if b.first < a.first {
			a, b = b, a
		}
		a.absorb(b, cohort)
	}
	return number(groups)
}

// The false match rates that normalised scores stand for: 1e-4 at 4.06, a tenth of it every 0.7 further on
// (docs/decisions/0003-default-pack.md).
const (
	rareScore   = 4.06
	rareDecades = 4
	perDecade   = 0.7
	// How many pairs of strangers may come up that are taken for one person, in a whole video.
	expectedPairs = 0.1
)

// noChance is the normalised score that hardly any two strangers among n tracklets reach: the more pairs are compared,
// the more alike the most alike strangers are. A video
// with 3,000 tracklets asks for 6.5.
func noChance(n int) float64 {
	pairs := float64(n) * float64(n-1) / 2
	if pairs < 1 {
		return 0
	}
	return rareScore + perDecade*(math.Log10(pairs/expectedPairs)-rareDecades)
}

// group is the tracklets that are one person so far, as a union-find tree.
type group struct {
	parent    *group
	first     int       // lowest tracklet
	sum       []float64 // weighted sum of pooled embeddings
	vector    []float32 // the same as a unit vector; nil if there is none
	impostors face.Impostors
	spans     []span // ascending, when it is seen
}

type span struct{ from, to time.Duration }

func newGroup(i int, t *Tracklet, cohort *face.Cohort) *group {
	g := &group{first: i, spans: []span{{t.Start(), t.End()}}, vector: t.Embedding.Vector}
	if g.vector == nil {
		return g
	}
	g.sum = make([]float64, len(g.vector))
	for k, x := range g.vector {
		g.sum[k] = float64(x) * t.Weight
	}
	g.impostors = cohort.Impostors(g.vector)
	return g
}

func (g *group) root() *group {
	for g.parent != nil {
		g = g.parent
	}
	return g
}

func (g *group) absorb(b *group, cohort *face.Cohort) {
	b.parent = g
	v := make([]float32, len(g.sum))
	for i := range g.sum {
		g.sum[i] += b.sum[i]
		v[i] = float32(g.sum[i])
	}
	if _, err := face.Normalize(v); err == nil {
		g.vector = v
		g.impostors = cohort.Impostors(v)
	}
	g.spans = append(g.spans, b.spans...)
	slices.SortFunc(g.spans, func(x, y span) int { return cmp.Compare(x.from, y.from) })
}

// likeness is the score of two groups, normalised from both sides and averaged (s-norm: neither is the probe).
func likeness(a, b *group) float64 {
	s := face.Score(dot(a.vector, b.vector))
	return (a.impostors.Normalise(s) + b.impostors.Normalise(s)) / 2
}

// overlap says whether two ascending lists of spans share a time.
func overlap(a, b []span) bool {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i].to < b[j].from:
			i++
		case b[j].to < a[i].from:
			j++
		default:
			return true
		}
	}
	return false
}

type likePair struct {
	likeness float64
	a, b     int
}

// alike lists the pairs that may be one person, most alike first.
func alike(groups []*group, least float64) []likePair {
	var pairs []likePair
	for i, a := range groups {
		if a.vector == nil {
			continue
		}
		for j := i + 1; j < len(groups); j++ {
			b := groups[j]
			if b.vector == nil || overlap(a.spans, b.spans) {
				continue
			}
			if l := likeness(a, b); l >= least {
				pairs = append(pairs, likePair{l, i, j})
			}
		}
	}
	slices.SortFunc(pairs, func(x, y likePair) int {
		return cmp.Or(cmp.Compare(y.likeness, x.likeness), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	return pairs
}

func number(groups []*group) (numbers []int, pooled map[int][]float32) {
	of := map[*group]int{}
	pooled = map[int][]float32{}
	for _, g := range groups {
		r := g.root()
		n, ok := of[r]
		if !ok {
			n = len(of)
			of[r] = n
		}
		numbers = append(numbers, n)
		if r != g {
			pooled[n] = r.vector
		}
	}
	return numbers, pooled
}

// dot is an inner product in four float32 lanes: half a million pairs of tracklets are compared in a long video, and
// the last bits do not matter here. The order of summation is fixed, so the result is the same everywhere.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	n := len(a) &^ 3
	for i := 0; i < n; i += 4 {
		s0 += float32(a[i] * b[i])
		s1 += float32(a[i+1] * b[i+1])
		s2 += float32(a[i+2] * b[i+2])
		s3 += float32(a[i+3] * b[i+3])
	}
	for i := n; i < len(a); i++ {
		s0 += float32(a[i] * b[i])
	}
	return (s0 + s1) + (s2 + s3)
}
