package gallery

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spotter-video/spotter/internal/face"
)

// Snapshot is a gallery as it was at one moment. Its methods are safe for concurrent use.
type Snapshot struct {
	searcher
	fixed *handle
	queue queue
}

// newSnapshot makes a snapshot of what another handle holds now.
func newSnapshot(s searcher, of *handle) *Snapshot {
	snapshot := &Snapshot{searcher: s, fixed: &handle{}}
	if v, err := of.acquire(); err == nil {
		snapshot.fixed.v = v
		// A snapshot that is dropped without Close lets go of its view when the garbage collector finds it.
		runtime.AddCleanup(snapshot, (*handle).close, snapshot.fixed)
	}
	return snapshot
}

// Len is the number of faces; 0 after Close.
func (s *Snapshot) Len() int {
	n := s.fixed.len()
	runtime.KeepAlive(s)
	return n
}

// Search works as [Gallery.Search] does, on the snapshot's faces.
func (s *Snapshot) Search(ctx context.Context, probes []face.Probe) ([][]face.Hit, error) {
	defer runtime.KeepAlive(s)
	return s.queue.join(ctx, s.fixed, &s.searcher, probes)
}

// With is a snapshot of the same faces that is searched in another way, to be closed on its own: what is stored does not
// depend on options. It is how a program compares kernels.
func (s *Snapshot) With(opts ...Option) (*Snapshot, error) {
	changed := s.searcher
	for _, opt := range opts {
		if err := opt(&changed); err != nil {
			return nil, fmt.Errorf("change snapshot: %w", err)
		}
	}
	other := newSnapshot(changed, s.fixed)
	runtime.KeepAlive(s)
	return other, nil
}

// Close lets go of the faces that only this snapshot keeps alive. Searches under way end undisturbed. It may be called
// again; the error is nil.
func (s *Snapshot) Close() error {
	s.fixed.close()
	return nil
}

// search searches the view that the handle holds now.
func (h *handle) search(ctx context.Context, s *searcher, probes []face.Probe) ([][]face.Hit, error) {
	v, err := h.acquire()
	if err != nil {
		return nil, fmt.Errorf("search gallery: %w", err)
	}
	defer v.release()
	return s.search(ctx, v, probes)
}
