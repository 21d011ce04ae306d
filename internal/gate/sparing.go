package gate

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// firstOnes is how many messages of a kind are written in a minute: enough to see what they are like.
	firstOnes = 5
	minute    = time.Minute
	// maxKinds bounds how many kinds are told apart; the others are one together.
	maxKinds = 64
)

// Sparing is a [slog.Handler] for messages that strangers can cause as often as they like: of each kind it hands on the first few
// of a minute, and at its end one message that says how many more there were. Make one with [NewSparing], and close it.
type Sparing struct {
	next  slog.Handler
	kind  func(slog.Record) string
	state *tally // shared by what WithAttrs and WithGroup make of it
}

// tally is what a minute has had.
type tally struct {
	next slog.Handler
	now  func() time.Time

	mu     sync.Mutex
	counts map[string]*count
	timer  *time.Timer // runs while there are counts
	closed bool
}

type count struct {
	n     int
	level slog.Level
}

// NewSparing makes a handler before another one. Messages of which kind says the same are of one kind.
func NewSparing(next slog.Handler, now func() time.Time, kind func(slog.Record) string) *Sparing {
	return &Sparing{next: next, kind: kind, state: &tally{next: next, now: now, counts: map[string]*count{}}}
}

// KindByCode is a message with the value of its attribute "code", if it has one.
func KindByCode(r slog.Record) string {
	kind := r.Message
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "code" {
			kind += ": " + a.Value.String()
		}
		return a.Key != "code"
	})
	return kind
}

// Enabled is the handler's behind it.
func (s *Sparing) Enabled(ctx context.Context, level slog.Level) bool {
	return s.next.Enabled(ctx, level)
}

// Handle hands a record on, or counts it only.
func (s *Sparing) Handle(ctx context.Context, r slog.Record) error {
	if !s.state.passes(s.kind(r), r.Level) {
		return nil
	}
	return s.next.Handle(ctx, r)
}

// WithAttrs counts together with s.
func (s *Sparing) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Sparing{next: s.next.WithAttrs(attrs), kind: s.kind, state: s.state}
}

// WithGroup counts together with s.
func (s *Sparing) WithGroup(name string) slog.Handler {
	return &Sparing{next: s.next.WithGroup(name), kind: s.kind, state: s.state}
}

// Close says what has not been said. From then on only first messages are written.
func (s *Sparing) Close() error {
	s.state.mu.Lock()
	s.state.closed = true
	if s.state.timer != nil {
		s.state.timer.Stop()
	}
	s.state.mu.Unlock()
	return s.state.tell()
}

func (t *tally) passes(kind string, level slog.Level) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts[kind]
	if c == nil && len(t.counts) >= maxKinds {
		kind = "others"
		c = t.counts[kind]
	}
	if c == nil {
		c = &count{level: level}
		t.counts[kind] = c
	}
	if t.timer == nil && !t.closed {
		t.timer = time.AfterFunc(minute, func() { _ = t.tell() }) // a log that fails has nobody to tell
	}
	c.n++
	c.level = max(c.level, level)
	return c.n <= firstOnes
}

// tell ends a minute.
func (t *tally) tell() (err error) {
	t.mu.Lock()
	counts := t.counts
	t.counts, t.timer = map[string]*count{}, nil
	t.mu.Unlock()
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		if c := counts[kind]; c.n > firstOnes {
			r := slog.NewRecord(t.now(), c.level, "more of these were not written", 0)
			r.AddAttrs(slog.String("these", kind), slog.Int("more", c.n-firstOnes), slog.Duration("within", minute))
			err = errors.Join(err, t.next.Handle(context.Background(), r))
		}
	}
	return err
}
