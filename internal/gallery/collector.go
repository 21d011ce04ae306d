package gallery

import (
	"bytes"
	"cmp"
	"context"
	"math"
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

// candidate is a face whose canonical score lies between two bounds. One whose original is gone has no score: both
// bounds are minus infinity.
type candidate struct {
	part, slot   uint32 // slot of the part's chunk; part len(view.parts) is the tail
	lower, upper float32
}

// exact says whether the canonical score is known: the bounds of an approximate score are never equal.
func (c *candidate) exact() bool { return c.lower == c.upper }

// settle says what the canonical score is.
func (c *candidate) settle(score float32) { c.lower, c.upper = score, score }

// lose says that there is none.
func (c *candidate) lose() { c.settle(float32(math.Inf(-1))) }

func (c *candidate) lost() bool { return math.IsInf(float64(c.upper), -1) }

// collector gathers the candidates of one query. It is used by one goroutine.
type collector struct {
	q       *query
	r       *resolver
	list    []candidate
	refined int // of an unlimited query: so many at the start of the list have been narrowed down
	pruneAt int
	scores  []float32 // scratch
}

func newCollector(q *query, r *resolver) collector {
	if q.limit == unlimited {
		return collector{q: q, r: r, pruneAt: minPrune}
	}
	return collector{q: q, r: r, pruneAt: max(2*q.limit, minPrune)}
}

// add takes in a face with an approximate score.
func (c *collector) add(ctx context.Context, part, slot int, approx, residual float32) error {
	margin := c.q.margin(residual)
	upper := float32(float64(approx) + margin)
	if upper < c.q.floor.get() {
		return nil
	}
	c.list = append(c.list, candidate{
		part: uint32(part), slot: uint32(slot), //nolint:gosec // bounded by the shape
		lower: float32(float64(approx) - margin), upper: upper,
	})
	if len(c.list) >= c.pruneAt {
		return c.prune(ctx)
	}
	return nil
}

// prune raises the floor to the limit-th best lower bound, and drops what lies below it: that many faces are surely
// better. If too many remain, it computes their scores and keeps the best, by score and then by id. Without a limit
// nothing is surely better.
func (c *collector) prune(ctx context.Context) error {
	if c.q.limit == unlimited {
		c.refineNew()
		c.pruneAt = len(c.list) + minPrune
		return nil
	}
	c.dropBelow()
	most := resolveFactor*c.q.limit + resolveExtra
	if len(c.list) > most {
		if err := c.r.resolve(ctx, c.questions(nil, c.list)); err != nil {
			return err
		}
		c.dropBelow()
		if len(c.list) > c.q.limit {
			slices.SortFunc(c.list, c.compareExact)
			c.list = c.list[:c.q.limit]
		}
	}
	c.pruneAt = min(max(2*len(c.list), 2*c.q.limit, minPrune), most+1)
	return nil
}

// questions appends those of the candidates whose scores are not known.
func (c *collector) questions(to []question, list []candidate) []question {
	for i := range list {
		if !list[i].exact() {
			to = append(to, question{c.q, &list[i]})
		}
	}
	return to
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
	c.list = slices.DeleteFunc(c.list, func(x candidate) bool { return x.upper < floor || x.lost() })
}

// refine narrows the bounds down to what the quantised faces alone leave open: the probe is taken as it is. That halves
// the number of originals that have to be read.
func (c *collector) refine() {
	c.dropBelow()
	c.narrow(c.list)
	c.dropBelow()
}

// refineNew does the same for an unlimited query, and for what has been added since the last time: the codes have just
// been scanned, and are near.
func (c *collector) refineNew() {
	fresh, floor := c.list[c.refined:], c.q.floor.get()
	c.narrow(fresh)
	fresh = slices.DeleteFunc(fresh, func(x candidate) bool { return x.upper < floor })
	c.refined += len(fresh)
	c.list = c.list[:c.refined]
}

func (c *collector) narrow(list []candidate) {
	for i := range list {
		x := &list[i]
		if x.exact() {
			continue
		}
		p, slot := c.r.v.part(int(x.part)), int(x.slot)
		score, margin := p.inner(c.q.vector, slot), refinedMargin(p.residual(slot))
		x.lower, x.upper = float32(score-margin), float32(score+margin)
	}
}

// compareExact orders candidates with known scores as an answer is ordered.
func (c *collector) compareExact(a, b candidate) int {
	if order := cmp.Compare(b.lower, a.lower); order != 0 {
		return order
	}
	idA, idB := c.r.v.id(&a), c.r.v.id(&b)
	return bytes.Compare(idA[:], idB[:])
}

// ranking makes the answer to a query, when every face of the view has been offered to its collector or to one whose
// list that has taken over. Scores are computed from the highest upper bound down, until no further face can belong to
// the answer.
type ranking struct {
	c         *collector
	undecided []candidate // by upper bound, descending
	best      []candidate
}

func newRanking(c *collector) ranking {
	c.dropBelow()
	slices.SortFunc(c.list, func(a, b candidate) int { return cmp.Compare(b.upper, a.upper) })
	return ranking{c: c, undecided: c.list}
}

// next is the candidates whose scores are needed next, at most n; none when the answer is known.
func (r *ranking) next(n int) []candidate {
	n = min(n, len(r.undecided))
	floor := r.c.q.floor.get()
	for n > 0 && r.undecided[n-1].upper < floor {
		n--
	}
	return r.undecided[:n]
}

// take puts the next n candidates, whose scores are known by now, where they belong.
func (r *ranking) take(n int) {
	for _, x := range r.undecided[:n] {
		if x.lower >= r.c.q.min && !x.lost() {
			r.best = append(r.best, x)
		}
	}
	r.undecided = r.undecided[n:]
	slices.SortFunc(r.best, r.c.compareExact)
	if limit := r.c.q.limit; len(r.best) >= limit {
		r.best = r.best[:limit]
		r.c.q.floor.raise(r.best[limit-1].lower)
	}
}

func (r *ranking) hits() []face.Hit {
	hits := make([]face.Hit, len(r.best))
	for i := range r.best {
		hits[i] = face.Hit{ID: r.c.r.v.id(&r.best[i]), Score: face.Score(r.best[i].lower)}
	}
	return hits
}

// canonical is the score that decides; see the package comment.
func canonical(probe, enrolled []float32) float32 { return float32(face.Dot(probe, enrolled)) }
