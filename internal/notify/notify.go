package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

// Config is what a [Notifier] is made with.
type Config struct {
	// Topics says who is told. A key is a topic's ARN, or a pattern of ARNs in which * stands for any run of characters. A
	// topic goes to one entry only: its own, or else the matching pattern with the most text.
	Topics map[string]Topic
	// Log takes failures and drops; nil for none.
	Log *slog.Logger
	// Now is the clock; it is needed.
	Now func() time.Time
	// Client posts webhooks; nil for one without proxies. Redirects are never followed.
	Client *http.Client
	// Retry is [DefaultRetry] if zero.
	Retry Retry
	// Poll is how often to look into the outbox without being woken: what another process has put there is found this late. 0 is right where
	// there is none.
	Poll time.Duration
	// Random gives numbers of 0..1, 1 exclusive, for the spread of retries. Safe for concurrent use. Nil for math/rand's.
	Random func() float64
}

// Notifier delivers notices. Safe for concurrent use.
type Notifier struct {
	routes routes
	log    *slog.Logger
	now    func() time.Time
	retry  Retry
	random func() float64
	poll   time.Duration

	wake   chan struct{} // of one place: a look that is yet to begin sees everything
	counts counts

	mu      sync.Mutex
	run     *run // nil until Start
	stopped bool
	closing sync.Once
	closed  error // of the senders, valid after closing
}

// Stats counts since the notifier was made.
type Stats struct {
	// Delivered and Dropped are notices that every sink has taken, and that were given up.
	Delivered, Dropped int64
	// Failed are attempts at one sink that came to nothing.
	Failed int64
	// Waiting are notices in the outbox, as far as they were looked at: several hundred at a time.
	Waiting int64
}

type counts struct{ delivered, dropped, failed, waiting atomic.Int64 }

// New checks the whole configuration and says everything that is wrong with it. It connects to nobody: a broker that is
// away is tried when there is something to tell.
func New(cfg Config) (*Notifier, error) {
	if cfg.Now == nil {
		return nil, errors.New("set up notifications: no clock is given")
	}
	if cfg.Retry == (Retry{}) {
		cfg.Retry = DefaultRetry()
	}
	if cfg.Poll <= 0 {
		cfg.Poll = pollEvery
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	rs, wrong := newRoutes(cfg.Topics, environment{client: cfg.Client, now: cfg.Now})
	if err := errors.Join(cfg.Retry.check(), wrong); err != nil {
		return nil, fmt.Errorf("set up notifications: %w", err)
	}
	return &Notifier{
		routes: rs, log: cfg.Log, now: cfg.Now, retry: cfg.Retry, random: cfg.Random, poll: cfg.Poll,
		wake: make(chan struct{}, 1),
	}, nil
}

// Knows says whether a topic has sinks.
func (n *Notifier) Knows(topic string) bool { return n.routes.lanes(topic) != nil }

// Start begins to deliver what is in the outbox, until [Notifier.Stop] or the end of ctx, which breaks off deliveries that
// are under way. It counts once.
func (n *Notifier) Start(ctx context.Context, s service.NoticeStore) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.run != nil || n.stopped {
		return
	}
	n.run = newRun(ctx, n, s)
	n.run.start()
}

// Wake says that there is something new in the outbox. It never waits.
func (n *Notifier) Wake() {
	select {
	case n.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Stop lets deliveries that are under way end, breaks them off when ctx ends, and returns when nothing runs any more and
// all connections are closed; what has not been delivered stays in the outbox. The error is that of ctx, if deliveries were
// broken off, and those of closing. It may be called twice, and without Start.
func (n *Notifier) Stop(ctx context.Context) error {
	n.mu.Lock()
	n.stopped = true
	r := n.run
	n.mu.Unlock()
	var cut error
	if r != nil {
		cut = r.stop(ctx)
	}
	n.closing.Do(func() { n.closed = n.closeSenders() })
	return errors.Join(cut, n.closed)
}

// Stats are the counts as they are now.
func (n *Notifier) Stats() Stats {
	return Stats{
		Delivered: n.counts.delivered.Load(), Dropped: n.counts.dropped.Load(),
		Failed: n.counts.failed.Load(), Waiting: max(0, n.counts.waiting.Load()),
	}
}

func (n *Notifier) closeSenders() error {
	var wrong []error
	n.routes.each(func(l *lane) {
		if err := l.sender.close(); err != nil {
			wrong = append(wrong, fmt.Errorf("close %s: %w", l.name, err))
		}
	})
	return errors.Join(wrong...)
}
