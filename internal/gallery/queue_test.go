package gallery

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
)

// desk answers each probe with a hit that has its limit as the score, once it is told to go on.
type desk struct {
	goOn   chan struct{}
	served []int // probes of each search
	ended  []error
	fail   error
}

func (d *desk) search(ctx context.Context, probes []face.Probe) ([][]face.Hit, error) {
	d.served = append(d.served, len(probes))
	select {
	case <-d.goOn:
	case <-ctx.Done():
		d.ended = append(d.ended, context.Cause(ctx))
		return nil, context.Cause(ctx)
	}
	if d.fail != nil {
		return nil, d.fail
	}
	hits := make([][]face.Hit, len(probes))
	for i, p := range probes {
		hits[i] = []face.Hit{{Score: face.Score(p.Limit)}}
	}
	return hits, nil
}

// client asks for probes with limits from first on, and keeps the answer.
type client struct {
	first, count int
	cancel       context.CancelFunc
	hits         [][]face.Hit
	err          error
}

// ask has clients ask one after another; the first one is being served when it returns.
func ask(t *testing.T, q *queue, d *desk, all *sync.WaitGroup, clients ...*client) {
	t.Helper()
	for _, c := range clients {
		ctx, cancel := context.WithCancel(t.Context())
		c.cancel = cancel
		probes := make([]face.Probe, c.count)
		for i := range probes {
			probes[i].Limit = c.first + i
		}
		all.Go(func() { c.hits, c.err = q.search(ctx, probes, d.search) })
		synctest.Wait()
	}
}

func (c *client) wantAnswer(t *testing.T) {
	t.Helper()
	want := make([][]face.Hit, c.count)
	for i := range want {
		want[i] = []face.Hit{{Score: face.Score(c.first + i)}}
	}
	if diff := cmp.Diff(want, c.hits); c.err != nil || diff != "" {
		t.Errorf("client %d: %v (-want +got):\n%s", c.first, c.err, diff)
	}
}

func TestSearchesThatWaitAreMadeTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var q queue
		var all sync.WaitGroup
		d := &desk{goOn: make(chan struct{})}
		clients := []*client{
			{first: 10, count: 1},
			{first: 20, count: 2},
			{first: 30},
			{first: 40, count: 60},
			{first: 200, count: 3},
			{first: 300, count: 100},
			{first: 500, count: 1},
		}
		ask(t, &q, d, &all, clients...)
		close(d.goOn)
		all.Wait()
		for _, c := range clients {
			c.wantAnswer(t)
			c.cancel()
		}
		// Alone; joined until there would be too many; too many by itself; the rest.
		if diff := cmp.Diff([]int{1, 62, 3, 100, 1}, d.served); diff != "" {
			t.Errorf("searches of so many probes (-want +got):\n%s", diff)
		}
		if q.busy || len(q.waiting) > 0 {
			t.Error("the queue is not empty")
		}
	})
}

func TestWhoeverGivesUpHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var q queue
		var all sync.WaitGroup
		d := &desk{goOn: make(chan struct{})}
		first, waits := &client{first: 1, count: 1}, &client{first: 2, count: 1}
		leads, joins := &client{first: 3, count: 1}, &client{first: 4, count: 1}
		ask(t, &q, d, &all, first, waits, leads, joins)
		waits.cancel()
		synctest.Wait()
		if !errors.Is(waits.err, context.Canceled) {
			t.Errorf("a search that waits: %v", waits.err)
		}
		d.goOn <- struct{}{}
		synctest.Wait()
		first.wantAnswer(t)
		leads.cancel()
		synctest.Wait()
		if len(d.ended) > 0 {
			t.Error("a search ended that somebody still wants")
		}
		d.goOn <- struct{}{}
		all.Wait()
		joins.wantAnswer(t)

		alone, other := &client{first: 5, count: 1}, &client{first: 6, count: 1}
		ask(t, &q, d, &all, alone, other)
		alone.cancel()
		synctest.Wait()
		if len(d.ended) != 1 || !errors.Is(alone.err, context.Canceled) {
			t.Errorf("a search that nobody wants any more goes on: %v", alone.err)
		}
		d.goOn <- struct{}{}
		all.Wait()
		other.wantAnswer(t)
		for _, c := range []*client{first, joins, other} {
			c.cancel()
		}
	})
}

// TestCalledUponAndGivenUp has requests whose context ends in the moment in which they are called upon: whichever is noticed
// first, the next one must have its turn.
func TestCalledUponAndGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var q queue
		d := &desk{goOn: make(chan struct{})}
		close(d.goOn)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for range 50 {
			if hits, err := q.search(ended, make([]face.Probe, 1), d.search); err != nil && !errors.Is(err, context.Canceled) {
				t.Fatalf("%v, %v", hits, err)
			}
			if hits, err := q.search(t.Context(), make([]face.Probe, 1), d.search); err != nil || len(hits) != 1 {
				t.Fatalf("the next one: %v, %v", hits, err)
			}
		}
	})
}

