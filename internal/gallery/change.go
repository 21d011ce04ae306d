package gallery

import (
	"fmt"

	"github.com/spotter-video/spotter/internal/face"
)

// Add enrols faces: vectors holds a unit vector of Dim values for each id, one after another. It adds all of them or, on
// an error, none. Errors: [ErrVector], [ErrDuplicate], [ErrClosed], and the system's when it has no memory left. The
// slices are copied.
func (g *Gallery) Add(ids []face.ID, vectors []float32) error {
	if err := checkVectors(g.shape.dim, ids, vectors); err != nil {
		return fmt.Errorf("add faces: %w", err)
	}
	g.writing.Lock()
	defer g.writing.Unlock()
	now, err := g.current.acquire()
	if err != nil {
		return fmt.Errorf("add faces: %w", err)
	}
	defer now.release()
	if err := g.checkNew(ids); err != nil {
		return fmt.Errorf("add faces: %w", err)
	}
	d := newDraft(g, now)
	if err := d.add(ids, vectors); err != nil {
		return fmt.Errorf("add faces: %w", err)
	}
	g.current.replace(d.view())
	return nil
}

// Delete removes faces and says how many there were; ids that are not enrolled are passed over. Snapshots and searches
// under way keep them.
func (g *Gallery) Delete(ids []face.ID) int {
	g.writing.Lock()
	defer g.writing.Unlock()
	now, err := g.current.acquire()
	if err != nil {
		return 0
	}
	defer now.release()
	d := newDraft(g, now)
	deleted := d.delete(ids)
	if deleted > 0 {
		d.compact()
		g.current.replace(d.view())
	}
	return deleted
}

func checkVectors(dim int, ids []face.ID, vectors []float32) error {
	if len(vectors)/dim != len(ids) || len(vectors)%dim != 0 {
		return fmt.Errorf("%w: %d values for %d faces of %d each", ErrVector, len(vectors), len(ids), dim)
	}
	for i, id := range ids {
		if !isUnit(vectors[i*dim : (i+1)*dim]) {
			return fmt.Errorf("%w: that of face %s is not a finite unit vector", ErrVector, id)
		}
	}
	return nil
}

// checkNew refuses ids that are enrolled or occur twice.
func (g *Gallery) checkNew(ids []face.ID) error {
	seen := make(map[face.ID]struct{}, len(ids))
	for _, id := range ids {
		if _, enrolled := g.index[id]; enrolled {
			return fmt.Errorf("%w: %s", ErrDuplicate, id)
		}
		if _, twice := seen[id]; twice {
			return fmt.Errorf("%w: %s is named twice", ErrDuplicate, id)
		}
		seen[id] = struct{}{}
	}
	return nil
}
