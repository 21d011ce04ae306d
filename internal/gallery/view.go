package gallery

import (
	"slices"
	"sort"
	"sync/atomic"

	"github.com/spotter-video/spotter/internal/face"
)

// view is the gallery as it is between two changes. It is immutable but for its count of holders.
type view struct {
	parts []part // ascending by serial
	tail  tail
	live  int // faces that are not deleted
	refs  atomic.Int64
}

// part is what a view sees of one chunk.
type part struct {
	*chunk
	faces int    // faces in blocks, a multiple of blockFaces; more may have been added since
	live  int    // of these, not deleted
	dead  bitset // the deleted ones; nil where there are none
}

// tail is the faces that do not fill a block. Its slices are never written to.
type tail struct {
	ids  []face.ID
	rows []float32 // [face][dim]
}

// newView makes a view with one holder, which shares the chunks of its parts.
func newView(parts []part, t tail) *view {
	v := &view{parts: parts, tail: t, live: len(t.ids)}
	v.refs.Store(1)
	for i := range parts {
		parts[i].retain()
		v.live += parts[i].live
	}
	return v
}

// retain adds a holder. Only one who holds the view, or the lock of a handle that does, may call it.
func (v *view) retain() { v.refs.Add(1) }

func (v *view) release() {
	if v.refs.Add(-1) > 0 {
		return
	}
	for i := range v.parts {
		v.parts[i].release()
	}
	v.parts = nil
}

// find is the index of the part with this chunk, which must be there.
func find(parts []part, serial uint32) int {
	return sort.Search(len(parts), func(i int) bool { return parts[i].serial >= serial })
}

// living is copies of the faces that are not deleted.
func (p *part) living() (ids []face.ID, rows []float32) {
	for slot := range p.faces {
		if !p.dead.has(slot) {
			ids = append(ids, p.ids[slot])
			rows = append(rows, p.row(slot)...)
		}
	}
	return ids, rows
}

// bitset is a set of slots of a chunk.
type bitset []uint64

func (b bitset) has(slot int) bool { return b != nil && b[slot/64]&(1<<(slot%64)) != 0 }

// copyFor is a copy of b that can be written to, for a chunk of so many faces.
func (b bitset) copyFor(faces int) bitset {
	if b != nil {
		return slices.Clone(b)
	}
	return make(bitset, (faces+63)/64)
}

func (b bitset) add(slot int) { b[slot/64] |= 1 << (slot % 64) }

// row is the vector of a candidate.
func (v *view) row(c *candidate) []float32 {
	if int(c.part) < len(v.parts) {
		return v.parts[c.part].row(int(c.slot))
	}
	return v.tail.row(int(c.slot))
}

// id is the id of a candidate.
func (v *view) id(c *candidate) face.ID {
	if int(c.part) < len(v.parts) {
		return v.parts[c.part].ids[c.slot]
	}
	return v.tail.ids[c.slot]
}

func (t *tail) row(i int) []float32 {
	dim := len(t.rows) / len(t.ids)
	return t.rows[i*dim : (i+1)*dim]
}
