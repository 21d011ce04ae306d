package search

import (
	"cmp"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// persons joins the tracklets of one person across shots and stretches: it returns each tracklet's person, numbered from
// 0 by first sighting.
//
// It clusters pooled embeddings: tracklets from the surest to the least sure each go to the group they are most like, if
// they are alike enough and nobody would be in two places at once, or begin a group of their own; then groups that have
// become alike are joined, until none are. Who the gallery says are different people stay apart. How alike is enough
// depends on the model pack alone, so that a person is as whole in a long video as in a short one. Time and memory grow
// with tracklets times people, not with tracklets squared.
func persons(probes []probe, named *naming, in Matching) []int {
	c := clustering{cohort: in.Cohort, scale: &in.Params.Scale}
	groups := make([]*group, len(probes))
	for i := range probes {
		groups[i] = newGroup(i, &probes[i], named.sure(i))
	}
	roots := c.gathered(groups)
	for before := len(roots) + 1; len(roots) < before; {
		before = len(roots)
		for _, p := range c.alike(roots) {
			a, b := p.a.root(), p.b.root()
			if a != b && likeness(a, b) >= c.scale.SamePerson && compatible(a, b) {
				c.join(a, b)
			}
		}
		roots = slices.DeleteFunc(roots, func(g *group) bool { return g.parent != nil })
	}
	c.adopt(groups, probes)
	return number(groups)
}

// clustering joins groups by what is known of the model pack.
type clustering struct {
	cohort *face.Cohort
	scale  *face.Scale
}

// gathered gives each group of one tracklet to the group it is most like, the surest first, and returns those that are
// left.
func (c *clustering) gathered(groups []*group) (roots []*group) {
	order := slices.Clone(groups)
	slices.SortStableFunc(order, func(a, b *group) int { return cmp.Compare(b.weight, a.weight) })
	for _, g := range order {
		if g.vector == nil {
			continue
		}
		best, most := -1, c.scale.SamePerson
		for i, r := range roots {
			if l := likeness(r, g); l >= most && compatible(r, g) {
				best, most = i, l
			}
		}
		if best < 0 {
			roots = append(roots, g)
		} else {
			roots[best] = c.join(roots[best], g)
		}
	}
	return roots
}

// join makes two groups one and returns its root: the group that was seen first.
func (c *clustering) join(a, b *group) *group {
	if b.first < a.first {
		a, b = b, a
	}
	a.absorb(b, c.cohort)
	return a
}

// adopt gives tracklets that say too little to tell whose face they are to the person that the tracker saw in their place
// just before or after: they are the pieces of one track in which the face was turned away or blurred. What they are
// given is a person, and no name.
func (c *clustering) adopt(groups []*group, probes []probe) {
	tracks := map[int][]int{}
	for i := range probes {
		tracks[probes[i].Track] = append(tracks[probes[i].Track], i)
	}
	for i, g := range groups {
		if g.parent != nil || g.joined || g.vector != nil && g.weight >= c.scale.Weak {
			continue
		}
		near, least := -1, time.Duration(0)
		for _, k := range tracks[probes[i].Track] {
			gap := max(probes[k].Start()-probes[i].End(), probes[i].Start()-probes[k].End())
			if k != i && (near < 0 || gap < least) && compatible(groups[k].root(), g) {
				near, least = k, gap
			}
		}
		if near >= 0 {
			c.join(groups[near].root(), g)
		}
	}
}

// group is the tracklets that are one person so far, as a union-find tree.
type group struct {
	parent    *group
	joined    bool      // whether it has taken in others
	first     int       // lowest tracklet
	weight    float64   // of the tracklet that it began with: how much the embedding says
	sum       []float64 // weighted sum of pooled embeddings
	vector    []float32 // the same as a unit vector; nil if there is none
	impostors face.Impostors
	spans     []span // ascending, when it is seen
	name      string // the enrolled person that it is beyond doubt; empty if there is none
}

type span struct{ from, to time.Duration }

func newGroup(i int, p *probe, name string) *group {
	g := &group{
		first: i, weight: p.Weight, spans: []span{{p.Start(), p.End()}}, vector: p.vector(), impostors: p.impostors, name: name,
	}
	if g.vector == nil {
		return g
	}
	g.sum = make([]float64, len(g.vector))
	for k, x := range g.vector {
		g.sum[k] = float64(x) * p.Weight
	}
	return g
}

func (g *group) root() *group {
	for g.parent != nil {
		g = g.parent
	}
	return g
}

func (g *group) absorb(b *group, cohort *face.Cohort) {
	b.parent, g.joined = g, true
	g.spans = append(g.spans, b.spans...)
	slices.SortFunc(g.spans, func(x, y span) int { return cmp.Compare(x.from, y.from) })
	g.name = cmp.Or(g.name, b.name)
	switch {
	case b.vector == nil:
	case g.vector == nil:
		g.sum, g.vector, g.impostors = b.sum, b.vector, b.impostors
	default:
		g.pool(b, cohort)
	}
}

func (g *group) pool(b *group, cohort *face.Cohort) {
	v := make([]float32, len(g.sum))
	for i := range g.sum {
		g.sum[i] += b.sum[i]
		v[i] = float32(g.sum[i])
	}
	if _, err := face.Normalize(v); err == nil {
		g.vector = v
		g.impostors = cohort.Impostors(v)
	}
}

// compatible says whether two groups can be one person at all: not if they are seen at the same time, nor if they are two
// enrolled people. People may look alike and still be told apart by their photos.
func compatible(a, b *group) bool {
	return !overlap(a.spans, b.spans) && (a.name == "" || b.name == "" || a.name == b.name)
}

// likeness is the score of two groups, normalised from both sides and averaged (s-norm: neither is the probe).
func likeness(a, b *group) float64 {
	s := face.Score(face.Dot32(a.vector, b.vector))
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
func (c *clustering) alike(groups []*group) []likePair {
	var pairs []likePair
	for i, a := range groups {
		for _, b := range groups[i+1:] {
			if l := likeness(a, b); l >= c.scale.SamePerson && compatible(a, b) {
				pairs = append(pairs, likePair{l, a, b})
			}
		}
	}
	slices.SortFunc(pairs, func(x, y likePair) int {
		return cmp.Or(cmp.Compare(y.likeness, x.likeness), cmp.Compare(x.a.first, y.a.first), cmp.Compare(x.b.first, y.b.first))
	})
	return pairs
}

func number(groups []*group) (numbers []int) {
	of := map[*group]int{}
	for _, g := range groups {
		r := g.root()
		n, ok := of[r]
		if !ok {
			n = len(of)
			of[r] = n
		}
		numbers = append(numbers, n)
	}
	return numbers
}
