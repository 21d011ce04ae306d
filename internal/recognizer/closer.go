package recognizer

import (
	"slices"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/raster"
)

// A frame's small picture is 640 pixels wide, so that a face of 40 pixels in a picture of 1920 has 13 there, and the
// detector finds next to none of less than 20. A closer look finds them: now and then at the whole picture, less
// reduced, and in between at the places where some were found. docs/decisions/0008-names.md has what was measured.
const (
	// closeSide is the long side in pixels that the whole picture is reduced to for a closer look. Raising it finds smaller
	// faces at a cost that grows with its square.
	closeSide = 1280
	// placeSide is the side in pixels of the square that is looked at around a place, and placeFaces the same in heights of
	// the face: a larger face is reduced.
	placeSide  = 160
	placeFaces = 4
)

// lookCloser adds small faces to the candidates, in pixels of the full picture.
func (r *Recognizer) lookCloser(f *face.Frame, look face.Look) error {
	long := max(f.Full.Width, f.Full.Height)
	if r.detector.spec.Input.Width > 0 || 2*long < 3*max(f.Small.Width, f.Small.Height) {
		return nil // the model takes one size only, or there is nothing more to be seen
	}
	// Parts of a larger face that a closer look takes for faces are left out.
	highest := face.HardlyShown * float32(f.Full.Height) / float32(f.Small.Height)
	if look.Closely {
		w, h := raster.Fit(f.Full.Width, f.Full.Height, min(long, closeSide))
		return r.lookAt(&f.Full, place{0, 0, f.Full.Width, f.Full.Height}, w, h, highest)
	}
	for _, b := range look.Near {
		at := placeAround(b.Pixels(f.Full.Width, f.Full.Height), &f.Full)
		if err := r.lookAt(&f.Full, at, min(at.width, placeSide), min(at.height, placeSide), highest); err != nil {
			return err
		}
	}
	return nil
}

// place is a part of a picture, in pixels.
type place struct{ x, y, width, height int }

// placeAround is the square around a face, as far as it lies in the picture, from an even pixel on.
func placeAround(b face.PixelBox, p *face.Picture) place {
	side := max(int(placeFaces*b.Height()), placeSide)
	w, h := min(side, p.Width), min(side, p.Height)
	x := min(max(int(b.X0+b.X1)/2-w/2, 0), p.Width-w) &^ 1
	y := min(max(int(b.Y0+b.Y1)/2-h/2, 0), p.Height-h) &^ 1
	return place{x, y, w, h}
}

// lookAt looks for faces up to a height in a part of a picture, reduced to w x h pixels.
func (r *Recognizer) lookAt(p *face.Picture, at place, w, h int, highest float32) error {
	part := p.Part(at.x, at.y, at.width, at.height)
	if w != at.width || h != at.height {
		part = r.scaler.Scale(&part, w, h)
	}
	d := r.detector
	before := len(d.found)
	if err := d.collect(&part, before); err != nil {
		return err
	}
	sx, sy := float32(at.width)/float32(w), float32(at.height)/float32(h)
	for i := range d.found[before:] {
		c := &d.found[before+i]
		c.resize(sx, sy)
		c.move(float32(at.x), float32(at.y))
	}
	large := func(c candidate) bool { return c.box.Height() > highest }
	d.found = d.found[:before+len(slices.DeleteFunc(d.found[before:], large))]
	return nil
}
