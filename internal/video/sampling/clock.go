package sampling

import (
	"math"
	"math/bits"
)

// Nanoseconds is ticks of num/den seconds in nanoseconds, rounded to the nearest; what does not fit stays at the ends.
func Nanoseconds(ticks int64, num, den int32) int64 {
	if num <= 0 || den <= 0 {
		return 0
	}
	negative := ticks < 0
	size := uint64(ticks) //nolint:gosec // G115: the sign is kept apart
	if negative {
		size = -size
	}
	const second = 1_000_000_000
	hi, lo := bits.Mul64(size, uint64(num)*second) // num < 2^31, so the product of the two fits
	lo, carry := bits.Add64(lo, uint64(den)/2, 0)
	hi += carry
	if hi >= uint64(den) {
		return limit(math.MaxUint64, negative)
	}
	q, _ := bits.Div64(hi, lo, uint64(den))
	return limit(q, negative)
}

func limit(size uint64, negative bool) int64 {
	size = min(size, math.MaxInt64)
	if negative {
		return -int64(size)
	}
	return int64(size)
}

// Ticks is a time in nanoseconds as ticks of num/den seconds, rounded down.
func Ticks(nanoseconds int64, num, den int32) int64 {
	if num <= 0 || den <= 0 {
		return 0
	}
	return int64(math.Floor(float64(nanoseconds) / 1e9 * float64(den) / float64(num)))
}