func TestAnErrorIsEverybodys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var q queue
		var all sync.WaitGroup
		d := &desk{goOn: make(chan struct{}), fail: errShelf}
		clients := []*client{{first: 1, count: 1}, {first: 2, count: 1}, {first: 3, count: 1}}
		ask(t, &q, d, &all, clients...)
		close(d.goOn)
		all.Wait()
		for _, c := range clients {
			if !errors.Is(c.err, errShelf) || c.hits != nil {
				t.Errorf("client %d: %v, %v", c.first, c.hits, c.err)
			}
			c.cancel()
		}
	})
}

// TestJoinedSearches has many clients search one gallery, and a snapshot of it, whose answers must be those of brute force.
func TestJoinedSearches(t *testing.T) {
	t.Parallel()
	const dim, faces, clients, searches = 24, 1000, 12, 40
	all := vectors(newSeeded(1), faces, dim)
	g, _, m := newLean(t, all, withJoining())
	snapshot := g.Snapshot()
	defer snapshot.Close() //nolint:errcheck // it is nil
	var running sync.WaitGroup
	for c := range clients {
		running.Go(func() {
			d := newSeeded(uint64(c))
			var g searchable = g
			if c%2 == 1 {
				g = snapshot
			}
			for range searches {
				probes := make([]face.Probe, d.below(4))
				for i := range probes {
					probes[i] = face.Probe{Vector: vector(d, dim, all), Limit: 1 + d.below(30), MinScore: face.Score(d.normal() / 3)}
				}
				got, err := g.Search(t.Context(), probes)
				if diff := cmp.Diff(m.search(probes), got); err != nil || diff != "" {
					t.Errorf("%v (-want +got):\n%s", err, diff)
				}
			}
		})
	}
	bad := []face.Probe{{Vector: all[0], Limit: -1}}
	if _, err := g.Search(t.Context(), bad); !errors.Is(err, ErrProbe) {
		t.Errorf("a bad probe: %v", err)
	}
	running.Wait()
}

// TestManyProbesWaitForNobody searches for more probes than are joined while another search of the same snapshot hangs.
func TestManyProbesWaitForNobody(t *testing.T) {
	t.Parallel()
	const dim = 16
	all := vectors(newSeeded(1), 100, dim)
	from := &hanging{shelf: shelf{faces: map[face.ID][]float32{}}, began: make(chan struct{}), goOn: make(chan struct{})}
	g, err := NewWithOriginals(dim, from, withJoining())
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close() //nolint:errcheck // it is nil
	from.put(numbers(0, len(all)), all)
	if err := g.Add(numbers(0, len(all)), slices.Concat(all...)); err != nil {
		t.Fatal(err)
	}
	snapshot := g.Snapshot()
	defer snapshot.Close() //nolint:errcheck // it is nil
	probes := make([]face.Probe, mostJoined+1)
	for i := range probes {
		probes[i] = face.Probe{Vector: all[i], Limit: 1}
	}
	var first sync.WaitGroup
	first.Go(func() {
		if _, err := snapshot.Search(t.Context(), probes[:1]); err != nil {
			t.Error(err)
		}
	})
	<-from.began
	if hits, err := snapshot.Search(t.Context(), probes); err != nil || len(hits) != len(probes) {
		t.Errorf("%d answers: %v", len(hits), err)
	}
	close(from.goOn)
	first.Wait()
}

// hanging is originals of which the first that are asked for do not come.
type hanging struct {
	shelf
	asked       atomic.Bool
	began, goOn chan struct{}
}

func (h *hanging) Originals(ctx context.Context, ids []face.ID, each func(face.ID, []float32) error) error {
	if !h.asked.Swap(true) {
		close(h.began)
		<-h.goOn
	}
	return h.shelf.Originals(ctx, ids, each)
}

// withJoining joins the searches of a small gallery too.
func withJoining() Option {
	return func(s *searcher) error {
		s.joinBytes = 0
		return nil
	}
}

func TestAPanicHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var q queue
		var all sync.WaitGroup
		goOn := make(chan struct{})
		all.Go(func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_, _ = q.search(t.Context(), make([]face.Probe, 1), func(context.Context, []face.Probe) ([][]face.Hit, error) {
				<-goOn
				panic("a fault")
			})
		})
		synctest.Wait()
		d := &desk{goOn: make(chan struct{})}
		close(d.goOn)
		c := &client{first: 7, count: 1}
		ask(t, &q, d, &all, c)
		close(goOn)
		all.Wait()
		if c.err != nil || len(c.hits) != 1 {
			t.Errorf("who waited got %v, %v", c.hits, c.err)
		}
	})
}
