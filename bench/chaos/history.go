package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// action is what a client asks for of one face.
type action int

const (
	enrolling action = iota
	deleting
	looking
)

// history is what was asked for, when, and what was answered.
type history struct {
	began time.Time

	mu         sync.Mutex
	operations []porcupine.Operation
	faces      map[subject]string // ids, once they are known
	doubtful   map[subject]bool   // those of which a change was not answered
	unanswered int
}

// subject is a face in a collection. Faces do not depend on each other.
type subject struct{ collection, name string }

// request is an operation's input.
type request struct {
	subject
	action action
	maybe  bool // nobody answered it
}

// face is the state of the model: whether a face is there, and how many changes of it may still happen. A change that nobody answered happens
// at any time from its call on, or never. To let it happen only when a search proves it loses no order: one that happens unseen might as well
// not have happened, and of those asked for, one is as good as another. So an unanswered change stays no open operation for ever, whose
// every place would be tried: what the check takes does not grow with their number.
type face struct {
	there             bool
	enrols, deletions int
}

// step is what becomes of a face.
func (f face) step(r request, found bool) (bool, face) {
	switch {
	case r.maybe && r.action == enrolling:
		f.enrols++
	case r.maybe && r.action == deleting:
		f.deletions++
	case r.action == enrolling:
		f.there = true
	case r.action == deleting:
		f.there = false
	case f.there == found:
	case found && f.enrols > 0:
		f.there, f.enrols = true, f.enrols-1
	case !found && f.deletions > 0:
		f.there, f.deletions = false, f.deletions-1
	default:
		return false, f
	}
	return true, f
}

func newHistory() *history {
	return &history{began: time.Now(), faces: map[subject]string{}, doubtful: map[subject]bool{}}
}

// begin writes down that something is asked for; the function, what was answered. Of what was not answered nobody knows whether, and when, it
// happened.
func (h *history) begin(client int, collection, name string, a action) func(found bool, err error) {
	call := time.Since(h.began).Nanoseconds()
	return func(found bool, err error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		answered := time.Since(h.began).Nanoseconds()
		if err != nil {
			if h.unanswered++; a == looking {
				return
			}
			answered = call // what is written down is that it may happen from now on
			h.doubtful[subject{collection, name}] = true
		}
		h.operations = append(h.operations, porcupine.Operation{
			ClientId: client, Input: request{subject{collection, name}, a, err != nil}, Call: call, Output: found, Return: answered,
		})
	}
}

func (h *history) learn(collection, name, id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if id != "" {
		h.faces[subject{collection, name}] = id
	}
}

func (h *history) known(collection, name string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.faces[subject{collection, name}]
}

// doubts says whether a change of a face was not answered, and of how many of the collection's faces.
func (h *history) doubts(collection, name string) (doubtful bool, all int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.doubtful {
		if s.collection == collection {
			all++
		}
	}
	return h.doubtful[subject{collection, name}], all
}

func (h *history) summary() string {
	return fmt.Sprintf("%d changes of faces and searches for them were answered or may have happened, %d were not answered",
		len(h.operations), h.unanswered)
}

// check says whether there is an order of all that was asked for, each between its call and its answer, in which every answer is right.
func (h *history) check() error {
	model := porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			parts := map[subject][]porcupine.Operation{}
			for _, o := range history {
				s := o.Input.(request).subject //nolint:errcheck,forcetypeassert // it is
				parts[s] = append(parts[s], o)
			}
			all := make([][]porcupine.Operation, 0, len(parts))
			for _, part := range parts {
				all = append(all, part)
			}
			return all
		},
		Init: func() any { return face{} },
		Step: func(state, input, output any) (bool, any) {
			return state.(face).step(input.(request), output.(bool)) //nolint:errcheck,forcetypeassert // they are
		},
		Equal: func(a, b any) bool { return a == b },
		DescribeOperation: func(input, output any) string {
			r := input.(request) //nolint:errcheck,forcetypeassert // it is
			return fmt.Sprintf("%s/%s %d: %v", r.collection, r.name, r.action, output)
		},
	}
	switch porcupine.CheckOperationsTimeout(model, h.operations, 2*time.Minute) {
	case porcupine.Illegal:
		return errors.New("the history of faces is not linearizable: a face was missing that was enrolled, or found that was deleted")
	case porcupine.Unknown:
		return errors.New("whether the history of faces is linearizable was not found out in time")
	default:
		return nil
	}
}
