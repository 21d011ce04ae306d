package gallery

import (
	"context"
	"fmt"
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
	parallelism int // most goroutines of one search
}

// search answers the probes from a view, which the caller holds.
func (s *searcher) search(ctx context.Context, v *view, probes []face.Probe) ([][]face.Hit, error) {
	queries, err := newQueries(&s.shape, probes)
	if err != nil {
		return nil, err
	}
	units := v.units()
	groups := newGroups(s, queries)
	workers := make([]*worker, s.workers(len(units), len(groups)))
	for i := range workers {
		workers[i] = newWorker(s, v, groups, queries)
	}
	err = each(ctx, workers, len(units), func(w *worker, i int) { w.scan(units[i]) })
	if err != nil {
		return nil, err
	}
	hits := make([][]face.Hit, len(queries))
	err = each(ctx, workers, len(queries), func(_ *worker, i int) { hits[i] = merge(workers, v, i) })
	if err != nil {
		return nil, err
	}
	return hits, nil
}

// workers says how many goroutines a search of so many units for so many groups of probes is given.
func (s *searcher) workers(units, groups int) int {
	bytes := units * min(unitBlocks, s.shape.faces/blockFaces) * s.shape.blockBytes * groups
	return max(min(s.parallelism, bytes/workerBytes, units), 1)
}

// each calls do for 0..n-1, shared out to the workers, one goroutine each and the caller's for the first. It returns
// when all have ended: early, with the context's error, when that is done.
func each(ctx context.Context, workers []*worker, n int, do func(w *worker, i int)) error {
	var next atomic.Int64
	work := func(w *worker) {
		for ctx.Err() == nil {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			do(w, i)
		}
	}
	var others sync.WaitGroup
	for _, w := range workers[1:] {
		others.Go(func() { work(w) })
	}
	work(workers[0])
	others.Wait()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("search gallery: %w", err)
	}
	return nil
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
	for first := 0; first < len(queries); first += lanes {
		g := group{first: first, count: min(lanes, len(queries)-first), width: lanes}
		if g.count == 1 {
			g.width = 1
		}
		g.codes = make([]byte, s.shape.groups*g.width*s.kernel.packedBytes)
		for i := range g.count {
			g.extras.raise(i, s.kernel.pack(g.codes, queries[first+i].codes, i, g.width))
		}
		groups = append(groups, g)
	}
	return groups
}

// worker scans units for all queries. It is used by one goroutine at a time.
type worker struct {
	s          *searcher
	v          *view
	groups     []group
	args       []scanArgs  // a group each
	collectors []collector // a query each
	tile       int         // blocks
	approx     []float32   // [block][probe][16 faces]
	masks      []uint16    // [block][probe]
}

func newWorker(s *searcher, v *view, groups []group, queries []query) *worker {
	w := &worker{
		s:          s,
		v:          v,
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
		w.collectors[i] = newCollector(&queries[i], v)
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
func (w *worker) scan(u unit) {
	for n := 0; n < u.count; n += w.tile {
		tile := unit{part: u.part, block: u.block + n, count: min(w.tile, u.count-n)}
		for i := range w.groups {
			w.scanTile(&w.groups[i], &w.args[i], tile)
		}
	}
}

func (w *worker) scanTile(g *group, a *scanArgs, t unit) {
	for i := range g.count {
		q := w.collectors[g.first+i].q
		a.threshold[i] = q.cut(q.floor.get())
	}
	p := &w.v.parts[t.part]
	a.blocks, a.count = p.blocks[t.block*w.s.shape.blockBytes:], t.count
	if g.width == 1 {
		w.s.kernel.one(a)
		for b, mask := range w.masks[:t.count] {
			if mask != 0 {
				w.collect(&w.collectors[g.first], t, b, mask, w.approx[b*blockFaces:])
			}
		}
		return
	}
	w.s.kernel.eight(a)
	for b := range t.count {
		masks := (*[lanes]uint16)(w.masks[b*lanes:])
		if *masks == [lanes]uint16{} {
			continue
		}
		for i, mask := range masks[:g.count] {
			if mask != 0 {
				w.collect(&w.collectors[g.first+i], t, b, mask, w.approx[(b*lanes+i)*blockFaces:])
			}
		}
	}
}

// collect takes in the faces of one block whose bit is set in the mask, but for the deleted ones.
func (w *worker) collect(c *collector, t unit, block int, mask uint16, approx []float32) {
	p := &w.v.parts[t.part]
	for f := range blockFaces {
		slot := (t.block+block)*blockFaces + f
		if mask&(1<<f) != 0 && !p.dead.has(slot) {
			c.add(t.part, slot, approx[f], p.residual(slot))
		}
	}
}

// merge makes the answer to a query out of what all workers have found, and of the faces that are in no block.
func merge(workers []*worker, v *view, query int) []face.Hit {
	all := &workers[0].collectors[query]
	for _, w := range workers[1:] {
		all.list = append(all.list, w.collectors[query].list...)
	}
	for i := range v.tail.ids {
		score := canonical(all.q.vector, v.tail.row(i))
		all.list = append(all.list, candidate{
			part: uint32(len(v.parts)), slot: uint32(i), lower: score, upper: score, //nolint:gosec // few
		})
	}
	return all.hits()
}
