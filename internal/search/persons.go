package search

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// persons joins the tracklets of one person across shots and stretches: it returns each tracklet's person, numbered
// from 0 by first sighting, and the pooled embeddings of the persons that have several tracklets.
//
// It clusters pooled embeddings: tracklets from the surest to the least sure each go to the group they are most like, if
// they are alike enough and nobody would be in two places at once, or begin a group of their own; then groups that have
// become alike are joined, until none are. Who the gallery says are different people stay apart. Time and memory grow
// with tracklets times people, not with tracklets squared.
func persons(list []Tracklet, sure []map[string]bool, cohort *face.Cohort, samePerson float64,
) (numbers []int, pooled map[int][]float32) {
	samePerson = max(samePerson, noChance(len(list)))
	groups := make([]*group, len(list))
	for i := range list {
		groups[i] = newGroup(i, &list[i], sure[i], cohort)
	}
	roots := gathered(groups, cohort, samePerson)
	for before := len(roots) + 1; len(roots) < before; {
		before = len(roots)
		for _, p := range alike(roots, samePerson) {
			a, b := p.a.root(), p.b.root()
			if a != b && likeness(a, b) >= samePerson && compatible(a, b) {
				join(a, b, cohort)
			}
		}
		roots = slices.DeleteFunc(roots, func(g *group) bool { return g.parent != nil })
	}
	return number(groups)
}

// gathered gives each group of one tracklet to the group it is most like, the surest first, and returns those that are
// left.
func gathered(groups []*group, cohort *face.Cohort, samePerson float64) (roots []*group) {
	order := slices.Clone(groups)
	slices.SortStableFunc(order, func(a, b *group) int { return cmp.Compare(b.weight, a.weight) })
	for _, g := range order {
		if g.vector == nil {
			continue
		}
		best, most := -1, samePerson
		for i, r := range roots {
			if l := likeness(r, g); l >= most && compatible(r, g) {
				best, most = i, l
			}
		}
		if best < 0 {
			roots = append(roots, g)
		} else {
			roots[best] = join(roots[best], g, cohort)
		}
	}
	return roots
}

// join makes two groups one and returns its root: the group that was seen first.
func join(a, b *group, cohort *face.Cohort) *group {
	if b.first < a.first {
		a, b = b, a
	}
	a.absorb(b, cohort)
	return a
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
// the more alike the most alike strangers are. A video with 3,000 tracklets asks for 6.6.
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
	weight    float64   // how much the embeddings say
	sum       []float64 // weighted sum of pooled embeddings
	vector    []float32 // the same as a unit vector; nil if there is none
	impostors face.Impostors
	spans     []span          // ascending, when it is seen
	matched   map[string]bool // the enrolled people that it may be; nil if unknown
}

type span struct{ from, to time.Duration }

func newGroup(i int, t *Tracklet, sure map[string]bool, cohort *face.Cohort) *group {
	g := &group{first: i, weight: t.Weight, spans: []span{{t.Start(), t.End()}}, vector: t.Embedding.Vector, matched: sure}
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
	if g.matched == nil {
		g.matched = b.matched
	} else {
		maps.Copy(g.matched, b.matched)
	}
}

// compatible says whether two groups can be one person at all: not if they are seen at the same time, nor if both
// match enrolled people and nobody in common. People may look alike and still be told apart by their photos.
func compatible(a, b *group) bool {
	return !overlap(a.spans, b.spans) && (a.matched == nil || b.matched == nil || intersect(a.matched, b.matched))
}

func intersect(a, b map[string]bool) bool {
	for name := range a {
		if b[name] {
			return true
		}
	}
	return false
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
	a, b     *group
}

// alike lists the pairs of groups that may be one person, most alike first.
func alike(groups []*group, least float64) []likePair {
	var pairs []likePair
	for i, a := range groups {
		for _, b := range groups[i+1:] {
			if l := likeness(a, b); l >= least && compatible(a, b) {
				pairs = append(pairs, likePair{l, a, b})
			}
		}
	}
	slices.SortFunc(pairs, func(x, y likePair) int {
		return cmp.Or(cmp.Compare(y.likeness, x.likeness), cmp.Compare(x.a.first, y.a.first), cmp.Compare(x.b.first, y.b.first))
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

// dot is an inner product in four float32 lanes: millions of pairs are compared in a long video, and
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
