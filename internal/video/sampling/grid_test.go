package sampling

import (
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
