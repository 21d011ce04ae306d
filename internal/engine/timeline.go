package engine

import (
	"sync"
	"time"
)

// Step is one piece of a search's work.
type Step struct {
	Name string
	// Worker numbers who did it, from 1; 0 is what comes before and after, done by none of them.
	Worker   int
	From, To time.Time
}

// timeline tells of steps. Safe for concurrent use; nil tells nobody.
type timeline struct {
	now  func() time.Time
	mu   sync.Mutex
	tell func(Step)
}

func newTimeline(now func() time.Time, tell func(Step)) *timeline {
	if tell == nil {
		return nil
	}
	return &timeline{now: now, tell: tell}
}

// begin begins a step; what it returns ends it.
func (t *timeline) begin(worker int, name string) (end func()) {
	if t == nil {
		return func() {}
	}
	from := t.now()
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.tell(Step{Name: name, Worker: worker, From: from, To: t.now()})
	}
}
