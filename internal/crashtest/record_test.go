package crashtest

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"sync"
)

// entry is one line of the server's log, as far as the tests look at it.
type entry struct {
	Message string `json:"msg"`
	Level   string `json:"level"`
	Job     string `json:"job_id"`
	Task    string `json:"task"`
	Segment int    `json:"segment"`
	URL     string `json:"url"`
}

// record is what a server has said. Safe for concurrent use.
type record struct {
	mu      sync.Mutex
	lines   []string      // guarded by mu, as are all
	entries []entry       // of those lines that are JSON
	changed chan struct{} // closed when there is more
	ended   bool
}

func newRecord() *record { return &record{changed: make(chan struct{})} }

func (r *record) read(in io.Reader) {
	for lines := bufio.NewReader(in); ; {
		line, err := lines.ReadString('\n')
		r.add(strings.TrimSpace(line), err != nil)
		if err != nil {
			return
		}
	}
}

func (r *record) add(line string, last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := (entry{}); json.Unmarshal([]byte(line), &e) == nil {
		r.entries = append(r.entries, e)
	}
	if line != "" {
		r.lines = append(r.lines, line)
	}
	r.ended = r.ended || last
	close(r.changed)
	r.changed = make(chan struct{})
}

// await waits for an entry, which may have been written before. It says false when the server has ended without it, or
// when the context has.
func (r *record) await(ctx context.Context, match func(entry) bool) (entry, bool) {
	for seen := 0; ; {
		r.mu.Lock()
		entries, changed, ended := r.entries, r.changed, r.ended
		r.mu.Unlock()
		for ; seen < len(entries); seen++ {
			if match(entries[seen]) {
				return entries[seen], true
			}
		}
		if ended {
			return entry{}, false
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return entry{}, false
		}
	}
}

// all are the entries so far.
func (r *record) all() []entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clip(r.entries)
}

// text is everything that was said.
func (r *record) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "\n")
}

// tail is the end of it, without River's own words.
func (r *record) tail() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	const most = 40
	var kept []string
	for _, line := range r.lines {
		if !strings.Contains(line, `"level":"DEBUG"`) || strings.Contains(line, "job_id") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept[max(0, len(kept)-most):], "\n")
}
