package gallery

import "math"

// unitTolerance is how far from 1 the length of a vector may be. Normalising in float32 errs by about 1e-6; a vector
// that is further off than this was not normalised.
const unitTolerance = 1e-4

// slack covers every rounding between the exact inner product and the numbers compared here; see [query.margin].
const slack = 1e-6

// margin bounds the difference between the canonical score of a face with this residual and the approximate score that
// a kernel computes for it.
//
// Let q and x be probe and face, q^ and x^ their quantised forms, e the residual |q - q^|, r the residual |x - x^|. Then
//
//	<q,x> - <q^,x^>  =  <q - q^, x> + <q^, x - x^>,   so by Cauchy-Schwarz
//	|<q,x> - <q^,x^>|  <=  e |x| + |q^| r             with |x| <= 1 + unitTolerance.
//
// Added to it is the rounding, u = 2^-24 being half a unit of the last place of float32, relatively:
//
//	2e-7  the kernel converts the integer sum and multiplies it by two scales: 3 u of at most 1.03 (|q^||x^|; a
//	      quantised vector by least squares is no longer than the vector)
//	6e-8  the canonical score is rounded to float32: u of at most 1.0003; its float64 sum errs by 4096 x 2^-53 = 5e-13
//	2e-7  the kernel's |q^| r and its sum with the approximate score: 2 u of at most 1.4 (r <= 0.26: half a step of at
//	      most 1/127 in each of 4096 dimensions)
//	2e-7  threshold, lower and upper bound are float32: u of at most 1.5 each
//
// which is less than slack in all.
func (q *query) margin(residual float32) float64 {
	return q.floorMargin() + float64(q.quantised.norm)*float64(residual)
}

// floorMargin is the part of the margin that is the same for all faces.
func (q *query) floorMargin() float64 {
	return float64(q.quantised.residual)*(1+unitTolerance) + slack
}

// refinedMargin bounds the difference between the canonical score of a face with this residual and the inner product of
// the probe with the quantised face, <q,x^>: as above, |<q, x - x^>| <= |q| r. Of the rounding, only that of the canonical
// score and of the bounds themselves is left.
func refinedMargin(residual float32) float64 {
	return (1+unitTolerance)*float64(residual) + slack
}

// cut is what a kernel compares (approximate score + |q^| r) with: below it the canonical score is below floor.
func (q *query) cut(floor float32) float32 {
	return float32(float64(floor) - q.floorMargin())
}

// isUnit says whether v is finite and has length 1 as far as float32 can tell. A NaN or an infinity makes the sum one.
func isUnit(v []float32) bool {
	var squares float64
	for _, x := range v {
		squares += float64(x) * float64(x)
	}
	return math.Abs(math.Sqrt(squares)-1) <= unitTolerance
}

// nothing is a cut that no score reaches.
func nothing() float32 { return float32(math.Inf(1)) }
