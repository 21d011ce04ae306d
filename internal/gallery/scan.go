package gallery

import (
	"context"
	"fmt"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/spotter-video/spotter/internal/face"
)

const (
	// unitBlocks is how many blocks a worker takes at a time: 2 MiB of codes at 512 dimensions.
	unitBlocks = 256
	// tileBlocks is how many blocks a kernel scans in one call, where nothing is to be gained from fewer: enough that
	// the call costs nothing, and few enough that scores and masks stay in the first-level cache.
	tileBlocks = 64
	// tileBytes is how many bytes of blocks all groups of probes of a batch pass over, one after another, before the
	// next ones are read from memory: they stay in the second-level cache.
	tileBytes = 128 << 10
	// workerBytes is how many bytes of blocks, times groups of probes, make another goroutine worth its start (a few
	// microseconds against some hundred).
	workerBytes = 4 << 20
)

// searcher is what galleries and their snapshots search with.
type searcher struct {
	shape       shape
	kernel      kernel
	parallelism int       // most goroutines of one search
	originals   Originals // nil where the gallery keeps vectors
	// joinBytes is how many bytes of codes make a gallery large: a search alone takes all CPUs.
	joinBytes int
}

// search answers the probes from a view, which the caller holds.
//
// Where a face turns out to be gone that others were dropped for, as being worse, the search begins again without it: the
// answer is what it would be had the face not been there. Each time at least one face fewer is left.
func (s *searcher) search(ctx context.Context, v *view, probes []face.Probe) ([][]face.Hit, error) {
	queries, err := newQueries(&s.shape, probes)
	if err != nil {
		return nil, err
	}
	r := &resolver{s: s, v: v, absent: &absent{}}
	for {
		before := r.absent.len()
		hits, err := r.attempt(ctx, queries)
		if err != nil {
			return nil, fmt.Errorf("search gallery: %w", err)
		}
		if r.absent.len() == before || !slices.ContainsFunc(queries, func(q query) bool { return q.floor.get() > q.min }) {
			return hits, nil
		}
		for i := range queries {
			queries[i].reset()
		}
	}
}

