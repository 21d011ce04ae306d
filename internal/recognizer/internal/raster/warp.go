package raster

import (
	"math"

	"github.com/spotter-video/spotter/internal/face"
)

// Affine says where a pixel of a crop lies in the picture: x = XX i + XY j + X0, y = YX i + YY j + Y0 for the crop's
// pixel in column i and row j.
type Affine struct{ XX, XY, X0, YX, YY, Y0 float64 }

// Border says what lies beside a picture.
type Border bool

// The borders of [Warper.Warp].
const (
	Black     Border = false
	Replicate Border = true // the nearest pixel of the picture
)

// maxTaps bounds the samples a side that one pixel of a crop is made of. 32 covers faces of 3,600 pixels.
const maxTaps = 32

// Warper cuts turned and scaled crops out of pictures. Not safe for concurrent use.
type Warper struct {
	tables  tables
	y, u, v []byte
}

// NewWarper makes a Warper.
func NewWarper() *Warper { return &Warper{tables: tables{}} }

// Warp fills out, an RGB picture, with what m says of p. Where m shrinks, a pixel is the mean of a grid of samples one
// source pixel apart; samples are interpolated linearly. p must pass Check.
func (w *Warper) Warp(out, p *face.Picture, m Affine, border Border) {
	if p.Layout == face.RGB {
		for c := range 3 {
			s := samples{
				pix: p.Planes[0][c:], stride: p.Strides[0], step: 3, width: p.Width, height: p.Height,
				replicate: bool(border),
			}
			s.warp(out.Planes[0][c:], out.Strides[0], 3, out.Width, out.Height, m)
		}
		return
	}
	t := w.tables.of(p)
	area := out.Width * out.Height
	w.y, w.u, w.v = grown(w.y, area), grown(w.u, area), grown(w.v, area)
	w.luma(p, t, border).warp(w.y, out.Width, 1, out.Width, out.Height, m)
	// A chroma sample lies on every second column and between two rows, as MPEG-2 and its descendants site it.
	half := Affine{XX: m.XX / 2, XY: m.XY / 2, X0: m.X0 / 2, YX: m.YX / 2, YY: m.YY / 2, Y0: (m.Y0 - 0.5) / 2}
	for i, plane := range [][]byte{w.u, w.v} {
		s := samples{
			pix: p.Planes[i+1], stride: p.Strides[i+1], step: 1, width: (p.Width + 1) / 2,
			height: (p.Height + 1) / 2, outside: t.neutral, replicate: bool(border),
		}
		s.warp(plane, out.Width, 1, out.Width, out.Height, half)
	}
	for y := range out.Height {
		row := out.Planes[0][y*out.Strides[0]:][:3*out.Width]
		for x := range out.Width {
			i := y*out.Width + x
			row[3*x], row[3*x+1], row[3*x+2] = t.rgb(w.y[i], w.u[i], w.v[i])
		}
	}
}

// Grey fills a side x side crop with the picture's luma in 0..255, the nearest pixel beside the picture. p must pass
// Check.
func (w *Warper) Grey(out []byte, side int, p *face.Picture, m Affine) {
	if p.Layout == face.I420 {
		t := w.tables.of(p)
		w.luma(p, t, Replicate).warp(out, side, 1, side, side, m)
		for i, v := range out {
			out[i] = t.grey(v)
		}
		return
	}
	w.y = grown(w.y, 3*side*side)
	colour := face.Picture{Width: side, Height: side, Layout: face.RGB, Planes: [3][]byte{w.y}, Strides: [3]int{3 * side}}
	w.Warp(&colour, p, m, Replicate)
	for i := range out {
		out[i] = Luma(w.y[3*i], w.y[3*i+1], w.y[3*i+2])
	}
}

// Luma is the grey of a colour with BT.601's weights, rounded.
func Luma(r, g, b byte) byte {
	return byte((19595*uint32(r) + 38470*uint32(g) + 7471*uint32(b) + 1<<15) >> 16) //nolint:gosec // weights sum to 1
}

func (w *Warper) luma(p *face.Picture, t *yuv, border Border) *samples {
	return &samples{
		pix: p.Planes[0], stride: p.Strides[0], step: 1, width: p.Width, height: p.Height,
		outside: t.black, replicate: bool(border),
	}
}

// samples is one channel of a picture: the sample in column x and row y is pix[y*stride+x*step].
type samples struct {
	pix           []byte
	stride, step  int
	width, height int
	outside       byte // what lies beside the picture, unless the edge is replicated
	replicate     bool
}

// one is 1 in the fixed point of source coordinates.
const one = 1 << 16

// warp fills a crop, whose rows are stride bytes and whose pixels step bytes apart.
func (s *samples) warp(dst []byte, stride, step, width, height int, m Affine) {
	g := newGrid(m)
	// The map is affine: if the corners of all samples lie inside, everything does.
	inside := s.holds(m, width, height)
	for j := range height {
		x, y := g.x0+j*g.xy, g.y0+j*g.yy
		row := dst[j*stride:]
		for i := range width {
			if inside || s.around(x, y, &g) {
				row[i*step] = s.mean(x, y, &g)
			} else {
				row[i*step] = s.meanAtEdge(x, y, &g)
			}
			x, y = x+g.xx, y+g.yx
		}
	}
}

