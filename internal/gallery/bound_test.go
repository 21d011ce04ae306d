package gallery

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestMarginBoundsTheCanonicalScore checks the proof in bound.go on vectors that strain it.
func TestMarginBoundsTheCanonicalScore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := newSeeded(rapid.Uint64().Draw(t, "seed"))
		s := newShape(rapid.SampledFrom([]int{1, 2, 5, 16, 33, 128, 512, 4096}).Draw(t, "dim"))
		x := vector(d, s.dim, nil)
		y := vector(d, s.dim, [][]float32{x})
		q := testQuery(&s, y)
		codes := make([]int8, s.padded)
		stored := quantise(codes, x)
		var sum int32
		for i, c := range codes {
			sum += int32(c) * int32(q.codes[i])
		}
		approx := float32(float32(float32(sum)*q.quantised.scale) * stored.scale)
		score := canonical(y, x)
		if gap := math.Abs(float64(approx) - float64(score)); gap > q.margin(stored.residual) {
			t.Fatalf("approximate score %v is %v from %v, margin %v", approx, gap, score, q.margin(stored.residual))
		}
		c, err := newChunk(&s, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer c.discard()
		c.encode(3, number(1), x, newScratch(&s))
		if gap := math.Abs(c.inner(y, 3) - float64(score)); gap > refinedMargin(c.residual(3)) {
			t.Fatalf("refined score is %v from %v, margin %v", gap, score, refinedMargin(c.residual(3)))
		}
		if reach(approx, stored.residual, q.quantised.norm) < q.cut(score) {
			t.Fatalf("a cut at the score %v misses the face", score)
		}
	})
}

// TestMarginIsOfUse guards against a bound that is safe because it lets everything through.
func TestMarginIsOfUse(t *testing.T) {
	t.Parallel()
	d, s := newSeeded(7), newShape(512)
	var sum float64
	const pairs = 200
	for range pairs {
		v, w := make([]float32, s.dim), make([]float32, s.dim)
		for i := range v {
			v[i], w[i] = float32(d.normal()), float32(d.normal())
		}
		q := testQuery(&s, unitVector(v))
		sum += q.margin(quantise(make([]int8, s.padded), unitVector(w)).residual)
	}
	// Two residuals of about half a step / sqrt(3) in each dimension: 0.007 each.
	if mean := sum / pairs; mean > 0.02 {
		t.Errorf("mean margin %.4f for random vectors of 512 dimensions, want about 0.015", mean)
	}
}

func TestFloorRisesOnly(t *testing.T) {
	t.Parallel()
	inf := float32(math.Inf(1))
	var f floor
	if got := f.get(); got != -inf {
		t.Fatalf("zero floor is %v", got)
	}
	for _, step := range []struct{ raise, want float32 }{
		{-inf, -inf}, {-2, -2}, {-3, -2}, {-0.5, -0.5}, {-0.6, -0.5}, {0, 0}, {-1, 0}, {0.25, 0.25}, {0.125, 0.25}, {inf, inf},
	} {
		if f.raise(step.raise); f.get() != step.want {
			t.Errorf("after raise(%v): %v, want %v", step.raise, f.get(), step.want)
		}
	}
}
