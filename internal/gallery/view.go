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
	// tail has the faces that do not fill a block, as a part of one block whose other slots count as deleted. It is never
	// written to. The garbage collector frees it.
	tail part
	live int // faces that are not deleted
	refs atomic.Int64
}

// part is what a view sees of one chunk.
type part struct {
	*chunk
	faces int    // faces in blocks, a multiple of blockFaces; more may have been added since
	live  int    // of these, not deleted
	dead  bitset // the deleted ones; nil where there are none
}

// newView makes a view with one holder, which shares the chunks of its parts.
func newView(parts []part, tail part) *view {
	v := &view{parts: parts, tail: tail, live: tail.live}
	v.refs.Store(1)
	for i := range parts {
		parts[i].retain()
		v.live += parts[i].live
	}
	return v
}

// newTailPart is the first faces of a chunk of one block.
func newTailPart(c *chunk, faces int) part {
	if faces == 0 {
		return part{}
	}
	p := part{chunk: c, faces: blockFaces, live: faces, dead: make(bitset, 1)}
	for slot := faces; slot < blockFaces; slot++ {
		p.dead.add(slot)
	}
	return p
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

// part is the n-th part; the tail comes after all others.
func (v *view) part(n int) *part {
	if n < len(v.parts) {
		return &v.parts[n]
	}
	return &v.tail
}

// find is the index of the part with this chunk, which must be there.
func find(parts []part, serial uint32) int {
	return sort.Search(len(parts), func(i int) bool { return parts[i].serial >= serial })
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

// row is the vector of a candidate, where the gallery keeps them.
func (v *view) row(c *candidate) []float32 { return v.part(int(c.part)).row(int(c.slot)) }

// id is the id of a candidate.
func (v *view) id(c *candidate) face.ID { return v.part(int(c.part)).ids[c.slot] }
