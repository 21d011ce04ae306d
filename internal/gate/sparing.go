package gate

import (
	"context"
	"log/slog"
	"time"
)

// Sparing is a [slog.Handler] for messages that strangers can cause as often as they like: of each kind it hands on the first few
// of a minute, and at its end one message that says how many more there were. Make one with [NewSparing], and close it.
type Sparing struct {
	next  slog.Handler
	kind  func(slog.Record) string
	tally *Tally[slog.Level] // shared by what WithAttrs and WithGroup make of it
}

// NewSparing makes a handler before another one. Messages of which kind says the same are of one kind.
func NewSparing(next slog.Handler, now func() time.Time, kind func(slog.Record) string) *Sparing {
	return &Sparing{next: next, kind: kind, tally: NewTally(func(kind string, level slog.Level, more int) {
		r := slog.NewRecord(now(), level, "more of these were not written", 0)
		r.AddAttrs(slog.String("these", kind), slog.Int("more", more), slog.Duration("within", minute))
		_ = next.Handle(context.Background(), r) // a log that fails has nobody to tell
	})}
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
	if !s.tally.Passes(s.kind(r), r.Level) {
		return nil
	}
	return s.next.Handle(ctx, r)
}

// WithAttrs counts together with s.
func (s *Sparing) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Sparing{next: s.next.WithAttrs(attrs), kind: s.kind, tally: s.tally}
}

// WithGroup counts together with s.
func (s *Sparing) WithGroup(name string) slog.Handler {
	return &Sparing{next: s.next.WithGroup(name), kind: s.kind, tally: s.tally}
}

// Close says what has not been said.
func (s *Sparing) Close() error { return s.tally.Close() }
