package gallery

import "sync"

// handle holds one view, until it is closed.
type handle struct {
	mu sync.Mutex
	v  *view // nil when closed
}

// acquire returns the view with the caller as one more holder: it must release it.
func (h *handle) acquire() (*view, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.v == nil {
		return nil, ErrClosed
	}
	h.v.retain()
	return h.v, nil
}

// replace puts a view in the place of the present one and takes over the caller's hold on it. A closed handle stays
// closed.
func (h *handle) replace(next *view) {
	h.mu.Lock()
	old := h.v
	if old == nil {
		old = next
	} else {
		h.v = next
	}
	h.mu.Unlock()
	old.release()
}

// close lets go of the view. It may be called again.
func (h *handle) close() {
	h.mu.Lock()
	old := h.v
	h.v = nil
	h.mu.Unlock()
	if old != nil {
		old.release()
	}
}

// scanBytes is what a search of the view reads at least, 0 when closed.
func (h *handle) scanBytes(s *shape) (bytes int) {
	v, err := h.acquire()
	if err != nil {
		return 0
	}
	defer v.release()
	for i := range v.parts {
		bytes += v.parts[i].faces / blockFaces * s.blockBytes
	}
	return bytes
}

// len is the number of faces in the view, 0 when closed.
func (h *handle) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.v == nil {
		return 0
	}
	return h.v.live
}
