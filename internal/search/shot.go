package search

import (
	"encoding/binary"
	"math"

	"github.com/spotter-video/spotter/internal/face"
)

// Thumbnails for the comparison of successive frames, in pixels.
const thumbWidth, thumbHeight = 32, 18

// thumbnail is a picture made small.
type thumbnail struct {
	shape float32 // the picture's width by its height
	cells cells
}

// cells are luma and both colour differences of each cell of a thumbnail, row by row, the differences with 128 added.
type cells [thumbWidth * thumbHeight * 3]float32

// shots tells where a new shot begins, by comparing each frame's thumbnail with the one before.
type shots struct {
	params    *Params
	seen      bool
	last, now thumbnail
}

// next says whether the picture begins a new shot. The first one does not: nothing came before it.
func (s *shots) next(p *face.Picture) bool {
	s.now.draw(p)
	cut := s.seen && s.params.cut(&s.last, &s.now)
	s.last, s.now, s.seen = s.now, s.last, true
	return cut
}

// cut says whether two successive pictures belong to different shots: because they differ a lot, or because they have
// hardly more in common than any two pictures of their contrast, brightness aside, which tells two dark ones apart, or
// because they have another shape.
func (p *Params) cut(a, b *thumbnail) bool {
	if reshaped(a.shape, b.shape) || difference(&a.cells, &b.cells, 0) > p.ShotChange {
		return true
	}
	before, after := a.cells.light(), b.cells.light()
	rest := difference(&a.cells, &b.cells, float32(before.mean-after.mean))
	return rest > p.ShotContrast*max(before.deviation+after.deviation, leastContrast)
}

// still says whether a picture is the same as another but for what coding does to it.
func (t *thumbnail) still(o *thumbnail) bool {
	const noise = 1 // level of the mean of a cell, which has hundreds of pixels
	if t.shape != o.shape {
		return false
	}
	for i := range t.cells {
		if abs(t.cells[i]-o.cells[i]) > noise {
			return false
		}
	}
	return true
}

// reshaped says whether a picture has another shape than the one before, as when a phone is turned: boxes, which are
// ratios of their picture, then say nothing of each other. A call that gets more pixels keeps its shape, up to the
// rounding of its sizes (160 x 90 and 426 x 240 differ by 0.2 %).
func reshaped(last, shape float32) bool {
	const same = 0.02
	return shape > last*(1+same) || shape < last*(1-same)
}

// leastContrast keeps flat pictures together, which differ by noise alone. In levels, for the sum of two pictures.
const leastContrast = 12

// light is the mean and the standard deviation of a thumbnail's luma, in levels.
type light struct{ mean, deviation float64 }

func (t *cells) light() light {
	var sum, squares float64
	for i := 0; i < len(t); i += 3 {
		sum += float64(t[i])
		squares += float64(t[i]) * float64(t[i])
	}
	n := float64(len(t) / 3)
	return light{sum / n, math.Sqrt(max(squares/n-sum/n*sum/n, 0))}
}

// bytes are the thumbnail's shape and its cells in whole levels, to be kept with a stretch.
func (t *thumbnail) bytes() []byte {
	out := binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(t.cells)), math.Float32bits(t.shape))
	for _, x := range t.cells {
		out = append(out, byte(min(max(x+0.5, 0), 255)))
	}
	return out
}

// thumbnailOf reads what bytes wrote; false if it did not.
func thumbnailOf(kept []byte) (*thumbnail, bool) {
	t := new(thumbnail)
	if len(kept) != 4+len(t.cells) {
		return nil, false
	}
	t.shape = math.Float32frombits(binary.LittleEndian.Uint32(kept))
	for i, x := range kept[4:] {
		t.cells[i] = float32(x)
	}
	return t, true
}

func (t *thumbnail) draw(p *face.Picture) {
	t.shape = float32(p.Width) / float32(p.Height)
	if p.Layout == face.RGB {
		t.cells.shrinkRGB(p)
	} else {
		t.cells.shrinkI420(p)
	}
}

// difference is the mean of |dR|, |dG|, |dB| over all cells, from differences of full-range YUV, a being brighter than b by
// so many levels of luma that do not count.
func difference(a, b *cells, brighter float32) float64 {
	var sum float32
	for i := 0; i < len(a); i += 3 {
		y, u, v := a[i]-b[i]-brighter, a[i+1]-b[i+1], a[i+2]-b[i+2]
		sum += abs(y+1.402*v) + abs(y-0.344*u-0.714*v) + abs(y+1.772*u)
	}
	return float64(sum) / float64(len(a))
}

func abs(x float32) float32 { return max(x, -x) }

func (t *cells) shrinkI420(p *face.Picture) {
	cw, ch := (p.Width+1)/2, (p.Height+1)/2
	shrinkPlane(p.Planes[0], p.Strides[0], p.Width, p.Height, 1, 0, t[0:])
	shrinkPlane(p.Planes[1], p.Strides[1], cw, ch, 1, 0, t[1:])
	shrinkPlane(p.Planes[2], p.Strides[2], cw, ch, 1, 0, t[2:])
	if p.FullRange {
		return
	}
	for i := range t { // limited range spans 219 levels of luma, from 16, and 224 of chroma, around 128
		if i%3 == 0 {
			t[i] = (t[i] - 16) * 255 / 219
		} else {
			t[i] = (t[i]-128)*255/224 + 128
		}
	}
}

// shrinkRGB fills the cells with luma and the two colour differences, scaled so that difference undoes them.
func (t *cells) shrinkRGB(p *face.Picture) {
	for c := range 3 {
		shrinkPlane(p.Planes[0], p.Strides[0], p.Width, p.Height, 3, c, t[c:])
	}
	for i := 0; i < len(t); i += 3 {
		r, g, b := t[i], t[i+1], t[i+2]
		y := 0.299*r + 0.587*g + 0.114*b
		t[i], t[i+1], t[i+2] = y, (b-y)/1.772+128, (r-y)/1.402+128
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
