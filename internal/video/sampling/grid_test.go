package sampling

import (
	"encoding/binary"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// drawPackets makes a group of packets with rising, irregular times, in any order of types.
func drawPackets(t *rapid.T) []*Packet {
	var list []*Packet
	at := rapid.Int64Range(-5000, 5000).Draw(t, "start")
	for range rapid.IntRange(1, 60).Draw(t, "count") {
		list = append(list, &Packet{
			PTS: at, NonRef: rapid.Bool().Draw(t, "nonref"), Discard: rapid.IntRange(0, 9).Draw(t, "discard") == 0,
		})
		at += rapid.Int64Range(1, 100).Draw(t, "gap")
		if rapid.IntRange(0, 19).Draw(t, "hole") == 0 {
			at += rapid.Int64Range(0, 1<<40).Draw(t, "hole size")
		}
	}
	return list
}

func drawGrid(t *rapid.T) Grid {
	return Grid{First: rapid.Int64Range(-5000, 5000).Draw(t, "first"), Step: rapid.Float64Range(0.5, 500).Draw(t, "step")}
}

// TestChooseAgreesWithCounting compares with the plain definition, point by point, where there are no long holes.
func TestChooseAgreesWithCounting(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := Grid{First: rapid.Int64Range(-200, 200).Draw(t, "first"), Step: rapid.Float64Range(0.5, 500).Draw(t, "step")}
		var list []*Packet
		at := int64(0)
		for range rapid.IntRange(1, 40).Draw(t, "count") {
			list = append(list, &Packet{PTS: at, NonRef: rapid.Bool().Draw(t, "nonref")})
			at += rapid.Int64Range(1, 2000).Draw(t, "gap")
		}
		hi := at + rapid.Int64Range(0, 50).Draw(t, "end")
		g.Choose(list, 0, hi)
		want := slowChoice(g, list, 0, hi)
		for i, p := range list {
			if p.Chosen != want[i] {
				t.Fatalf("packet %d at %d: chosen %v, want %v", i, p.PTS, p.Chosen, want[i])
			}
		}
	})
}

// slowChoice looks at every grid point and every packet.
func slowChoice(g Grid, list []*Packet, lo, hi int64) []bool {
	want := make([]bool, len(list))
	for k := int64(-1000); k < 200_000; k++ {
		at := g.At(k)
		if at < lo || at >= hi {
			continue
		}
		best, fallback := -1, -1
		for i, p := range list {
			d := math.Abs(float64(p.PTS - at))
			if !p.NonRef && d <= g.Step/2 && (best < 0 || d < math.Abs(float64(list[best].PTS-at))) {
				best = i
			}
			if fallback < 0 || d < math.Abs(float64(list[fallback].PTS-at)) {
				fallback = i
			}
		}
		if best < 0 {
			best = fallback
		}
		want[best] = true
	}
	return want
}

// TestChoiceIsLocal cuts a video at a keyframe: what is chosen on each side must not change.
func TestChoiceIsLocal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g, list := drawGrid(t), drawPackets(t)
		lo := list[0].PTS
		cut := list[rapid.IntRange(0, len(list)-1).Draw(t, "cut")].PTS
		g.Choose(list, lo, cut)
		g.Choose(list, cut, math.MaxInt64)
		first := chosen(list)
		for _, p := range list {
			p.Chosen = false
		}
		g.Choose(list, cut, math.MaxInt64)
		for i := range list {
			if list[i].PTS >= cut && list[i].Chosen != first[i] {
				t.Fatalf("packet %d at %d depends on where reading began", i, list[i].PTS)
			}
			if list[i].Chosen && list[i].Discard {
				t.Fatalf("packet %d is never shown, and was chosen", i)
			}
		}
	})
}

func chosen(list []*Packet) []bool {
	b := make([]bool, len(list))
	for i, p := range list {
		b[i] = p.Chosen
	}
	return b
}

// TestHolesCostNothing has a hole of years at a thousand frames a second.
func TestHolesCostNothing(t *testing.T) {
	t.Parallel()
	g := NewGrid(0, 1, 1_000_000, 1000)
	list := []*Packet{{PTS: 0}, {PTS: 1000}, {PTS: 1 << 60}, {PTS: 1<<60 + 500}, {PTS: 1<<60 + 1000}}
	g.Choose(list, 0, math.MaxInt64)
	if !list[0].Chosen || !list[1].Chosen || !list[2].Chosen {
		t.Errorf("chosen %v", chosen(list))
	}
}

// TestIndexInvertsAt checks that grid points and times agree at any distance.
func TestIndexInvertsAt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := drawGrid(t)
		at := rapid.Int64Range(-1<<45, 1<<45).Draw(t, "time")
		k := g.Index(at)
		if g.At(k) > at || g.At(k+1) <= at {
			t.Fatalf("time %d between points %d at %d and %d", at, k, g.At(k), g.At(k+1))
		}
	})
}

