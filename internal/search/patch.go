package search

import (
	"math"

	"github.com/spotter-video/spotter/internal/face"
)

// patchSide is the side of a patch in cells.
const patchSide = 12

// patch is what a face's box holds in the small picture, as brightness in cells, row by row, in levels: too little to tell
// whose face it is, and enough to see that it is suddenly another picture.
type patch [patchSide * patchSide]float32

// otherSight is the correlation of two successive patches of a track below which they may show two people, as where a cut
// between two pictures of one brightness was missed. Of 1,000 steps of one person at five frames a second 3 % lie below,
// turned heads and blur; of 18 steps from one person's portrait to another's two thirds do (docs/decisions/0008-names.md).
const otherSight = 0.3

func patchOf(p *face.Picture, b face.Box) (out patch) {
	plane, step := p.Planes[0], 1
	if p.Layout == face.RGB {
		plane, step = p.Planes[0][1:], 3 // green is most of the brightness
	}
	box := b.Pixels(p.Width, p.Height)
	for i := range out {
		x0, x1 := cellOf(box.X0, box.Width(), i%patchSide, p.Width)
		y0, y1 := cellOf(box.Y0, box.Height(), i/patchSide, p.Height)
		sum := 0
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				sum += int(plane[y*p.Strides[0]+x*step])
			}
		}
		out[i] = float32(sum) / float32((x1-x0)*(y1-y0))
	}
	return out
}

// cellOf is the pixels from and up to which the i-th cell of a side reaches, at least one and all within the picture.
func cellOf(from, length float32, i, size int) (first, end int) {
	first = int(from + length*float32(i)/patchSide)
	end = int(from + length*float32(i+1)/patchSide)
	first = min(max(first, 0), size-1)
	return first, min(max(end, first+1), size)
}

// like is the correlation of two patches, -1..1; 1 for a patch without any contrast, which tells nothing.
func (a *patch) like(b *patch) float64 {
	var sumA, sumB float64
	for i := range a {
		sumA += float64(a[i])
		sumB += float64(b[i])
	}
	meanA, meanB := sumA/float64(len(a)), sumB/float64(len(a))
	var product, squareA, squareB float64
	for i := range a {
		x, y := float64(a[i])-meanA, float64(b[i])-meanB
		product, squareA, squareB = product+x*y, squareA+x*x, squareB+y*y
	}
	if squareA == 0 || squareB == 0 {
		return 1
	}
	return product / math.Sqrt(squareA*squareB)
}