// grid is an affine map in fixed point with the samples that one pixel of the crop is made of.
type grid struct {
	xx, xy, x0, yx, yy, y0 int
	taps                   int
	// offsets are the samples' places from the pixel's centre.
	offsets [maxTaps][2]int // x and y of tap k along a row; along a column it is (-y, x) for a similarity
	column  [maxTaps][2]int
	// reachX and reachY are how far the outermost samples lie from the centre.
	reachX, reachY int
}

func newGrid(m Affine) grid {
	g := grid{xx: fix(m.XX), xy: fix(m.XY), x0: fix(m.X0), yx: fix(m.YX), yy: fix(m.YY), y0: fix(m.Y0)}
	scale := math.Sqrt(math.Abs(m.XX*m.YY - m.XY*m.YX))
	g.taps = min(max(int(scale+0.5), 1), maxTaps)
	for k := range g.taps {
		t := (float64(k)+0.5)/float64(g.taps) - 0.5
		g.offsets[k] = [2]int{fix(t * m.XX), fix(t * m.YX)}
		g.column[k] = [2]int{fix(t * m.XY), fix(t * m.YY)}
		g.reachX = max(g.reachX, magnitude(g.offsets[k][0])+magnitude(g.column[k][0]))
		g.reachY = max(g.reachY, magnitude(g.offsets[k][1])+magnitude(g.column[k][1]))
	}
	return g
}

func magnitude(v int) int { return max(v, -v) }

func fix(v float64) int { return int(math.Round(v * one)) }

// holds says whether all samples of the crop lie where they have four neighbours in the picture.
func (s *samples) holds(m Affine, width, height int) bool {
	for _, c := range [4][2]float64{{-1, -1}, {float64(width), -1}, {-1, float64(height)}, {float64(width), float64(height)}} {
		x, y := m.XX*c[0]+m.XY*c[1]+m.X0, m.YX*c[0]+m.YY*c[1]+m.Y0
		if !(x >= 0 && y >= 0 && x < float64(s.width-2) && y < float64(s.height-2)) {
			return false
		}
	}
	return true
}

// around says whether all samples of one pixel of the crop lie where they have four neighbours in the picture.
func (s *samples) around(x, y int, g *grid) bool {
	return g.reachX >= 0 && g.reachY >= 0 && // unless a wild map overflowed
		x >= g.reachX && y >= g.reachY && x < (s.width-1)*one-g.reachX && y < (s.height-1)*one-g.reachY
}

// mean is the mean of a pixel's samples, all of which lie inside the picture.
func (s *samples) mean(x, y int, g *grid) byte {
	if g.taps == 1 {
		return byte((s.at(x, y) + 1<<15) >> 16) //nolint:gosec // a mean of bytes
	}
	sum := 0
	for j := range g.taps {
		cx, cy := x+g.column[j][0], y+g.column[j][1]
		for i := range g.taps {
			sum += s.at(cx+g.offsets[i][0], cy+g.offsets[i][1])
		}
	}
	n := g.taps * g.taps << 16
	return byte((sum + n/2) / n) //nolint:gosec // a mean of bytes
}

// at interpolates between four neighbours; the result is in 1/65536.
func (s *samples) at(x, y int) int {
	wx, wy := x>>8&255, y>>8&255
	i := y>>16*s.stride + x>>16*s.step
	var a, b, c, d int
	if s.step == 1 {
		// Most samples are luma, and two slices of two cost fewer checks than four elements.
		p, q := s.pix[i:i+2], s.pix[i+s.stride:i+s.stride+2]
		a, b, c, d = int(p[0]), int(p[1]), int(q[0]), int(q[1])
	} else {
		a, b, c, d = int(s.pix[i]), int(s.pix[i+s.step]), int(s.pix[i+s.stride]), int(s.pix[i+s.stride+s.step])
	}
	top, bottom := a<<8+(b-a)*wx, c<<8+(d-c)*wx
	return top<<8 + (bottom-top)*wy
}

func (s *samples) meanAtEdge(x, y int, g *grid) byte {
	sum := 0
	for j := range g.taps {
		cx, cy := x+g.column[j][0], y+g.column[j][1]
		for i := range g.taps {
			sum += s.atEdge(cx+g.offsets[i][0], cy+g.offsets[i][1])
		}
	}
	n := g.taps * g.taps << 16
	return byte((sum + n/2) / n) //nolint:gosec // a mean of bytes
}

func (s *samples) atEdge(x, y int) int {
	wx, wy := x>>8&255, y>>8&255
	ix, iy := x>>16, y>>16
	top := s.pixel(ix, iy)*(256-wx) + s.pixel(ix+1, iy)*wx
	bottom := s.pixel(ix, iy+1)*(256-wx) + s.pixel(ix+1, iy+1)*wx
	return top*(256-wy) + bottom*wy
}

func (s *samples) pixel(x, y int) int {
	if s.replicate {
		x, y = min(max(x, 0), s.width-1), min(max(y, 0), s.height-1)
	} else if x < 0 || y < 0 || x >= s.width || y >= s.height {
		return int(s.outside)
	}
	return int(s.pix[y*s.stride+x*s.step])
}
