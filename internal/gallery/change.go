package gallery

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
)

// Add enrols faces: vectors holds a unit vector of Dim values for each id, one after another. It adds all of them or, on
// an error, none. Errors: [ErrVector], [ErrDuplicate], [ErrClosed], and the system's when it has no memory left. The
// slices are copied.
func (g *Gallery) Add(ids []face.ID, vectors []float32) error {
	dim := g.shape.dim
	if err := checkVectors(dim, ids, vectors); err != nil {
		return fmt.Errorf("add faces: %w", err)
	}
	err := g.add(ids, func(i int, c *chunk, slot int) {
		c.encode(slot, ids[i], vectors[i*dim:(i+1)*dim], g.scratch)
	})
	if err != nil {
		return fmt.Errorf("add faces: %w", err)
	}
	return nil
}

// AddCodes enrols faces by their codes (see [Code]), one after another. It adds all of them or, on an error, none, but
// for codes that are damaged or of another version: these are passed over, and it says how many there were. Only a
// gallery that does not keep vectors can be filled like this. Errors: those of Add.
func (g *Gallery) AddCodes(codes []byte) (passedOver int, err error) {
	size := CodeSize(g.shape.dim)
	if g.shape.keepsRows || len(codes)%size != 0 {
		return 0, fmt.Errorf("add codes of faces: %w: %d bytes, a code has %d", ErrVector, len(codes), size)
	}
	list := make([]parsed, 0, len(codes)/size)
	ids := make([]face.ID, 0, len(codes)/size)
	for code := range slices.Chunk(codes, size) {
		p, err := parse(code)
		if err != nil {
			passedOver++
			continue
		}
		list, ids = append(list, p), append(ids, p.id)
	}
	if err := g.add(ids, func(i int, c *chunk, slot int) { c.put(slot, &list[i]) }); err != nil {
		return 0, fmt.Errorf("add codes of faces: %w", err)
	}
	return passedOver, nil
}

func (g *Gallery) add(ids []face.ID, write writer) error {
	g.writing.Lock()
	defer g.writing.Unlock()
	now, err := g.current.acquire()
	if err != nil {
		return err
	}
	defer now.release()
	if err := g.checkNew(ids); err != nil {
		return err
	}
	d := newDraft(g, now)
	if err := d.add(len(ids), write); err != nil {
		return err
	}
	for _, id := range ids {
		g.digest = g.digest.Face(id)
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
	for _, id := range ids {
		if _, enrolled := g.index[id]; enrolled {
			return fmt.Errorf("%w: %s", ErrDuplicate, id)
		}
	}
	if ascend(ids) { // as what comes from a store does
		return nil
	}
	seen := make(map[face.ID]struct{}, len(ids))
	for _, id := range ids {
		if _, twice := seen[id]; twice {
			return fmt.Errorf("%w: %s is named twice", ErrDuplicate, id)
		}
		seen[id] = struct{}{}
	}
	return nil
}

// ascend says whether each id is greater than the one before.
func ascend(ids []face.ID) bool {
	for i := 1; i < len(ids); i++ {
		if bytes.Compare(ids[i-1][:], ids[i][:]) >= 0 {
			return false
		}
	}
	return true
}
