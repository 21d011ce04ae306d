package recognizer

import (
	"slices"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/raster"
)

// A frame's small picture is 640 pixels wide, so that a face of 40 pixels in a picture of 1920 has 13 there. The detector is
// hardly ever sure of one of less than 20; but it hints at them, with low scores. So it looks closer at the places where it
// hints at a small face, and where some were found before. docs/decisions/0012-cost.md has what was measured.
const (
	// hintPart is the part of the detector's least score from which a small candidate is a hint. Of faces of 36 pixels in 1080p
	// nine in ten are hinted at in any one frame, at the cost of one look too many in a frame of a talk show.
	hintPart = 0.23
	// mostHints bounds the hints of a frame that are looked into, best first.
	mostHints = 24
	// placeSide is the side in pixels of the square that is looked at around a place, and placeFaces the same in heights of
	// the face: a larger face is reduced.
	placeSide  = 160
	placeFaces = 4
	// followSide and followFaces are the same for a face that is followed: large enough to show it 40 pixels high, and how
	// it moved.
	followSide  = 128
	followFaces = 3
)

// lookAround adds the faces of the whole picture to the candidates, in pixels of the full picture: those of the small picture,
// and small ones where it hints at some or where some were before.
func (r *Recognizer) lookAround(f *face.Frame, near []face.Box) error {
	d := r.detector
	// A model that takes one size only, or nothing more to be seen.
	closer := d.spec.Input.Width == 0 && 2*max(f.Full.Width, f.Full.Height) >= 3*max(f.Small.Width, f.Small.Height)
	least := d.spec.MinScore
	if closer {
		least *= hintPart
	}
	if err := d.collectAbove(&f.Small, 0, least); err != nil {
		return err
	}
	sx, sy := float32(f.Full.Width)/float32(f.Small.Width), float32(f.Full.Height)/float32(f.Small.Height)
	for i := range d.found {
		d.found[i].resize(sx, sy)
	}
	if !closer {
		return nil
	}
	// Parts of a larger face that a closer look takes for faces are left out.
	highest := face.HardlyShown * sy
	return r.lookCloser(&f.Full, r.hints(near, &f.Full, highest), highest)
}

// hints takes what is below the detector's least score out of the candidates. It returns the places to look closer at: where
// small faces were before, and those hints, best first, that are of small faces.
func (r *Recognizer) hints(near []face.Box, p *face.Picture, highest float32) []face.PixelBox {
	r.places = r.places[:0]
	for _, b := range near {
		r.places = append(r.places, b.Pixels(p.Width, p.Height))
	}
	least, most := r.detector.spec.MinScore, len(near)+mostHints
	sure := r.detector.suppress()[:0]
	for _, c := range r.detector.found {
		switch {
		case c.score >= least:
			sure = append(sure, c)
		case c.box.Height() <= highest && len(r.places) < most:
			r.places = append(r.places, c.box)
		}
	}
	r.detector.found = sure
	return r.places
}

// lookCloser adds faces up to a height to the candidates, from the squares around places.
func (r *Recognizer) lookCloser(p *face.Picture, places []face.PixelBox, highest float32) error {
	large := func(c candidate) bool { return c.box.Height() > highest }
	r.looked = r.looked[:0]
	for _, b := range places {
		if slices.ContainsFunc(r.looked, func(at place) bool { return at.holds(b) }) {
			continue
		}
		at := placeAround(b, p, placeFaces, placeSide)
		if err := r.lookAt(p, at, placeSide, large); err != nil {
			return err
		}
		r.looked = append(r.looked, at)
	}
	return nil
}

// follow looks for faces around where they were in the frame before, in pixels of the full picture.
func (r *Recognizer) follow(p *face.Picture, boxes []face.Box) error {
	for _, b := range boxes {
		was := b.Pixels(p.Width, p.Height)
		at := placeAround(was, p, followFaces, followSide)
		other := func(c candidate) bool { return !continues(was, c.box) }
		if err := r.lookAt(p, at, followSide, other); err != nil {
			return err
		}
	}
	return nil
}

// continues says whether a box can be that of the same face a moment later: its middle has not moved far, and it is about
// as high.
func continues(was, is face.PixelBox) bool {
	const reach, growth = 0.75, 1.5
	w, h := was.Width(), was.Height()
	dx, dy := (is.X0+is.X1-was.X0-was.X1)/2, (is.Y0+is.Y1-was.Y0-was.Y1)/2
	return max(dx, -dx) <= reach*w && max(dy, -dy) <= reach*h && is.Height() <= growth*h && h <= growth*is.Height()
}

// place is a part of a picture, in pixels.
type place struct{ x, y, width, height int }

// holds says whether a box lies in the place with as much again around it.
func (a place) holds(b face.PixelBox) bool {
	w, h := b.Width()/2, b.Height()/2
	return b.X0-w >= float32(a.x) && b.Y0-h >= float32(a.y) && b.X1+w <= float32(a.x+a.width) && b.Y1+h <= float32(a.y+a.height)
}

// placeAround is the square around a face, so many times as high and of so many pixels at least, as far as it lies in the
// picture, from an even pixel on.
func placeAround(b face.PixelBox, p *face.Picture, times float32, least int) place {
	side := max(int(times*b.Height()), least)
	w, h := min(side, p.Width), min(side, p.Height)
	x := min(max(int(b.X0+b.X1)/2-w/2, 0), p.Width-w) &^ 1
	y := min(max(int(b.Y0+b.Y1)/2-h/2, 0), p.Height-h) &^ 1
	return place{x, y, w, h}
}

// lookAt looks for faces in a part of a picture, whose long side is reduced to so many pixels, and leaves some out. Candidates are
// in pixels of the picture.
func (r *Recognizer) lookAt(p *face.Picture, at place, long int, leaveOut func(candidate) bool) error {
	part := p.Part(at.x, at.y, at.width, at.height)
	if max(at.width, at.height) > long {
		w, h := raster.Fit(at.width, at.height, long)
		part = r.scaler.Scale(&part, w, h)
	}
	d := r.detector
	before := len(d.found)
	if err := d.collect(&part, before); err != nil {
		return err
	}
	sx, sy := float32(at.width)/float32(part.Width), float32(at.height)/float32(part.Height)
	for i := range d.found[before:] {
		c := &d.found[before+i]
		c.resize(sx, sy)
		c.move(float32(at.x), float32(at.y))
	}
	d.found = d.found[:before+len(slices.DeleteFunc(d.found[before:], leaveOut))]
	return nil
}
