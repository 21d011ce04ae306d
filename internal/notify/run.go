package notify

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

const (
	// pollEvery is how long the outbox goes unlooked at where no other process puts anything there.
	pollEvery = 30 * time.Second
	// pageSize is how many notices are taken from the outbox at a time, beside those that are in hand.
	pageSize = 256
	// handful is the most notices that are in hand: some megabytes.
	handful = 8192
	// storeTimeout bounds one call of the outbox, also of those that keep results after the stop.
	storeTimeout = 10 * time.Second
	// storePause is how soon an outbox that failed is tried again.
	storePause = 5 * time.Second
)

// run is a notifier between Start and Stop. One goroutine looks into the outbox; each notice in hand has its own.
type run struct {
	*Notifier
	store   service.NoticeStore
	started time.Time

	begin   func() // starts looking
	halt    context.CancelFunc
	breakUp context.CancelFunc
	group   sync.WaitGroup

	inHand struct {
		sync.Mutex
		ids  map[string]struct{} // not serials: a store may give those out again
		more bool                // the outbox has more that is due
	}
}

// newRun makes two contexts: looking and waiting end with halt, sending ends with breakUp.
func newRun(ctx context.Context, n *Notifier, s service.NoticeStore) *run {
	r := &run{Notifier: n, store: s, started: n.now()}
	r.inHand.ids = map[string]struct{}{}
	sending, breakUp := context.WithCancel(ctx)
	waiting, halt := context.WithCancel(sending)
	r.halt, r.breakUp = halt, breakUp
	r.begin = func() { r.dispatch(waiting, sending) }
	return r
}

func (r *run) start() { r.group.Go(r.begin) }

func (r *run) stop(ctx context.Context) error {
	r.halt()
	done := make(chan struct{})
	go func() {
		r.group.Wait()
		close(done)
	}()
	defer r.breakUp()
	defer r.release(ctx)
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		r.breakUp()
		<-done
		return fmt.Errorf("deliveries were broken off: %w", ctx.Err())
	}
}

// release leaves what was in hand to other processes. Without it they wait for some minutes.
func (r *run) release(ctx context.Context) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	if err := r.store.ReleaseNotices(limited); err != nil {
		r.log.LogAttrs(limited, slog.LevelWarn, "cannot release notices in the outbox", slog.Any("error", err))
	}
}

// dispatch takes notices in hand when they are due.
func (r *run) dispatch(waiting, sending context.Context) {
	for waiting.Err() == nil {
		timer := time.NewTimer(r.look(waiting, sending))
		select {
		case <-waiting.Done():
		case <-r.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// look starts everything that is due and says when to look again. It asks for what is due later too: for the time of the
// next, and to know how much is waiting.
func (r *run) look(waiting, sending context.Context) time.Duration {
	before := r.snapshot()
	limit := len(before) + pageSize
	if limit > handful {
		r.setMore(true) // a round that ends wakes
		return r.poll
	}
	now := r.now()
	found, err := r.dueNotices(waiting, now.Add(2*r.retry.Most+pollEvery), limit)
	if err != nil {
		if waiting.Err() == nil {
			r.log.LogAttrs(waiting, slog.LevelWarn, "cannot look into the outbox", slog.Any("error", err))
		}
		return storePause
	}
	r.counts.waiting.Store(int64(len(found)))
	for _, n := range found {
		if n.Due.After(now) {
			r.setMore(false)
			return min(r.poll, n.Due.Sub(now))
		}
		// Those in hand before the outbox was read are passed over even if they have been let go since: it may have been read
		// before the result was kept.
		if _, busy := before[n.ID]; !busy {
			r.take(waiting, sending, n)
		}
	}
	full := len(found) == limit
	r.setMore(full)
	if full {
		return 0
	}
	return r.poll
}

func (r *run) dueNotices(ctx context.Context, by time.Time, limit int) ([]service.Notice, error) {
	limited, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return r.store.DueNotices(limited, by, limit)
}

func (r *run) snapshot() map[string]struct{} {
	r.inHand.Lock()
	defer r.inHand.Unlock()
	return maps.Clone(r.inHand.ids)
}

func (r *run) setMore(more bool) {
	r.inHand.Lock()
	defer r.inHand.Unlock()
	r.inHand.more = more
}

func (r *run) take(waiting, sending context.Context, n service.Notice) {
	r.inHand.Lock()
	r.inHand.ids[n.ID] = struct{}{}
	r.inHand.Unlock()
	r.group.Go(func() {
		kept := newRound(r, n).play(waiting, sending)
		r.letGo(n.ID, kept)
	})
}

// letGo ends a round. The outbox is looked at again only if that can bring something: the notice is still there and will
// be due, or there was no place for others.
func (r *run) letGo(id string, kept bool) {
	r.inHand.Lock()
	delete(r.inHand.ids, id)
	more := r.inHand.more
	r.inHand.Unlock()
	if kept || more {
		r.Wake()
	}
}
