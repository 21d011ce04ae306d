package gallery

import (
	"slices"

	"github.com/spotter-video/spotter/internal/face"
)

// draft is the gallery's next view in the making. The gallery's writing lock is held, and the present view, so that its
// chunks stay. What a draft writes to is invisible to the views that exist: slots beyond theirs, and copies.
//
// Only the last parts have room for more blocks: a chunk is filled before the next one is begun.
type draft struct {
	g       *Gallery
	parts   []part
	tail    *chunk // of one block, the draft's own
	waiting int    // faces in the tail
}

func newDraft(g *Gallery, now *view) *draft {
	d := &draft{g: g, parts: slices.Clone(now.parts), tail: newTail(&g.shape), waiting: now.tail.live}
	if d.waiting > 0 {
		d.tail.append(0, now.tail.chunk)
	}
	return d
}

func (d *draft) view() *view { return newView(d.parts, newTailPart(d.tail, d.waiting)) }

// writer writes the i-th of some faces into a slot of a chunk.
type writer func(i int, c *chunk, slot int)

// add appends n faces: full blocks to chunks, the rest to the tail. On an error nothing has changed.
func (d *draft) add(n int, write writer) error {
	open, err := d.reserve((d.waiting + n) / blockFaces * blockFaces)
	if err != nil {
		return err
	}
	for i := range n {
		write(i, d.tail, d.waiting)
		if d.waiting++; d.waiting == blockFaces {
			open = d.addBlock(open)
		}
	}
	for _, id := range d.tail.ids[:d.waiting] {
		d.g.index[id] = location{}
	}
	return nil
}

// reserve appends empty chunks until so many faces have room in blocks. It returns the first part with room.
func (d *draft) reserve(faces int) (open int, err error) {
	s := &d.g.shape
	open = len(d.parts)
	if open > 0 && d.parts[open-1].faces < s.faces {
		open--
		faces -= s.faces - d.parts[open].faces
	}
	var reserved []part
	for ; faces > 0; faces -= s.faces {
		c, err := newChunk(s, d.g.serial+1+uint32(len(reserved))) //nolint:gosec // 2^32 chunks are 2^45 faces
		if err != nil {
			for i := range reserved {
				reserved[i].discard()
			}
			return 0, err
		}
		reserved = append(reserved, part{chunk: c})
	}
	d.g.serial += uint32(len(reserved)) //nolint:gosec // as above
	d.parts = append(d.parts, reserved...)
	return open, nil
}

// addBlock makes the tail, which is full, the next block of the open part. It returns the part that is open then.
func (d *draft) addBlock(open int) int {
	p := &d.parts[open]
	p.append(p.faces, d.tail)
	for i, id := range d.tail.ids {
		d.g.index[id] = location{serial: p.serial, slot: uint32(p.faces + i)} //nolint:gosec // below shape.faces
	}
	d.waiting = 0
	p.faces += blockFaces
	p.live += blockFaces
	if p.faces == d.g.shape.faces {
		open++
	}
	return open
}

// delete marks faces in blocks as deleted and takes others out of the tail. It says how many there were.
func (d *draft) delete(ids []face.ID) int {
	deleted := 0
	copied := make([]bool, len(d.parts))
	for _, id := range ids {
		at, enrolled := d.g.index[id]
		if !enrolled {
			continue
		}
		delete(d.g.index, id)
		d.g.digest = d.g.digest.Face(id)
		deleted++
		if at.serial == 0 {
			continue
		}
		n := find(d.parts, at.serial)
		p := &d.parts[n]
		if !copied[n] {
			p.dead, copied[n] = p.dead.copyFor(d.g.shape.faces), true
		}
		p.dead.add(int(at.slot))
		p.live--
	}
	d.thinTail()
	return deleted
}

// thinTail drops the faces of the tail that the index does not know any more.
func (d *draft) thinTail() {
	kept := 0
	for slot, id := range d.tail.ids[:d.waiting] {
		if _, enrolled := d.g.index[id]; !enrolled {
			continue
		}
		if kept < slot {
			d.tail.move(kept, d.tail, slot)
		}
		kept++
	}
	d.waiting = kept
}

// compact moves the faces of chunks that are deleted to a half or more, so that neither memory nor scans grow with the
// number of faces that ever were. A face is moved at most once for each that is deleted. Without memory to move to,
// chunks stay as they are.
func (d *draft) compact() {
	for i := 0; i < len(d.parts); {
		p := d.parts[i]
		if p.live > p.faces/2 {
			i++
			continue
		}
		living := p.living()
		before := d.parts
		d.parts = slices.Concat(before[:i], before[i+1:])
		if d.add(len(living), func(i int, c *chunk, slot int) { c.move(slot, p.chunk, living[i]) }) != nil {
			d.parts = before
			return
		}
	}
}

// living is the slots of the faces that are not deleted.
func (p *part) living() []int {
	slots := make([]int, 0, p.live)
	for slot := range p.faces {
		if !p.dead.has(slot) {
			slots = append(slots, slot)
		}
	}
	return slots
}
