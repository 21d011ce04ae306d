package crashtest

import (
	"regexp"
	"testing"
)

// stretch is one segment of a job.
type stretch struct {
	job     string
	segment int
}

// ledger counts from the log what was begun and what was saved, over all processes.
type ledger struct {
	processes int
	begun     map[stretch]int
	saved     map[stretch]bool
	lost      int // segments that were begun, and not saved when their process ended
}

func newLedger() *ledger { return &ledger{begun: map[stretch]int{}, saved: map[stretch]bool{}} }

// died takes the log of a process that has ended. Nothing may be begun that an earlier process has saved, nothing twice in
// one process, and no more may be left undone than there are workers.
func (l *ledger) died(t *testing.T, s *server) {
	t.Helper()
	l.processes++
	open := map[stretch]bool{}
	for _, e := range s.record.all() {
		at := stretch{e.Job, e.Segment}
		switch {
		case e.Message == "task begins" && e.Task == "segment":
			if l.saved[at] {
				t.Errorf("segment %d is analysed again though it was saved", e.Segment)
			}
			if open[at] {
				t.Errorf("segment %d is begun twice by one process", e.Segment)
			}
			open[at] = true
			l.begun[at]++
		case e.Message == "segment saved":
			l.saved[at] = true
			delete(open, at)
		case e.Level == "ERROR":
			t.Errorf("the server says: %s", e.Message)
		}
	}
	if len(open) > workers {
		t.Errorf("a process leaves %d segments undone, with %d workers", len(open), workers)
	}
	l.lost += len(open)
}

func (l *ledger) segments() int { return len(l.begun) }

func (l *ledger) begins() (n int) {
	for _, times := range l.begun {
		n += times
	}
	return n
}

// check wants no more to have been done again than was lost.
func (l *ledger) check(t *testing.T) {
	t.Helper()
	if again := l.begins() - l.segments(); again > l.lost {
		t.Errorf("%d segments were analysed again, but only %d were cut short", again, l.lost)
	}
}

var person = regexp.MustCompile(`"ExternalImageId":"([A-Z]+)"`)

// peopleIn are the names of those that results tell of.
func peopleIn(t *testing.T, results string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, m := range person.FindAllStringSubmatch(results, -1) {
		names[m[1]] = true
	}
	return names
}
