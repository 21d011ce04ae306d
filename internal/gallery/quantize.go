package gallery

import (
	"math"
)

// maxCode is the largest 8-bit code in use. -128 is left out so that codes are symmetric.
const maxCode = 127

// roundUp makes a float64 result safe to be stored as a float32 upper bound: it exceeds the rounding of the conversion
// (2^-24) and of the float64 sums (4096 x 2^-53) by far.
const roundUp = 1 + 1e-6

// quantised describes a vector's 8-bit codes: value i is about scale x codes[i].
type quantised struct {
	scale float32
	// residual is the length of (vector - scale x codes), rounded up.
	residual float32
	// norm is the length of scale x codes, rounded up.
	norm float32
	// sum is the sum of the codes.
	sum int32
}

// quantise writes the codes of v, a finite vector that is not zero, into codes; where codes is longer, it is padded
// with zeros. The step is the largest value / 127; the scale is then fitted to the codes by least squares, which
// shortens the residual a little.
func quantise(codes []int8, v []float32) quantised {
	var largest float32
	for _, x := range v {
		largest = max(largest, max(x, -x))
	}
	perUnit := maxCode / float64(largest)
	var squares, sum int32
	var along float64
	for i, x := range v {
		c := int32(math.RoundToEven(float64(x) * perUnit))
		c = min(max(c, -maxCode), maxCode)
		codes[i] = int8(c)
		squares += c * c // at most 4096 x 127^2 < 2^27
		sum += c
		along += float64(x) * float64(c)
	}
	clear(codes[len(v):])
	scale := float32(along / float64(squares))
	return quantised{
		scale:    scale,
		residual: residual(codes, v, scale),
		norm:     float32(float64(scale) * math.Sqrt(float64(squares)) * roundUp),
		sum:      sum,
	}
}

func residual(codes []int8, v []float32, scale float32) float32 {
	var squares float64
	for i, x := range v {
		d := float64(x) - float64(scale)*float64(codes[i])
		squares += d * d
	}
	return float32(math.Sqrt(squares) * roundUp)
}
