package main

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/anishathalye/porcupine"
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

// TestHistoryAgainstEveryOrder compares what is judged with a trial of every order, in which an unanswered change happens at any time from its
// call on, or never.
func TestHistoryAgainstEveryOrder(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	verdicts := map[bool]int{}
	for range 3000 {
		h := newHistory()
		for i := range 1 + r.IntN(7) {
			o := request{subject{"people", "anna"}, action(r.IntN(3)), false}
			call := int64(r.IntN(12))
			end := call + int64(r.IntN(5))
			if o.action != looking && r.IntN(2) == 0 {
				o.maybe, end = true, call
			}
			h.operations = append(h.operations, porcupine.Operation{ClientId: i, Input: o, Call: call, Output: r.IntN(2) == 0, Return: end})
		}
		want := someOrder(h.operations, 0, false)
		if err := h.check(); (err == nil) != want {
			t.Fatalf("the history %+v is judged %v; that an order explains it is %t", h.operations, err, want)
		}
		verdicts[want]++
	}
	if verdicts[true] < 100 || verdicts[false] < 100 {
		t.Errorf("too few of a kind were tried: %v", verdicts)
	}
}

// someOrder says whether an order of the operations that are not yet done explains what was answered.
func someOrder(all []porcupine.Operation, done int, there bool) bool {
	input := func(i int) request { return all[i].Input.(request) } //nolint:errcheck,forcetypeassert // it is
	over := true
	for i, o := range all {
		if done&(1<<i) != 0 {
			continue
		}
		over = over && input(i).maybe
		early := true
		for j, before := range all {
			early = early && (done&(1<<j) != 0 || input(j).maybe || before.Return >= o.Call)
		}
		if !early {
			continue
		}
		after := input(i).action == enrolling
		if input(i).action == looking {
			if after = there; o.Output != there {
				continue
			}
		}
		if someOrder(all, done|1<<i, after) {
			return true
		}
	}
	return over
}
