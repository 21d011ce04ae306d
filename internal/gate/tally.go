package gate

import (
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// firstOnes is how many of a kind are let through in a minute: enough to see what they are like.
	firstOnes = 5
	minute    = time.Minute
	// maxKinds bounds how many kinds are told apart; the rest are [Others] together.
	maxKinds = 1000
)

// Others are all kinds beyond those that are told apart.
const Others = "(others)"

// Tally lets the first few of each kind through in a minute, and at its end tells how many more there were. Make one with
// [NewTally], and close it. Safe for concurrent use.
type Tally[T any] struct {
	tell func(kind string, first T, more int)

	mu     sync.Mutex // guards what follows
	counts map[string]*count[T]
	timer  *time.Timer // runs while there are counts
	closed bool
}

type count[T any] struct {
	n     int
	first T
}

// NewTally makes a tally. What tell is given as first is what came with the first of the kind.
func NewTally[T any](tell func(kind string, first T, more int)) *Tally[T] {
	return &Tally[T]{tell: tell, counts: map[string]*count[T]{}}
}

// Passes counts one, and says whether it is let through.
func (t *Tally[T]) Passes(kind string, one T) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts[kind] == nil && len(t.counts) >= maxKinds {
		kind = Others
	}
	c := t.counts[kind]
	if c == nil {
		c = &count[T]{first: one}
		t.counts[kind] = c
	}
	if t.timer == nil && !t.closed {
		t.timer = time.AfterFunc(minute, t.end)
	}
	c.n++
	return c.n <= firstOnes
}

// end ends a minute.
func (t *Tally[T]) end() {
	t.mu.Lock()
	counts := t.counts
	t.counts, t.timer = map[string]*count[T]{}, nil
	t.mu.Unlock()
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		if c := counts[kind]; c.n > firstOnes {
			t.tell(kind, c.first, c.n-firstOnes)
		}
	}
}

// Close tells what has not been told. What comes after it is no more than let through or not.
func (t *Tally[T]) Close() error {
	t.mu.Lock()
	t.closed = true
	if t.timer != nil {
		t.timer.Stop()
	}
	t.mu.Unlock()
	t.end()
	return nil
}
