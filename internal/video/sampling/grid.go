package sampling

import (
	"cmp"
	"math"
	"slices"
)

// Grid is where frames are wanted, in ticks of a stream's time base.
type Grid struct {
	// First is the time of the file's first frame: grid point 0.
	First int64
	// Step is the distance of two points in ticks; 0 wants every frame. Below one tick it counts as one: no two times lie
	// closer, so what is chosen is the same.
	Step float64
}

// lastPoint bounds the numbers of grid points, on either side of 0: up to there a float64 holds every integer. Points lie
// at least a tick apart, and 2^53 ticks of a nanosecond are 104 days.
const lastPoint = 1 << 53

// NewGrid is the grid of rate frames a second in a time base of num/den seconds; rate 0 wants every frame.
func NewGrid(first int64, num, den int32, rate float64) Grid {
	if rate <= 0 || num <= 0 || den <= 0 {
		return Grid{First: first}
	}
	return Grid{First: first, Step: float64(den) / (float64(num) * rate)}
}

// All says whether every frame is wanted.
func (g Grid) All() bool { return g.Step <= 0 }

func (g Grid) step() float64 { return min(max(g.Step, 1), math.MaxInt64) }

// At is the time of a grid point, rounded to the tick below. It is computed from the point's number, never by adding
// steps, so errors do not pile up; beyond the ends of time it stays there. It never falls from one point to the next.
func (g Grid) At(k int64) int64 {
	offset := math.Floor(float64(k) * g.step())
	switch {
	case offset >= math.MaxInt64/2:
		return math.MaxInt64
	case offset <= math.MinInt64/2:
		return math.MinInt64
	default:
		return Add(g.First, int64(offset))
	}
}

// Index is the last grid point at or before a time, of those from -2^53 to 2^53; the first of these where none is.
func (g Grid) Index(t int64) int64 {
	guess := math.Floor((float64(t) - float64(g.First)) / g.step())
	lo, hi := int64(-lastPoint), int64(lastPoint)
	// The guess is right but for rounding; where it is not, as far from 0 floats are coarse, halving finds the point.
	if k := int64(min(max(guess, -lastPoint), lastPoint)); g.At(k) <= t {
		lo = k
		if k < lastPoint && g.At(k+1) > t {
			return k
		}
	} else {
		hi = k
	}
	for lo < hi {
		if middle := lo + (hi-lo+1)/2; g.At(middle) <= t {
			lo = middle
		} else {
			hi = middle - 1
		}
	}
	return lo
}

// Packet is what is known of one packet before it is decoded.
type Packet struct {
	PTS     int64
	NonRef  bool // no other packet needs it
	Discard bool // decoded, but never shown
	Chosen  bool // set by Choose
}

// Choose marks the packets whose frames are wanted, among those with lo <= PTS < hi. For each grid point there it takes
// the nearest frame that other frames refer to (it is decoded anyway) within half a step, else the nearest of all; of
// two equally near the earlier. The order of packets does not matter. It takes a few steps for each packet, whatever times
// they have.
func (g Grid) Choose(packets []*Packet, lo, hi int64) {
	all := between(packets, lo, hi)
	if len(all) == 0 {
		return
	}
	if g.All() {
		for _, p := range all {
			p.Chosen = true
		}
		return
	}
	g.choose(all, lo, hi)
}

// between is the packets that can be chosen, in order of time.
func between(packets []*Packet, lo, hi int64) []*Packet {
	var all []*Packet
	for _, p := range packets {
		if p.PTS >= lo && p.PTS < hi && !p.Discard {
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b *Packet) int { return cmp.Compare(a.PTS, b.PTS) })
	return all
}

func (g Grid) choose(all []*Packet, lo, hi int64) {
	first, last := all[0].PTS, all[len(all)-1].PTS
	if hi == math.MaxInt64 {
		hi = last + 1 // nothing is shown after the file's last frame, so nothing is wanted there
	}
	refs := slices.DeleteFunc(slices.Clone(all), func(p *Packet) bool { return p.NonRef })
	k := g.Index(first)
	if g.At(k) < lo {
		k++
	}
	for ; k <= lastPoint; k++ {
		at := g.At(k)
		if at >= hi {
			return
		}
		best := nearest(refs, at)
		if best == nil || distance(best.PTS, at) > g.step()/2 {
			best = nearest(all, at)
		}
		best.Chosen = true
		if at > last && distance(last, at) >= g.step()/2 {
			return // later points choose the same last frame
		}
		k = g.skip(all, k)
	}
}

// skip jumps over a hole. Once a point half a step behind the hole's first edge has been looked at, every further point
// until shortly before the other edge chooses one of the two frames beside the hole, and both are chosen without them.
func (g Grid) skip(all []*Packet, k int64) int64 {
	i, _ := slices.BinarySearchFunc(all, g.At(k), func(p *Packet, t int64) int { return cmp.Compare(p.PTS, t) })
	if i == 0 || i == len(all) || distance(all[i-1].PTS, g.At(k)) < g.step()/2 {
		return k
	}
	return max(k, g.Index(all[i].PTS)-2)
}

func nearest(sorted []*Packet, at int64) *Packet {
	i, _ := slices.BinarySearchFunc(sorted, at, func(p *Packet, t int64) int { return cmp.Compare(p.PTS, t) })
	switch {
	case len(sorted) == 0:
		return nil
	case i == len(sorted):
		return sorted[firstOf(sorted, i-1)]
	case i == 0:
		return sorted[0]
	case distance(sorted[i-1].PTS, at) <= distance(sorted[i].PTS, at):
		return sorted[firstOf(sorted, i-1)]
	default:
		return sorted[i]
	}
}

// firstOf is the first packet with the time of packet i: two packets of one time are a fault of the file, and taking
// the same one always keeps the result steady.
func firstOf(sorted []*Packet, i int) int {
	for i > 0 && sorted[i-1].PTS == sorted[i].PTS {
		i--
	}
	return i
}

// distance is exact for times that are near to each other, wherever they lie.
func distance(a, b int64) float64 {
	return float64(uint64(max(a, b)) - uint64(min(a, b))) //nolint:gosec // G115: the difference is right modulo 2^64
}
