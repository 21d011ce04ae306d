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
	g     *Gallery
	parts []part
	tail  tail
}

func newDraft(g *Gallery, now *view) *draft {
	return &draft{g: g, parts: slices.Clone(now.parts), tail: now.tail}
}

func (d *draft) view() *view { return newView(d.parts, d.tail) }

// add appends faces: full blocks to chunks, the rest to the tail. On an error nothing has changed.
func (d *draft) add(ids []face.ID, rows []float32) error {
	waiting, dim := len(d.tail.ids), d.g.shape.dim
	full := (waiting + len(ids)) / blockFaces * blockFaces
	open, err := d.reserve(full)
	if err != nil {
		return err
	}
	rest := tail{ids: d.tail.ids, rows: d.tail.rows}
	for done := 0; done < full; done += blockFaces {
		n := blockFaces - len(rest.ids)
		open = d.addBlock(open, slices.Concat(rest.ids, ids[:n]), slices.Concat(rest.rows, rows[:n*dim]))
		ids, rows, rest = ids[n:], rows[n*dim:], tail{}
	}
	d.tail = tail{ids: slices.Concat(rest.ids, ids), rows: slices.Concat(rest.rows, rows)}
	for _, id := range ids {
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
		c, err := newChunk(s, d.g.serial+1+uint32(len(reserved))) //nolint:gosec // 2^32 chunks are 2^46 faces
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

// addBlock fills the next block of the open part. It returns the part that is open then.
func (d *draft) addBlock(open int, ids []face.ID, rows []float32) int {
	p := &d.parts[open]
	p.fill(p.faces, ids, rows, d.g.codes)
	for i, id := range ids {
		d.g.index[id] = location{serial: p.serial, slot: uint32(p.faces + i)} //nolint:gosec // below shape.faces
	}
	p.faces += blockFaces
	p.live += blockFaces
	if p.faces == d.g.shape.faces {
		open++
	}
	return open
}

// delete marks faces in blocks as deleted and takes others out of the tail. It says how many there were.
func (d *draft) delete(ids []face.ID) int {
	deleted, waiting := 0, 0
	copied := make([]bool, len(d.parts))
	for _, id := range ids {
		at, enrolled := d.g.index[id]
		if !enrolled {
			continue
		}
		delete(d.g.index, id)
		deleted++
		if at.serial == 0 {
			waiting++
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
	if waiting > 0 {
		d.thinTail()
	}
	return deleted
}

// thinTail drops the faces of the tail that the index does not know any more.
func (d *draft) thinTail() {
	var kept tail
	for i, id := range d.tail.ids {
		if _, enrolled := d.g.index[id]; enrolled {
			kept.ids = append(kept.ids, id)
			kept.rows = append(kept.rows, d.tail.row(i)...)
		}
	}
	d.tail = kept
}

// compact moves the faces of chunks that are deleted to a half or more, so that neither memory nor scans grow with the
// number of faces that ever were. A face is moved at most once for each that is deleted. Without memory to move to,
// chunks stay as they are.
func (d *draft) compact() {
	for i := 0; i < len(d.parts); {
		p := &d.parts[i]
		if p.live > p.faces/2 {
			i++
			continue
		}
		ids, rows := p.living()
		before := d.parts
		d.parts = slices.Concat(before[:i], before[i+1:])
		if d.add(ids, rows) != nil {
			d.parts = before
			return
		}
	}
}
