package gallery

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/spotter-video/spotter/internal/face"
)

const (
	// mostJoined is how many probes are searched for together: eight times what a kernel takes at once. More would make
	// everybody wait for little: a probe among eight costs as much as one among 64.
	mostJoined = 8 * lanes
)

// queue joins the searches of a large gallery, or of one snapshot of it: while one is under way, which takes all CPUs or all that memory delivers,
// others wait, and are then made in one scan. Without it eight searches at once would each read all codes.
//
// One caller at a time searches, for itself and for others; then the next one is called upon.
type queue struct {
	mu      sync.Mutex
	busy    bool       // guarded by mu: somebody searches
	waiting []*request // guarded by mu
}

// request is a search that waits for its turn.
type request struct {
	ctx    context.Context //nolint:containedctx // of one call, which waits for the answer
	probes []face.Probe
	lead   chan []*request // gives the requests to search for, this one among them
	done   chan struct{}   // closed when hits and err are there
	hits   [][]face.Hit
	err    error
}

// join searches what a handle holds: together with others if that is large. A search for more probes than are joined would keep
// the others waiting and gain nothing: it is made on its own, at once.
func (q *queue) join(ctx context.Context, h *handle, s *searcher, probes []face.Probe) ([][]face.Hit, error) {
	if len(probes) > mostJoined || h.scanBytes(&s.shape) < s.joinBytes {
		return h.search(ctx, s, probes)
	}
	if err := checkProbes(&s.shape, probes); err != nil {
		return nil, err // before it can spoil the answers to others
	}
	return q.search(ctx, probes, func(ctx context.Context, probes []face.Probe) ([][]face.Hit, error) {
		return h.search(ctx, s, probes)
	})
}

// search makes a search, on its own or together with others. do must not keep the probes.
func (q *queue) search(
	ctx context.Context, probes []face.Probe, do func(context.Context, []face.Probe) ([][]face.Hit, error),
) ([][]face.Hit, error) {
	r := &request{ctx: ctx, probes: probes, lead: make(chan []*request, 1), done: make(chan struct{})}
	q.enter(r)
	select {
	case all := <-r.lead:
		q.answer(all, do)
	case <-r.done:
	case <-ctx.Done():
		if q.leave(r) {
			return nil, ctx.Err()
		}
		select { // it was called upon at the same time: others may wait for this one
		case all := <-r.lead:
			q.answer(all, do)
		case <-r.done:
		}
	}
	return r.hits, r.err
}

// enter lets a request wait, or calls upon it if nobody searches.
func (q *queue) enter(r *request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, r)
	if !q.busy {
		q.next()
	}
}

// leave takes a request out, unless it has been called upon, or is being answered.
func (q *queue) leave(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	at := slices.Index(q.waiting, r)
	if at < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, at, at+1)
	return true
}

// next calls upon the first of those who wait, to search for as many as can be joined. The caller holds the lock.
func (q *queue) next() {
	n, probes := 0, 0
	for n < len(q.waiting) && (n == 0 || probes+len(q.waiting[n].probes) <= mostJoined) {
		probes += len(q.waiting[n].probes)
		n++
	}
	q.busy = n > 0
	if n > 0 {
		all := slices.Clone(q.waiting[:n])
		q.waiting = slices.Delete(q.waiting, 0, n)
		all[0].lead <- all
	}
}

// answer searches for requests, and calls upon the next one. The search ends early only when none of them is wanted any more.
func (q *queue) answer(all []*request, do func(context.Context, []face.Probe) ([][]face.Hit, error)) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(all[0].ctx))
	defer cancel(nil)
	var wanted atomic.Int64
	wanted.Store(int64(len(all)))
	var probes []face.Probe
	for _, r := range all {
		probes = append(probes, r.probes...)
		defer context.AfterFunc(r.ctx, func() {
			if wanted.Add(-1) == 0 {
				cancel(context.Cause(r.ctx))
			}
		})()
	}
	var hits [][]face.Hit
	err := errors.New("the search ended in the middle")
	defer func() { // also where do panics: a server goes on, and nobody may wait for ever
		q.mu.Lock()
		q.next()
		q.mu.Unlock()
		for _, r := range all {
			if r.err = err; err == nil {
				r.hits, hits = hits[:len(r.probes):len(r.probes)], hits[len(r.probes):]
			}
			close(r.done)
		}
	}()
	hits, err = do(ctx, probes)
}
