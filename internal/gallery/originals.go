package gallery

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/spotter-video/spotter/internal/face"
)

// Originals gives the vectors that a gallery does not keep in memory. Safe for concurrent use.
type Originals interface {
	// Originals calls each with the vector of every one of these faces that is there, in any order; they are at most 4096,
	// each once, by id. The vector is valid during the call only. An error of each ends it.
	//
	// A face that is not there has been deleted since it was added: no search finds it any more, snapshots included, and
	// the answer is what it would be without that face. Whatever else keeps a vector from being read must be an error; the
	// search then fails with it.
	Originals(ctx context.Context, ids []face.ID, each func(id face.ID, vector []float32) error) error
}

// mostOriginals is how many vectors are asked for at once: 8 MB at 512 dimensions.
const mostOriginals = 4096

// absent is the faces of a view whose originals turned out to be gone while it was searched.
type absent struct {
	mu    sync.Mutex
	faces map[place]struct{} // guarded by mu
}

// place is where a view has a face.
type place struct{ part, slot uint32 }

func (a *absent) has(p place) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, gone := a.faces[p]
	return gone
}

func (a *absent) add(p place) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.faces == nil {
		a.faces = map[place]struct{}{}
	}
	a.faces[p] = struct{}{}
}

func (a *absent) len() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.faces)
}

// resolver replaces the bounds of candidates by their canonical scores.
type resolver struct {
	s      *searcher
	v      *view
	absent *absent
}

// question is a candidate of a query, whose score is wanted.
type question struct {
	q *query
	*candidate
}

// resolve settles candidates. Those whose originals are gone have no score afterwards, see [candidate].
func (r *resolver) resolve(ctx context.Context, questions []question) error {
	if r.s.originals == nil {
		for _, x := range questions {
			x.settle(canonical(x.q.vector, r.v.row(x.candidate)))
		}
		return nil
	}
	slices.SortFunc(questions, r.compare)
	for len(questions) > 0 {
		n, ids := r.batch(questions)
		if err := r.fetch(ctx, ids, questions[:n]); err != nil {
			return err
		}
		questions = questions[n:]
	}
	return nil
}

// compare orders questions by their faces' ids.
func (r *resolver) compare(a, b question) int {
	x, y := r.v.id(a.candidate), r.v.id(b.candidate)
	return bytes.Compare(x[:], y[:])
}

// batch is how many of the questions, ordered by id, are about as many faces as may be asked for at once, and these.
func (r *resolver) batch(questions []question) (n int, ids []face.ID) {
	for n < len(questions) {
		id := r.v.id(questions[n].candidate)
		if len(ids) == 0 || ids[len(ids)-1] != id {
			if len(ids) == mostOriginals {
				break
			}
			ids = append(ids, id)
		}
		n++
	}
	return n, ids
}

// fetch asks for the originals of faces and settles the questions about them, which are ordered by id.
func (r *resolver) fetch(ctx context.Context, ids []face.ID, questions []question) error {
	err := r.s.originals.Originals(ctx, ids, func(id face.ID, vector []float32) error {
		at, found := slices.BinarySearchFunc(questions, id, func(x question, id face.ID) int {
			of := r.v.id(x.candidate)
			return bytes.Compare(of[:], id[:])
		})
		for found && at < len(questions) && r.v.id(questions[at].candidate) == id {
			if err := questions[at].check(id, vector); err != nil {
				return err
			}
			at++
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read %d originals: %w", len(ids), err)
	}
	for _, x := range questions {
		if !x.exact() {
			x.lose()
			r.absent.add(place{x.part, x.slot})
		}
	}
	return nil
}

// check settles a question with a vector that somebody else has kept. A score outside of the bounds proves that it is not
// the vector that the bounds were computed from.
func (x *question) check(id face.ID, vector []float32) error {
	if x.exact() {
		return nil
	}
	if len(vector) != len(x.q.vector) {
		return fmt.Errorf("%w: that of face %s has %d values, want %d", ErrOriginal, id, len(vector), len(x.q.vector))
	}
	score := canonical(x.q.vector, vector)
	if cmp.Compare(score, x.lower) < 0 || cmp.Compare(score, x.upper) > 0 { // a NaN is below everything
		return fmt.Errorf("%w: that of face %s", ErrOriginal, id)
	}
	x.settle(score)
	return nil
}
