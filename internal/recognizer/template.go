package recognizer

import (
	"context"
	"fmt"

	"github.com/spotter-video/spotter/internal/face"
)

// view is a resolution at which a face is embedded for its template: the side in pixels that the crop is reduced to,
// and how much the view counts.
type view struct {
	side   int
	weight float32
}

// views are those of a template. Photos are sharper than video; a mean that includes coarse views lies nearer to the
// person's faces in a video and no nearer to strangers'. Each coarser view counts half of the one before (figures, and
// the others tried, in docs/decisions/0003-default-pack.md).
func views() [3]view { return [3]view{{face.CropSide, 4}, {28, 2}, {20, 1}} }

// Template computes the embedding to enrol for a face of a photo: the weighted mean of the face as it is, which is what
// [Recognizer.Faces] has embedded, and at lower resolutions. What is searched for is that sample alone. Norm is that of the
// face as it is. p must pass Check.
func (r *Recognizer) Template(ctx context.Context, p *face.Picture, f *Face) (face.Sample, error) {
	out := f.Sample
	sum := make([]float32, r.pack.Dim())
	for i, v := range views() {
		s := f.Sample
		if i > 0 || s.Embedding.Vector == nil {
			r.Align(p, &f.Detection, &r.crop)
			coarsen(&r.crop, v.side)
			var err error
			if s, err = r.Embed(ctx, &r.crop); err != nil {
				return face.Sample{}, err
			}
		}
		if i == 0 {
			out = s
		}
		for k, x := range s.Embedding.Vector {
			sum[k] += v.weight * x
		}
	}
	if _, err := face.Normalize(sum); err != nil {
		return face.Sample{}, fmt.Errorf("embed face: %w", errNoDirection)
	}
	out.Embedding.Vector = sum
	return out, nil
}

// coarsen reduces a crop to side x side means of areas, and enlarges it again, linearly between the areas' middles. A
// side of face.CropSide leaves it as it is.
func coarsen(c *face.Crop, side int) {
	if side == face.CropSide {
		return
	}
	means := shrink(c, side)
	at := func(x, y, k int) float32 { return means[3*(y*side+x)+k] }
	for y := range face.CropSide {
		y0, y1, wy := between(y, side)
		for x := range face.CropSide {
			x0, x1, wx := between(x, side)
			for k := range 3 {
				top := at(x0, y0, k) + wx*(at(x1, y0, k)-at(x0, y0, k))
				bottom := at(x0, y1, k) + wx*(at(x1, y1, k)-at(x0, y1, k))
				c[3*(y*face.CropSide+x)+k] = byte(top + wy*(bottom-top) + 0.5)
			}
		}
	}
}

// shrink is the mean colours of side x side areas of a crop, row by row.
func shrink(c *face.Crop, side int) []float32 {
	means := make([]float32, 3*side*side)
	counts := make([]float32, side*side)
	for y := range face.CropSide {
		for x := range face.CropSide {
			area := y*side/face.CropSide*side + x*side/face.CropSide
			counts[area]++
			for k := range 3 {
				means[3*area+k] += float32(c[3*(y*face.CropSide+x)+k])
			}
		}
	}
	for i := range means {
		means[i] /= counts[i/3]
	}
	return means
}

// between says which two of side middles a pixel lies between, and how far along it is, 0..1.
func between(pixel, side int) (low, high int, along float32) {
	at := (float32(pixel)+0.5)*float32(side)/face.CropSide - 0.5
	if at <= 0 {
		return 0, 0, 0
	}
	low = int(at)
	return low, min(low+1, side-1), at - float32(low)
}
