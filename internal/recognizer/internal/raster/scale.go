package raster

import "github.com/spotter-video/spotter/internal/face"

// Scaler makes pictures of other sizes. Not safe for concurrent use.
type Scaler struct {
	tables  tables
	columns []span
	sums    []uint32
	pixels  []byte
}

// NewScaler makes a Scaler.
func NewScaler() *Scaler { return &Scaler{tables: tables{}} }

// span is what one pixel of the result is made of: the source pixels from first on, the first and the last in part.
// Shares are in 1/256; they sum up to total.
type span struct {
	first, last           int
	firstShare, lastShare uint32
	total                 uint32
}

// Fit is the size of a picture whose long side is made this long, each side at least 1.
func Fit(width, height, long int) (w, h int) {
	if width >= height {
		return long, max((height*long+width/2)/width, 1)
	}
	return max((width*long+height/2)/height, 1), long
}

// Scale makes p a picture of width x height, in its own layout; an enlarged one is RGB. Every sample of the result is the mean
// of the area it covers; an enlarged picture is interpolated linearly. The result is valid until the next call. p must pass
// Check.
func (s *Scaler) Scale(p *face.Picture, width, height int) face.Picture {
	out := face.Picture{Width: width, Height: height, Layout: face.RGB}
	switch {
	case width > p.Width || height > p.Height:
		s.pixels = grown(s.pixels, 3*width*height)
		out.Planes[0], out.Strides[0] = s.pixels, 3*width
		s.enlarge(&out, p)
	case p.Layout == face.RGB:
		s.pixels = grown(s.pixels, 3*width*height)
		out.Planes[0], out.Strides[0] = s.pixels, 3*width
		s.reduce(s.pixels, width, height, plane{p.Planes[0], p.Strides[0], p.Width, p.Height, 3})
	default:
		out.Layout, out.Matrix, out.FullRange = p.Layout, p.Matrix, p.FullRange
		halfWidth, halfHeight := (width+1)/2, (height+1)/2
		luma, chroma := width*height, halfWidth*halfHeight
		s.pixels = grown(s.pixels, luma+2*chroma)
		out.Planes = [3][]byte{s.pixels[:luma], s.pixels[luma:][:chroma], s.pixels[luma+chroma:]}
		out.Strides = [3]int{width, halfWidth, halfWidth}
		s.reduce(out.Planes[0], width, height, plane{p.Planes[0], p.Strides[0], p.Width, p.Height, 1})
		for i := 1; i < 3; i++ {
			s.reduce(out.Planes[i], halfWidth, halfHeight, plane{p.Planes[i], p.Strides[i], (p.Width + 1) / 2, (p.Height + 1) / 2, 1})
		}
	}
	return out
}

// plane is rows of pixels of so many interleaved channels.
type plane struct {
	pix                             []byte
	stride, width, height, channels int
}

// reduce fills dst, whose rows follow each other without gaps, with a plane of width x height.
func (s *Scaler) reduce(dst []byte, width, height int, p plane) {
	s.sums = grown(s.sums, p.channels*p.width)
	s.columns = grown(s.columns, width)
	for x := range s.columns {
		s.columns[x] = spanOf(x, width, p.width)
	}
	for y := range height {
		rows := spanOf(y, height, p.height)
		clear(s.sums)
		for source := rows.first; source <= rows.last; source++ {
			share := uint32(whole)
			switch source {
			case rows.first:
				share = rows.firstShare
			case rows.last:
				share = rows.lastShare
			}
			add(s.sums, p.pix[source*p.stride:][:len(s.sums)], share)
		}
		s.average(dst[y*p.channels*width:][:p.channels*width], rows.total, p.channels)
	}
}

// whole is the share of a source pixel that lies within one pixel of the result entirely.
const whole = 256

func spanOf(i, size, source int) span {
	from, to := i*source*whole/size, (i+1)*source*whole/size
	sp := span{first: from / whole, last: (to - 1) / whole, total: uint32(to - from)} //nolint:gosec // positive
	if sp.first == sp.last {
		sp.firstShare = sp.total
		return sp
	}
	sp.firstShare = uint32(whole - from%whole)
	sp.lastShare = uint32((to-1)%whole + 1) //nolint:gosec // 1..256
	return sp
}

// add adds a row in its share to the column sums. 2^32 holds 65,000 whole rows, more than any picture has for one.
func add(sums []uint32, row []byte, share uint32) {
	sums = sums[:len(row)]
	for i, v := range row {
		sums[i] += uint32(v) * share
	}
}

// average makes one row of the result out of the column sums. A float32 is exact enough for the mean of bytes, and the same on
// every processor, and spares a division.
func (s *Scaler) average(dst []byte, rows uint32, channels int) {
	for x, c := range s.columns {
		area := 1 / (float32(c.total) * float32(rows))
		for channel := range channels {
			sum := uint64(s.sums[channels*c.first+channel]) * uint64(c.firstShare)
			for i := c.first + 1; i < c.last; i++ {
				sum += uint64(s.sums[channels*i+channel]) * whole
			}
			if c.last > c.first {
				sum += uint64(s.sums[channels*c.last+channel]) * uint64(c.lastShare)
			}
			mean := float32(float32(sum) * area)
			dst[channels*x+channel] = byte(mean + 0.5)
		}
	}
}

// enlarge fills out by linear interpolation between the pixels of p.
func (s *Scaler) enlarge(out, p *face.Picture) {
	var w Warper
	w.tables = s.tables
	sx, sy := float64(p.Width)/float64(out.Width), float64(p.Height)/float64(out.Height)
	w.Warp(out, p, Affine{XX: sx, X0: sx/2 - 0.5, YY: sy, Y0: sy/2 - 0.5}, Replicate)
}

// grown returns s with length n, its content unsaid.
func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
