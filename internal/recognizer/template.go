package recognizer

import (
	"context"
	"fmt"

	"github.com/spotter-video/spotter/internal/face"
)

// coarse is by how much a template's second view is reduced: 4, so that a face of 112 pixels becomes one of 28. Photos
// are sharper than video. The mean of a sharp and of a coarse view lies nearer to the person's faces in a video and no
// nearer to strangers' (figures and the other reductions tried in docs/decisions/0003-default-pack.md).
const coarse = 4

// Template computes the embedding to enrol for a face of a photo: the mean of the face as it is and of the face at a
// quarter of its resolution. What is searched for is embedded by Embed alone. Norm is that of the face as it is.
// p must pass Check.
func (r *Recognizer) Template(ctx context.Context, p *face.Picture, d *face.Detection) (face.Sample, error) {
	r.Align(p, d, &r.crop)
	sharp, err := r.Embed(ctx, &r.crop)
	if err != nil {
		return face.Sample{}, err
	}
	coarsen(&r.crop)
	blurred, err := r.Embed(ctx, &r.crop)
	if err != nil {
		return face.Sample{}, err
	}
	for i, v := range blurred.Embedding.Vector {
		sharp.Embedding.Vector[i] += v
	}
	if _, err := face.Normalize(sharp.Embedding.Vector); err != nil {
		return face.Sample{}, fmt.Errorf("embed face: %w", errNoDirection)
	}
	return sharp, nil
}

// coarsen reduces a crop to the means of its coarse x coarse squares and enlarges it again, linearly between the
// squares' middles.
func coarsen(c *face.Crop) {
	const side = face.CropSide / coarse
	var means [side][side][3]int // sums of coarse*coarse pixels
	for y := range face.CropSide {
		for x := range face.CropSide {
			for k := range 3 {
				means[y/coarse][x/coarse][k] += int(c[3*(y*face.CropSide+x)+k])
			}
		}
	}
	for y := range face.CropSide {
		y0, y1, wy := between(y, side)
		for x := range face.CropSide {
			x0, x1, wx := between(x, side)
			for k := range 3 {
				top := means[y0][x0][k]*(2*coarse-wx) + means[y0][x1][k]*wx
				bottom := means[y1][x0][k]*(2*coarse-wx) + means[y1][x1][k]*wx
				sum := top*(2*coarse-wy) + bottom*wy
				const whole = coarse * coarse * 2 * coarse * 2 * coarse
				c[3*(y*face.CropSide+x)+k] = byte((sum + whole/2) / whole) //nolint:gosec // a mean of bytes
			}
		}
	}
}

// between says which two squares' middles a pixel lies between, and how far along it is in 1/(2 coarse).
func between(pixel, side int) (low, high, along int) {
	from := 2*pixel + 1 - coarse // of the first middle, in half pixels
	if from < 0 {
		return 0, 0, 0
	}
	low = from / (2 * coarse)
	return low, min(low+1, side-1), from % (2 * coarse)
}
