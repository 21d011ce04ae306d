package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/notify"
	"github.com/spotter-video/spotter/internal/service"
)

// notices delivers notifications to topics that can be exchanged while it does. Safe for concurrent use.
type notices struct {
	make func(topics map[string]notify.Topic) (*notify.Notifier, error)

	// turn is held by whoever starts, exchanges or stops, and guards start and stopped.
	turn    sync.Mutex
	start   func(*notify.Notifier) // nil until Start
	stopped bool

	mu     sync.RWMutex // guards what follows, for moments only
	now    *notify.Notifier
	before notify.Stats // what those counted that are gone
}

// pollShared is how late a notice is found that another process has left: the look is one small statement.
const pollShared = 2 * time.Second

func (s *server) openNotices(context.Context) (err error) {
	poll := time.Duration(0)
	if s.db.shared {
		poll = pollShared
	}
	n := &notices{make: func(topics map[string]notify.Topic) (*notify.Notifier, error) {
		return notify.New(notify.Config{Topics: topics, Log: s.log, Now: s.request.Now, Poll: poll})
	}}
	if n.now, err = n.make(topicSinks(&s.config)); err != nil {
		return &fault.UsageError{Err: fmt.Errorf("topics: %w", err)}
	}
	s.notices = n
	return nil
}

// Start begins to deliver, see [notify.Notifier.Start].
func (n *notices) Start(ctx context.Context, store service.NoticeStore) {
	n.turn.Lock()
	defer n.turn.Unlock()
	n.start = func(next *notify.Notifier) { next.Start(ctx, store) }
	n.start(n.current())
}

// Exchange delivers to other topics from now on, once those that are on their way have been delivered or broken off: never does
// a notice go both ways at once.
func (n *notices) Exchange(ctx context.Context, s *config.Server) error {
	next, err := n.make(topicSinks(s))
	if err != nil {
		return fmt.Errorf("topics: %w", err)
	}
	n.turn.Lock()
	defer n.turn.Unlock()
	if n.stopped || n.start == nil {
		return next.Stop(ctx)
	}
	limited, cancel := context.WithTimeout(ctx, lastWords)
	defer cancel()
	_ = n.current().Stop(limited) // what was broken off is still in the outbox
	n.replace(next)
	n.start(next) // which looks into the outbox, whoever was woken meanwhile
	return nil
}

func (n *notices) replace(next *notify.Notifier) {
	n.mu.Lock()
	defer n.mu.Unlock()
	gone := n.now.Stats()
	n.before.Delivered, n.before.Dropped = n.before.Delivered+gone.Delivered, n.before.Dropped+gone.Dropped
	n.before.Failed += gone.Failed
	n.now = next
}

// Knows says whether a topic has sinks.
func (n *notices) Knows(topic string) bool { return n.current().Knows(topic) }

// Wake says that there is something new to deliver.
func (n *notices) Wake() { n.current().Wake() }

func (n *notices) current() *notify.Notifier {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.now
}

// Stats counts since the start, whichever topics there were.
func (n *notices) Stats() notify.Stats {
	n.mu.RLock()
	defer n.mu.RUnlock()
	s := n.now.Stats()
	s.Delivered, s.Dropped, s.Failed = s.Delivered+n.before.Delivered, s.Dropped+n.before.Dropped, s.Failed+n.before.Failed
	return s
}

// Stop ends it, see [notify.Notifier.Stop].
func (n *notices) Stop(ctx context.Context) error {
	n.turn.Lock()
	defer n.turn.Unlock()
	n.stopped = true
	return n.current().Stop(ctx)
}