// attempt answers the queries, as if the faces that are known to be absent had been deleted.
func (r *resolver) attempt(ctx context.Context, queries []query) ([][]face.Hit, error) {
	workers, err := r.scan(ctx, queries)
	if err != nil {
		return nil, err
	}
	rankings := make([]ranking, len(queries))
	err = each(ctx, workers, len(queries), func(_ *worker, i int) error {
		rankings[i] = newRanking(merge(workers, i))
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := r.rank(ctx, workers, rankings); err != nil {
		return nil, err
	}
	hits := make([][]face.Hit, len(rankings))
	for i := range rankings {
		hits[i] = rankings[i].hits()
	}
	return hits, nil
}

// scan offers every face of the view to the collectors of some workers.
func (r *resolver) scan(ctx context.Context, queries []query) ([]*worker, error) {
	units := r.v.units()
	groups := newGroups(r.s, queries)
	workers := make([]*worker, r.s.workers(len(units), len(groups)))
	for i := range workers {
		workers[i] = newWorker(r, groups, queries)
	}
	return workers, each(ctx, workers, len(units), func(w *worker, i int) error { return w.scan(ctx, units[i]) })
}

const (
	// leastRanked is how many scores are computed at least before the floor is looked at again.
	leastRanked = 16
	// leastFetched is the same for scores that need originals, which cost several microseconds each and some hundred for
	// each time that they are asked for.
	leastFetched = 64
)

// rank brings all rankings to their ends. Originals are asked for on behalf of all of them at once.
func (r *resolver) rank(ctx context.Context, workers []*worker, rankings []ranking) error {
	if r.s.originals == nil {
		return each(ctx, workers, len(rankings), func(_ *worker, i int) error {
			k := &rankings[i]
			for {
				next := k.next(max(k.c.q.limit/2, leastRanked))
				if len(next) == 0 {
					return nil
				}
				if err := r.resolve(ctx, k.c.questions(nil, next)); err != nil {
					return err
				}
				k.take(len(next))
			}
		})
	}
	for more := true; more; {
		var questions []question
		taken := make([]int, len(rankings))
		more = false
		for i := range rankings {
			k := &rankings[i]
			next := k.next(max(k.c.q.limit, leastFetched))
			questions = k.c.questions(questions, next)
			taken[i] = len(next)
			more = more || len(next) > 0
		}
		if err := r.resolve(ctx, questions); err != nil {
			return err
		}
		for i, n := range taken {
			rankings[i].take(n)
		}
	}
	return nil
}

// workers says how many goroutines a search of so many units for so many groups of probes is given.
func (s *searcher) workers(units, groups int) int {
	bytes := units * min(unitBlocks, s.shape.faces/blockFaces) * s.shape.blockBytes * groups
	return max(min(s.parallelism, bytes/workerBytes, units), 1)
}

// each calls do for 0..n-1, shared out to the workers, one goroutine each and the caller's for the first. It returns
// when all have ended: early, with the first error or the context's, when there is one.
func each(ctx context.Context, workers []*worker, n int, do func(w *worker, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	work := func(w *worker) {
		for ctx.Err() == nil {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			if err := do(w, i); err != nil {
				cancel(err)
			}
		}
	}
	var others sync.WaitGroup
	for _, w := range workers[1:] {
		others.Go(func() { work(w) })
	}
	work(workers[0])
	others.Wait()
	return context.Cause(ctx)
}

// unit is a run of blocks of one part.
type unit struct{ part, block, count int }

func (v *view) units() []unit {
	var units []unit
	for p := range v.parts {
		blocks := v.parts[p].faces / blockFaces
		for b := 0; b < blocks; b += unitBlocks {
			units = append(units, unit{part: p, block: b, count: min(unitBlocks, blocks-b)})
		}
	}
	if v.tail.live > 0 {
		units = append(units, unit{part: len(v.parts), block: 0, count: 1})
	}
	return units
}

// group is the probes that a kernel scans for at once: one, or up to eight.
type group struct {
	first, count int // queries
	width        int // 1 or lanes
	codes        []byte
	extras       passes // see kernel.pack
}

func newGroups(s *searcher, queries []query) []group {
	var groups []group
	for first := 0; first < len(queries); {
		g := group{first: first, count: min(lanes, len(queries)-first), width: lanes}
		if g.count <= max(s.kernel.alone, 1) {
			g.count, g.width = 1, 1
		}
		g.codes = make([]byte, s.shape.groups*g.width*s.kernel.packedBytes)
		for i := range g.count {
			g.extras.raise(i, s.kernel.pack(g.codes, queries[first+i].codes, i, g.width))
		}
		groups = append(groups, g)
		first += g.count
	}
	return groups
}

// worker scans units for all queries. It is used by one goroutine at a time.
type worker struct {
	r          *resolver
	s          *searcher
	v          *view
	gone       bool // some faces are known to be absent
	groups     []group
	args       []scanArgs  // a group each
	collectors []collector // a query each
	tile       int         // blocks
	approx     []float32   // [block][probe][16 faces]
	masks      []uint16    // [block][probe]
}

func newWorker(r *resolver, groups []group, queries []query) *worker {
	s := r.s
	w := &worker{
		r:          r,
		s:          s,
		v:          r.v,
		gone:       r.absent.len() > 0,
		groups:     groups,
		args:       make([]scanArgs, len(groups)),
		collectors: make([]collector, len(queries)),
		tile:       tileBlocks,
	}
	if len(groups) > 1 {
		w.tile = max(min(tileBytes/s.shape.blockBytes, tileBlocks), 1)
	}
	w.approx = make([]float32, w.tile*lanes*blockFaces)
	w.masks = make([]uint16, w.tile*lanes)
	for i := range queries {
		w.collectors[i] = newCollector(&queries[i], r)
	}
	for i := range groups {
		w.prepare(&w.args[i], &groups[i])
	}
	return w
}

// prepare sets all arguments that are the same for every call of the kernel.
func (w *worker) prepare(a *scanArgs, g *group) {
	a.groups = w.s.shape.groups
	a.codes, a.extras = g.codes, g.extras
	a.approx = w.approx
	a.masks = w.masks
	for i := range g.count {
		q := &w.collectors[g.first+i].q.quantised
		a.correction[i] = w.s.kernel.offset * q.sum
		a.scale[i] = q.scale
		a.norm[i] = q.norm
	}
	for i := g.count; i < lanes; i++ {
		a.threshold[i] = nothing()
	}
}

// scan offers the faces of a unit to the collectors.
func (w *worker) scan(ctx context.Context, u unit) error {
	for n := 0; n < u.count; n += w.tile {
		tile := unit{part: u.part, block: u.block + n, count: min(w.tile, u.count-n)}
		for i := range w.groups {
			if err := w.scanTile(ctx, &w.groups[i], &w.args[i], tile); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *worker) scanTile(ctx context.Context, g *group, a *scanArgs, t unit) error {
	for i := range g.count {
		q := w.collectors[g.first+i].q
		a.threshold[i] = q.cut(q.floor.get())
	}
	p := w.v.part(t.part)
	a.blocks, a.count = p.blocks[t.block*w.s.shape.blockBytes:], t.count
	if g.width == 1 {
		w.s.kernel.one(a)
		for b, mask := range w.masks[:t.count] {
			if mask == 0 {
				continue
			}
			if err := w.collect(ctx, &w.collectors[g.first], t, b, mask, w.approx[b*blockFaces:]); err != nil {
				return err
			}
		}
		return nil
	}
	w.s.kernel.eight(a)
	for b := range t.count {
		masks := (*[lanes]uint16)(w.masks[b*lanes:])
		if *masks == [lanes]uint16{} {
			continue
		}
		for i, mask := range masks[:g.count] {
			if mask == 0 {
				continue
			}
			if err := w.collect(ctx, &w.collectors[g.first+i], t, b, mask, w.approx[(b*lanes+i)*blockFaces:]); err != nil {
				return err
			}
		}
	}
	return nil
}

// collect takes in the faces of one block whose bit is set in the mask, but for the deleted and absent ones.
func (w *worker) collect(ctx context.Context, c *collector, t unit, block int, mask uint16, approx []float32) error {
	p := w.v.part(t.part)
	for ; mask != 0; mask &= mask - 1 {
		f := bits.TrailingZeros16(mask)
		slot := (t.block+block)*blockFaces + f
		if p.dead.has(slot) || w.gone && w.r.absent.has(place{uint32(t.part), uint32(slot)}) { //nolint:gosec // bounded by the shape
			continue
		}
		if err := c.add(ctx, t.part, slot, approx[f], p.residual(slot)); err != nil {
			return err
		}
	}
	return nil
}

// merge has the first worker's collector take over what the others' have found for a query.
func merge(workers []*worker, query int) *collector {
	all := &workers[0].collectors[query]
	for _, w := range workers[1:] {
		all.list = append(all.list, w.collectors[query].list...)
	}
	if all.r.s.originals != nil {
		all.refine()
	}
	return all
}
