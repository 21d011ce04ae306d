package audit

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// patience is how long an entry waits for the database before it counts as lost: whoever asked is waiting for the answer.
const patience = 10 * time.Second

// Rows writes entries into the database that processes share. Those that come while others are being written go together in one
// transaction. Make one with [NewRows]; safe for concurrent use.
type Rows struct {
	add     func(ctx context.Context, entries []Entry) error
	writing sync.Mutex // held by who writes
	mu      sync.Mutex // guards next
	next    *batch     // waits to be written; nil if nothing does
}

// batch are entries that are written together.
type batch struct {
	entries []Entry
	done    chan struct{}
	err     error // set when done is closed
}

// NewRows makes a log of what adds entries to a database.
func NewRows(add func(ctx context.Context, entries []Entry) error) *Rows { return &Rows{add: add} }

// Write keeps an entry: when it returns, the entry is in the database.
func (r *Rows) Write(e Entry) error {
	r.mu.Lock()
	b := r.next
	first := b == nil
	if first {
		b = &batch{done: make(chan struct{})}
		r.next = b
	}
	b.entries = append(b.entries, e)
	r.mu.Unlock()
	if first {
		r.write(b)
	}
	<-b.done
	return b.err
}

// write waits for its turn, and takes along who has come until then.
func (r *Rows) write(b *batch) {
	r.writing.Lock()
	defer r.writing.Unlock()
	r.mu.Lock()
	r.next = nil
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.add(ctx, b.entries); err != nil {
		b.err = fmt.Errorf("write to the audit log: %w", err)
	}
	close(b.done)
}
