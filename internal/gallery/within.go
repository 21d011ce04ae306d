package gallery

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spotter-video/spotter/internal/face"
)

// Bounds is between which values the canonical score of a face lies, both included.
type Bounds struct {
	ID           face.ID
	Lower, Upper face.Score
}

// Within returns, for each probe and in the probes' order, every face that is enrolled when it is called and whose
// canonical score may be the probe's MinScore or more, each once, in any order. None that reaches MinScore is missing.
// Some that are listed may lie below it, by the width of their bounds at most: a hundredth or two at 512 dimensions.
// The probes' limits are not used.
//
// It asks for no originals, so that a face whose original is gone is listed until it is deleted here. It takes 24 bytes
// for each face that it returns, and about as many while it is under way. Errors: [ErrProbe], [ErrClosed] and the
// context's.
func (g *Gallery) Within(ctx context.Context, probes []face.Probe) ([][]Bounds, error) {
	defer runtime.KeepAlive(g)
	return g.current.within(ctx, &g.searcher, probes)
}

// Within works as [Gallery.Within] does, on the snapshot's faces.
func (s *Snapshot) Within(ctx context.Context, probes []face.Probe) ([][]Bounds, error) {
	defer runtime.KeepAlive(s)
	return s.fixed.within(ctx, &s.searcher, probes)
}

// within looks through the view that the handle holds now. It is not joined with others, as searches are: who wants all
// faces has many probes and makes one call.
func (h *handle) within(ctx context.Context, s *searcher, probes []face.Probe) ([][]Bounds, error) {
	v, err := h.acquire()
	if err != nil {
		return nil, fmt.Errorf("look for faces within reach: %w", err)
	}
	defer v.release()
	found, err := s.within(ctx, v, probes)
	if err != nil {
		return nil, fmt.Errorf("look for faces within reach: %w", err)
	}
	return found, nil
}

// within answers the probes from a view, which the caller holds.
func (s *searcher) within(ctx context.Context, v *view, probes []face.Probe) ([][]Bounds, error) {
	queries, err := newUnlimited(&s.shape, probes)
	if err != nil {
		return nil, err
	}
	r := &resolver{s: s, v: v, absent: &absent{}}
	workers, err := r.scan(ctx, queries)
	if err != nil {
		return nil, err
	}
	found := make([][]Bounds, len(queries))
	err = each(ctx, workers, len(queries), func(_ *worker, i int) error {
		found[i] = bounds(workers, i)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// bounds takes what all workers have found for a query out of their collectors.
func bounds(workers []*worker, query int) []Bounds {
	n := 0
	for _, w := range workers {
		c := &w.collectors[query]
		c.refineNew()
		n += len(c.list)
	}
	all := make([]Bounds, 0, n)
	for _, w := range workers {
		c := &w.collectors[query]
		for i := range c.list {
			x := &c.list[i]
			all = append(all, Bounds{ID: w.v.id(x), Lower: face.Score(x.lower), Upper: face.Score(x.upper)})
		}
		c.list = nil // it may be long, and other queries' turn comes later
	}
	return all
}
