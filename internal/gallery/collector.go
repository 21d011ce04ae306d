package gallery

import (
	"cmp"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
)

const (
	// minPrune is how many candidates are gathered at least before they are looked through: few enough that the floor
	// rises early, many enough that sorting them costs nothing beside the scan.
	minPrune = 256
	// resolveFactor times the limit, and resolveExtra more, is how many candidates may stay undecided. A thousand times
	// the common case (ten hits among a million faces leave 750 candidates; 4096 hits 17,000), it is reached only where
	// very many faces are as good as equal; then their scores are computed in the middle of the scan, so that memory
	// stays bounded.
	resolveFactor = 16
	resolveExtra  = 16384
)

// candidate is a face whose canonical score lies between two bounds.
type candidate struct {
	part, slot   uint32 // slot of the part's chunk; part len(view.parts) is the tail
	lower, upper float32
}

// exact says whether the canonical score is known: the bounds of an approximate score are never equal.
func (c *candidate) exact() bool { return c.lower == c.upper }

// collector gathers the candidates of one query. It is used by one goroutine.
type collector struct {
	q       *query
	v       *view
	list    []candidate
	pruneAt int
	scores  []float32 // scratch
}

func newCollector(q *query, v *view) collector {
	return collector{q: q, v: v, pruneAt: max(2*q.limit, minPrune)}
}

// add takes in a face with an approximate score.
func (c *collector) add(part, slot int, approx, residual float32) {
	margin := c.q.margin(residual)
	upper := float32(float64(approx) + margin)
	if upper < c.q.floor.get() {
		return
	}
	c.put(candidate{
		part: uint32(part), slot: uint32(slot), //nolint:gosec // bounded by the shape
		lower: float32(float64(approx) - margin), upper: upper,
	})
}

func (c *collector) put(found candidate) {
	c.list = append(c.list, found)
	if len(c.list) >= c.pruneAt {
		c.prune()
	}
}

// prune raises the floor to the limit-th best lower bound, and drops what lies below it: that many faces are surely
// better. If too many remain, it computes their scores and keeps the best, by score and then by id.
func (c *collector) prune() {
	c.dropBelow()
	most := resolveFactor*c.q.limit + resolveExtra
	if len(c.list) > most {
		for i := range c.list {
			c.resolve(&c.list[i])
		}
		c.dropBelow()
		if len(c.list) > c.q.limit {
			slices.SortFunc(c.list, c.compareExact)
			c.list = c.list[:c.q.limit]
		}
	}
	c.pruneAt = min(max(2*len(c.list), 2*c.q.limit, minPrune), most+1)
}

func (c *collector) dropBelow() {
	if len(c.list) >= c.q.limit {
		c.scores = c.scores[:0]
		for i := range c.list {
			c.scores = append(c.scores, c.list[i].lower)
		}
		slices.Sort(c.scores)
		c.q.floor.raise(c.scores[len(c.scores)-c.q.limit])
	}
	floor := c.q.floor.get()
	c.list = slices.DeleteFunc(c.list, func(x candidate) bool { return x.upper < floor })
}

// resolve replaces the bounds by the canonical score.
func (c *collector) resolve(x *candidate) {
	if !x.exact() {
		score := canonical(c.q.vector, c.v.row(x))
		x.lower, x.upper = score, score
	}
}

// compareExact orders candidates with known scores as an answer is ordered.
func (c *collector) compareExact(a, b candidate) int {
	if order := cmp.Compare(b.lower, a.lower); order != 0 {
		return order
	}
	idA, idB := c.v.id(&a), c.v.id(&b)
	return slices.Compare(idA[:], idB[:])
}

// hits is the answer, when every face of the view has been offered to this collector or to one whose list it has taken
// over. Scores are computed from the highest upper bound down, until no further face can belong to the answer.
func (c *collector) hits() []face.Hit {
	c.dropBelow()
	slices.SortFunc(c.list, func(a, b candidate) int { return cmp.Compare(b.upper, a.upper) })
	undecided := c.list
	var best []candidate
	for len(undecided) > 0 && undecided[0].upper >= c.q.floor.get() {
		n := min(len(undecided), max(c.q.limit/2, 16))
		for i := range undecided[:n] {
			c.resolve(&undecided[i])
			if undecided[i].lower >= c.q.min {
				best = append(best, undecided[i])
			}
		}
		undecided = undecided[n:]
		slices.SortFunc(best, c.compareExact)
		if len(best) >= c.q.limit {
			best = best[:c.q.limit]
			c.q.floor.raise(best[len(best)-1].lower)
		}
	}
	hits := make([]face.Hit, len(best))
	for i := range best {
		hits[i] = face.Hit{ID: c.v.id(&best[i]), Score: face.Score(best[i].lower)}
	}
	return hits
}

// canonical is the score that decides; see the package comment.
func canonical(probe, enrolled []float32) float32 { return float32(face.Dot(probe, enrolled)) }