// TestNanosecondsRound compares with arithmetic of any size.
func TestNanosecondsRound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ticks := rapid.Int64().Draw(t, "ticks")
		num, den := rapid.Int32Range(1, math.MaxInt32).Draw(t, "num"), rapid.Int32Range(1, math.MaxInt32).Draw(t, "den")
		want := new(big.Int).Mul(big.NewInt(ticks), big.NewInt(int64(num)*1_000_000_000))
		half := big.NewInt(int64(den) / 2)
		if want.Sign() < 0 {
			half.Neg(half)
		}
		want.Quo(want.Add(want, half), big.NewInt(int64(den)))
		have := big.NewInt(Nanoseconds(ticks, num, den))
		if want.IsInt64() && want.Int64() != math.MinInt64 {
			if want.Cmp(have) != 0 {
				t.Fatalf("%v, want %v", have, want)
			}
		} else if have.CmpAbs(big.NewInt(math.MaxInt64)) != 0 {
			t.Fatalf("%v does not stay at the end", have)
		}
	})
}

// FuzzIndex asks for grid points at any time, on any grid: the answer is the point that the definition says, and comes.
func FuzzIndex(f *testing.F) {
	f.Add(int64(math.MinInt64), int64(126_000), 18_000.0) // libav's mark for no time, in a broadcast
	f.Add(int64(math.MaxInt64), int64(math.MinInt64), 0.001)
	f.Add(int64(1<<62), int64(-1<<62), 1.0)
	f.Fuzz(func(t *testing.T, at, first int64, step float64) {
		if !(step > 0) {
			return
		}
		g := Grid{First: first, Step: step}
		k := g.Index(at)
		if k < -lastPoint || k > lastPoint || (g.At(k) > at && k > -lastPoint) || (k < lastPoint && g.At(k+1) <= at) {
			t.Errorf("time %d between points %d at %d and %d", at, k, g.At(k), g.At(k+1))
		}
	})
}

// FuzzChoose chooses among packets at any times, on any grid: an answer comes, only packets of the stretch are chosen, and
// where every tick is wanted each of their times is.
func FuzzChoose(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00"), int64(0), 18_000.0, int64(0), int64(math.MaxInt64))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\x7f\x01\x00\x00\x00\x00\x00\x00\x80"), int64(1), 1e-10, int64(math.MinInt64), int64(math.MaxInt64))
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x40\xff\xff\xff\x00\x00\x00\x00\x40"), int64(math.MinInt64), 1.0, int64(math.MinInt64), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, times []byte, first int64, step float64, lo, hi int64) {
		if !(step > 0) || len(times) > 8*200 {
			return
		}
		var list []*Packet
		for ; len(times) >= 8; times = times[8:] {
			at := int64(binary.LittleEndian.Uint64(times))
			list = append(list, &Packet{PTS: at, NonRef: at&1 != 0})
		}
		g := Grid{First: first, Step: step}
		g.Choose(list, lo, hi)
		within := func(at int64) bool { // of the numbers that grid points have
			return at > Add(first, -lastPoint) && at < Add(first, lastPoint) && at < math.MaxInt64/4 && at > math.MinInt64/4
		}
		taken := map[int64]bool{}
		for _, p := range list {
			if taken[p.PTS] = taken[p.PTS] || p.Chosen; p.Chosen && (p.PTS < lo || p.PTS >= hi) {
				t.Errorf("%d is chosen, outside %d to %d", p.PTS, lo, hi)
			}
		}
		for _, p := range list {
			if step <= 1 && p.PTS >= lo && p.PTS < hi && within(p.PTS) && !taken[p.PTS] {
				t.Errorf("%d is not chosen although every tick is wanted", p.PTS)
			}
		}
	})
}

// FuzzTicks turns any time into ticks and back: what fits comes back within a tick, and nothing overflows.
func FuzzTicks(f *testing.F) {
	f.Add(int64(math.MaxInt64), int32(1), int32(math.MaxInt32))
	f.Add(int64(math.MinInt64), int32(1), int32(90_000))
	f.Fuzz(func(t *testing.T, at int64, num, den int32) {
		ticks := Ticks(at, num, den)
		if num <= 0 || den <= 0 {
			return
		}
		if (at > 0 && ticks < 0) || (at < 0 && ticks >= 0) {
			t.Fatalf("%d ns are %d ticks of %d/%d s", at, ticks, num, den)
		}
		if sum, back := Add(at, ticks), Sub(at, ticks); (at > 0 && sum < 0) || (at < 0 && sum > 0) || (at > 0 && back > at) {
			t.Errorf("%d and %d are %d together and %d apart", at, ticks, sum, back)
		}
	})
}
