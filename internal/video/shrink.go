package video

import "github.com/spotter-video/spotter/internal/face"

// newPicture is an I420 picture with memory of its own.
func newPicture(width, height int, m face.ColorMatrix) face.Picture {
	cw, ch := (width+1)/2, (height+1)/2
	return face.Picture{
		Width: width, Height: height, Layout: face.I420, Matrix: m,
		Planes:  [3][]byte{make([]byte, width*height), make([]byte, cw*ch), make([]byte, cw*ch)},
		Strides: [3]int{width, cw, cw},
	}
}

// shrink makes the small picture by averaging areas: each of its samples is the mean of the source samples that fall
// into it. It is for the ffmpeg command line only; the helper scales in C.
func shrink(from, to *face.Picture) {
	for i := range from.Planes {
		fw, fh, tw, th := from.Width, from.Height, to.Width, to.Height
		if i > 0 {
			fw, fh, tw, th = (fw+1)/2, (fh+1)/2, (tw+1)/2, (th+1)/2
		}
		for y := range th {
			y0, y1 := covered(y, fh, th)
			for x := range tw {
				x0, x1 := covered(x, fw, tw)
				sum := 0
				for v := y0; v < y1; v++ {
					for _, b := range from.Planes[i][v*from.Strides[i]+x0 : v*from.Strides[i]+x1] {
						sum += int(b)
					}
				}
				n := (y1 - y0) * (x1 - x0)
				to.Planes[i][y*to.Strides[i]+x] = byte((sum + n/2) / n) //nolint:gosec // G115: a mean of bytes
			}
		}
	}
}

// covered is the source samples that sample i of to covers, at least one.
func covered(i, from, to int) (lo, hi int) {
	lo = i * from / to
	return lo, max(lo+1, (i+1)*from/to)
}
