package recognizer

import (
	"context"
	"fmt"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/raster"
)

// Face is a face found in a photo.
type Face struct {
	Detection face.Detection
	Sample    face.Sample
	// Height is the box's height in pixels of the photo.
	Height float32
	// Refused says why the face is not good enough to enrol, as the end of a sentence that begins with the face: "is 18
	// pixels high; at least 40 are needed". Empty if it is good enough.
	Refused string
}

// Faces finds the faces of a photo, largest first, each with its embedding, those that are not good enough for
// enrolment included. The result is the caller's to keep.
func (r *Recognizer) Faces(ctx context.Context, p *face.Picture) ([]Face, error) {
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("find the photo's faces: %w", err)
	}
	found, err := r.search(ctx, p)
	if err != nil {
		return nil, err
	}
	var faces []Face
	for i := range found {
		f, ok, err := r.face(ctx, p, &found[i])
		if err != nil {
			return nil, err
		}
		if ok {
			faces = append(faces, f)
		}
	}
	return faces, nil
}

// search finds the candidates of a photo at all scales, in pixels of the photo.
func (r *Recognizer) search(ctx context.Context, p *face.Picture) ([]candidate, error) {
	d := r.detector
	d.found = d.found[:0]
	long := max(p.Width, p.Height)
	for i, side := range r.photoSides {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if side = min(side, long); i > 0 && side == min(r.photoSides[i-1], long) {
			break
		}
		before := len(d.found)
		w, h := raster.Fit(p.Width, p.Height, side)
		small := r.scaler.Scale(p, w, h)
		if err := d.collect(&small, before); err != nil {
			return nil, err
		}
		for i := range d.found[before:] {
			d.found[before+i].resize(float32(p.Width) / float32(w))
		}
	}
	return d.suppress(), nil
}

func (r *Recognizer) face(ctx context.Context, p *face.Picture, c *candidate) (Face, bool, error) {
	d, verdict, err := r.measure(p, p, c)
	if err != nil || verdict != "" {
		return Face{}, false, err
	}
	f := Face{Detection: d, Height: c.box.Height()}
	r.Align(p, &d, &r.crop)
	f.Sample, err = r.Embed(ctx, &r.crop)
	return f, true, err
}
