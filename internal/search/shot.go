package search

import "github.com/spotter-video/spotter/internal/face"

// Thumbnails for the comparison of successive frames, in pixels.
const thumbWidth, thumbHeight = 32, 18

// shots tells where a new shot begins, by comparing each frame's thumbnail with the one before.
type shots struct {
	limit     float64
	seen      bool
	shape     float64                               // the last picture's width by its height
	last, now [thumbWidth * thumbHeight * 3]float32 // Y, U, V of each cell
}

// next says whether the picture begins a new shot. The first one does not: nothing came before it.
func (s *shots) next(p *face.Picture) bool {
	if p.Layout == face.RGB {
		shrinkRGB(p, &s.now)
	} else {
		shrinkI420(p, &s.now)
	}
	shape := float64(p.Width) / float64(p.Height)
	cut := s.seen && (difference(&s.now, &s.last) > s.limit || reshaped(shape, s.shape))
	s.last, s.now, s.seen, s.shape = s.now, s.last, true, shape
	return cut
}

// reshaped says whether a picture has another shape than the one before, as when a phone is turned: boxes, which are
// ratios of their picture, then say nothing of each other. A call that gets more pixels keeps its shape, up to the
// rounding of its sizes (160 x 90 and 426 x 240 differ by 0.2 %).
func reshaped(shape, last float64) bool {
	const same = 0.02
	return shape > last*(1+same) || shape < last*(1-same)
}

// difference is the mean of |dR|, |dG|, |dB| over all cells, from differences of full-range YUV.
func difference(a, b *[thumbWidth * thumbHeight * 3]float32) float64 {
	var sum float32
	for i := 0; i < len(a); i += 3 {
		y, u, v := a[i]-b[i], a[i+1]-b[i+1], a[i+2]-b[i+2]
		sum += abs(y+1.402*v) + abs(y-0.344*u-0.714*v) + abs(y+1.772*u)
	}
	return float64(sum) / float64(len(a))
}

func abs(x float32) float32 { return max(x, -x) }

func shrinkI420(p *face.Picture, dst *[thumbWidth * thumbHeight * 3]float32) {
	cw, ch := (p.Width+1)/2, (p.Height+1)/2
	shrinkPlane(p.Planes[0], p.Strides[0], p.Width, p.Height, 1, 0, dst[0:])
	shrinkPlane(p.Planes[1], p.Strides[1], cw, ch, 1, 0, dst[1:])
	shrinkPlane(p.Planes[2], p.Strides[2], cw, ch, 1, 0, dst[2:])
	if p.FullRange {
		return
	}
	for i := range dst { // limited range spans 219 levels of luma and 224 of chroma
		if i%3 == 0 {
			dst[i] *= 255.0 / 219
		} else {
			dst[i] *= 255.0 / 224
		}
	}
}

// shrinkRGB fills the cells with luma and the two colour differences, scaled so that difference undoes them.
func shrinkRGB(p *face.Picture, dst *[thumbWidth * thumbHeight * 3]float32) {
	for c := range 3 {
		shrinkPlane(p.Planes[0], p.Strides[0], p.Width, p.Height, 3, c, dst[c:])
	}
	for i := 0; i < len(dst); i += 3 {
		r, g, b := dst[i], dst[i+1], dst[i+2]
		y := 0.299*r + 0.587*g + 0.114*b
		dst[i], dst[i+1], dst[i+2] = y, (b-y)/1.772, (r-y)/1.402
	}
}

// shrinkPlane writes the mean of each cell of the 32 x 18 grid to every third element of dst. A picture narrower or
// lower than the grid repeats its pixels.
func shrinkPlane(src []byte, stride, w, h, step, offset int, dst []float32) {
	for cy := range thumbHeight {
		y0 := cy * h / thumbHeight
		y1 := max((cy+1)*h/thumbHeight, y0+1)
		for cx := range thumbWidth {
			x0 := cx * w / thumbWidth
			x1 := max((cx+1)*w/thumbWidth, x0+1)
			sum := 0
			for y := y0; y < y1; y++ {
				row := src[y*stride+x0*step+offset:]
				for x := range x1 - x0 {
					sum += int(row[x*step])
				}
			}
			dst[3*(cy*thumbWidth+cx)] = float32(sum) / float32((x1-x0)*(y1-y0))
		}
	}
}
