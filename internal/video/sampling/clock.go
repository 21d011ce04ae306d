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

// Add is a sum that stays at the ends of time where it does not fit.
func Add(a, b int64) int64 {
	sum := a + b
	switch {
	case a > 0 && b > 0 && sum < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	default:
		return sum
	}
}

// Sub is a difference that stays at the ends of time where it does not fit.
func Sub(a, b int64) int64 {
	difference := a - b
	switch {
	case a >= 0 && b < 0 && difference < 0:
		return math.MaxInt64
	case a < 0 && b > 0 && difference >= 0:
		return math.MinInt64
	default:
		return difference
	}
}

// Ticks is a time in nanoseconds as ticks of num/den seconds, rounded down; what does not fit stays at the ends.
func Ticks(nanoseconds int64, num, den int32) int64 {
	if num <= 0 || den <= 0 {
		return 0
	}
	ticks := math.Floor(float64(nanoseconds) / 1e9 * float64(den) / float64(num))
	if math.Abs(ticks) >= 1<<63 {
		return limit(math.MaxUint64, ticks < 0)
	}
	return int64(ticks)
}
