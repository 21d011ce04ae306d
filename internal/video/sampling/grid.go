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
	// Step is the distance of two points in ticks; 0 wants every frame.
	Step float64
}

// NewGrid is the grid of rate frames a second in a time base of num/den seconds; rate 0 wants every frame.
func NewGrid(first int64, num, den int32, rate float64) Grid {
	if rate <= 0 || num <= 0 || den <= 0 {
		return Grid{First: first}
	}
	return Grid{First: first, Step: float64(den) / (float64(num) * rate)}
}

// All says whether every frame is wanted.
func (g Grid) All() bool { return g.Step <= 0 }

// At is the time of a grid point, rounded to the tick below. It is computed from the point's number, never by adding
// steps, so errors do not pile up; beyond the ends of time it stays there.
func (g Grid) At(k int64) int64 {
	offset := math.Floor(float64(k) * g.Step)
	switch {
	case offset >= math.MaxInt64/2:
		return math.MaxInt64
	case offset <= math.MinInt64/2:
		return math.MinInt64
	default:
		return saturate(g.First, int64(offset))
	}
}

// saturate adds and stays at the ends where the sum does not fit.
func saturate(a, b int64) int64 {
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

// Index is the last grid point at or before a time.
func (g Grid) Index(t int64) int64 {
	k := math.Floor((float64(t) - float64(g.First)) / g.Step)
	k = min(max(k, -1<<53), 1<<53)
	i := int64(k)
	for i < 1<<53 && g.At(i+1) <= t {
		i++
	}
	for i > -1<<53 && g.At(i) > t {
		i--
	}
	return i
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
// two equally near the earlier. The order of packets does not matter.
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
	for ; ; k++ {
		at := g.At(k)
		if at >= hi {
			return
		}
		best := nearest(refs, at)
		if best == nil || distance(best.PTS, at) > g.Step/2 {
			best = nearest(all, at)
		}
		best.Chosen = true
		if at > last && distance(last, at) >= g.Step/2 {
			return // later points choose the same last frame
		}
		k = g.skip(all, k)
	}
}

// skip jumps over a hole. Once a point half a step behind the hole's first edge has been looked at, every further point
// until shortly before the other edge chooses one of the two frames beside the hole, and both are chosen without them.
func (g Grid) skip(all []*Packet, k int64) int64 {
	i, _ := slices.BinarySearchFunc(all, g.At(k), func(p *Packet, t int64) int { return cmp.Compare(p.PTS, t) })
	if i == 0 || i == len(all) || distance(all[i-1].PTS, g.At(k)) < g.Step/2 {
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

func distance(a, b int64) float64 { return math.Abs(float64(a) - float64(b)) }
