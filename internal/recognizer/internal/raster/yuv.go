package raster

import "github.com/spotter-video/spotter/internal/face"

// yuv turns 8-bit Y, U, V into red, green, blue by table: each entry is a term in 1/65536 units, so a pixel costs
// additions and a shift.
type yuv struct {
	luma           [256]int32 // with the half for rounding
	redV, greenV   [256]int32
	greenU, blueU  [256]int32
	black, neutral byte // the samples of black: Y, and U and V
}

// yuvKey says which table a picture needs.
type yuvKey struct {
	matrix face.ColorMatrix
	full   bool
}

// newYUV makes the tables from the matrix's red and blue luma weights (ITU-R BT.601, BT.709, BT.2020).
func newYUV(k yuvKey) *yuv {
	kr, kb := 0.299, 0.114
	switch k.matrix {
	case face.BT709:
		kr, kb = 0.2126, 0.0722
	case face.BT2020:
		kr, kb = 0.2627, 0.0593
	case face.BT601:
	}
	lumaScale, lumaZero, chromaScale := 255.0/219, 16.0, 255.0/224
	if k.full {
		lumaScale, lumaZero, chromaScale = 1, 0, 1
	}
	kg := 1 - kr - kb
	t := &yuv{black: byte(lumaZero), neutral: 128}
	const one = 1 << 16
	fixed := func(v float64) int32 {
		if v < 0 {
			return -int32(-v*one + 0.5)
		}
		return int32(v*one + 0.5)
	}
	for i := range 256 {
		c := (float64(i) - 128) * chromaScale
		t.luma[i] = fixed((float64(i)-lumaZero)*lumaScale) + one/2
		t.redV[i] = fixed(2 * (1 - kr) * c)
		t.blueU[i] = fixed(2 * (1 - kb) * c)
		t.greenU[i] = fixed(-2 * (1 - kb) * kb / kg * c)
		t.greenV[i] = fixed(-2 * (1 - kr) * kr / kg * c)
	}
	return t
}

// rgb is one pixel's colour.
func (t *yuv) rgb(y, u, v byte) (r, g, b byte) {
	l := t.luma[y]
	return clamp(l + t.redV[v]), clamp(l + t.greenU[u] + t.greenV[v]), clamp(l + t.blueU[u])
}

// grey is one pixel's luma with its range stretched to 0..255.
func (t *yuv) grey(y byte) byte { return clamp(t.luma[y]) }

func clamp(fixed int32) byte { return byte(min(max(fixed>>16, 0), 255)) }

// tables keeps the conversion tables in use. Not safe for concurrent use.
type tables map[yuvKey]*yuv

func (t tables) of(p *face.Picture) *yuv {
	k := yuvKey{p.Matrix, p.FullRange}
	if t[k] == nil {
		t[k] = newYUV(k)
	}
	return t[k]
}
