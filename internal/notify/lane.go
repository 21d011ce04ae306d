package notify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// laneWidth is how many messages are on their way to one sink at a time: enough to hide a round trip to another
	// continent at hundreds a second, few enough not to be taken for an attack.
	laneWidth = 8
	// laneQueue is how many more may wait for their turn; they cost some kilobytes each.
	laneQueue = 1024
	// sendTimeout bounds one attempt. Standard Webhooks advises 15 to 30 s. Nobody waits longer for a turn either.
	sendTimeout = 20 * time.Second
)

var (
	errBusy    = errors.New("too many notices are waiting for it, because it is slow or away")
	errStopped = errors.New("stopped before it was sent")
)

// lane leads to one sink and bounds what is on its way there.
type lane struct {
	name   string
	sender sender
	now    func() time.Time
	places chan struct{} // one for each message that waits or is sent
	turns  chan struct{} // one for each message that is sent

	mu     sync.Mutex
	closed time.Time // until then the sink wants to be left alone
}

func newLane(s Sink, env environment) (*lane, error) {
	if s == nil {
		return nil, errors.New("it is nil")
	}
	name := s.label()
	snd, err := s.open(env)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &lane{
		name: name, sender: snd, now: env.now,
		places: make(chan struct{}, laneWidth+laneQueue), turns: make(chan struct{}, laneWidth),
	}, nil
}

// deliver sends a message when it is its turn. It does not wait for one beyond the end of waiting; the sending itself goes
// on until sending ends.
func (l *lane) deliver(waiting, sending context.Context, m *message) outcome {
	select {
	case l.places <- struct{}{}:
		defer func() { <-l.places }()
	default:
		return outcome{lane: l, err: errBusy}
	}
	if err := l.turn(waiting); err != nil {
		return outcome{lane: l, err: err}
	}
	defer func() { <-l.turns }()
	if wait := l.wait(); wait > 0 {
		return outcome{lane: l, spared: wait}
	}
	return outcome{lane: l, err: l.send(sending, m)}
}

func (l *lane) turn(ctx context.Context) error {
	timer := time.NewTimer(sendTimeout)
	defer timer.Stop()
	if ctx.Err() != nil {
		return errStopped
	}
	select {
	case l.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return errStopped
	case <-timer.C:
		return errBusy
	}
}

func (l *lane) send(ctx context.Context, m *message) error {
	limited, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	err := l.sender.send(limited, m)
	if err != nil && ctx.Err() != nil {
		return errStopped
	}
	return err
}

// wait is for how long the sink wants to be left alone.
func (l *lane) wait() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed.Sub(l.now())
}

// rest leaves the sink alone for a while.
func (l *lane) rest(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := l.now().Add(d); until.After(l.closed) {
		l.closed = until
	}
}

// outcome is what has become of a message on one lane: it was taken, or failed with err, or the sink was spared because it
// has asked for it.
type outcome struct {
	lane   *lane
	err    error
	spared time.Duration // for how much longer
}
