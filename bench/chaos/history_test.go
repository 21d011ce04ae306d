package main

import (
	"errors"
	"testing"
)

// TestHistory judges histories that may be and others that may not.
func TestHistory(t *testing.T) {
	t.Parallel()
	lost := errors.New("lost")
	type step struct {
		client int
		action action
		found  bool
		err    error
	}
	for name, c := range map[string]struct {
		steps []step
		bad   bool
	}{
		"found after it was enrolled":         {steps: []step{{0, enrolling, true, nil}, {1, looking, true, nil}}},
		"missing after it was enrolled":       {steps: []step{{0, enrolling, true, nil}, {1, looking, false, nil}}, bad: true},
		"found after it was deleted":          {steps: []step{{0, enrolling, true, nil}, {0, deleting, false, nil}, {1, looking, true, nil}}, bad: true},
		"an enrolment that nobody answered":   {steps: []step{{0, enrolling, true, lost}, {1, looking, false, nil}, {1, looking, true, nil}}},
		"and that cannot have been undone":    {steps: []step{{0, enrolling, true, lost}, {1, looking, true, nil}, {1, looking, false, nil}}, bad: true},
		"a search that nobody answered":       {steps: []step{{0, enrolling, true, nil}, {1, looking, false, lost}}},
		"a deletion that happened much later": {steps: []step{{0, enrolling, true, nil}, {0, deleting, false, lost}, {1, looking, true, nil}, {1, looking, false, nil}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHistory()
			for _, s := range c.steps {
				h.begin(s.client, "people", "anna", s.action)(s.found, s.err)
			}
			if err := h.check(); (err != nil) != c.bad {
				t.Errorf("the history is judged %v", err)
			}
		})
	}
}

// TestHistoryOfManyUnanswered decides histories in which most changes were not answered.
func TestHistoryOfManyUnanswered(t *testing.T) {
	t.Parallel()
	lost := errors.New("lost")
	for _, bad := range []bool{false, true} {
		h := newHistory()
		ask := func(a action, found bool, err error) { h.begin(0, "people", "anna", a)(found, err) }
		for range 500 {
			ask(enrolling, true, lost)
			ask(deleting, false, lost)
		}
		for range 500 {
			ask(looking, true, nil)
			ask(looking, false, nil)
		}
		if bad {
			ask(looking, true, nil) // there were no more enrolments
		}
		if err := h.check(); (err != nil) != bad {
			t.Errorf("the history is judged %v", err)
		}
	}
}
