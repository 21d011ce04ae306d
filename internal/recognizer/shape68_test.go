package recognizer

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
)

func TestMouthOpensWithItsLips(t *testing.T) {
	t.Parallel()
	last := math.Inf(-1)
	for _, gap := range []float32{0, .02, .05, .069, .071, .09, .2, 1} {
		m := mouth(gap)
		if m.Value != (gap > mouthOpenFrom) || m.Confidence < 50 || m.Confidence > 100 {
			t.Errorf("lips %v widths apart: %+v", gap, *m)
		}
		open := float64(m.Confidence)
		if !m.Value {
			open = 100 - open
		}
		if open < last {
			t.Errorf("lips %v widths apart: less open than before", gap)
		}
		last = open
	}
	if s := (shape68{}); s.mouthOpen() != nil {
		t.Error("a mouth without width is open or not")
	}
}

// TestTurningAFaceDoesNotOpenItsMouth turns, moves and scales the points.
func TestTurningAFaceDoesNotOpenItsMouth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		gap := rapid.Float32Range(0, .5).Draw(t, "gap")
		angle := rapid.Float64Range(-math.Pi, math.Pi).Draw(t, "angle")
		scale := rapid.Float64Range(20, 2000).Draw(t, "scale")
		s, turned := frontal68(gap), shape68{}
		sim := similarity{a: scale * math.Cos(angle), b: scale * math.Sin(angle), tx: 300, ty: -50}
		for i, p := range s {
			x, y := sim.apply(p)
			turned[i] = face.Point{X: float32(x), Y: float32(y)}
		}
		before, after := s.mouthOpen(), turned.mouthOpen()
		if math.Abs(float64(before.Confidence-after.Confidence)) > 0.1 {
			t.Errorf("%+v became %+v", *before, *after)
		}
	})
}

func TestNamedPointsLieWhereTheirNamesSay(t *testing.T) {
	t.Parallel()
	at := map[string]face.Point{}
	for i, p := range furtherIn(frontal68(.3)) {
		name := face.FurtherLandmarkNames()[i]
		if _, twice := at[name]; twice {
			t.Errorf("%s is there twice", name)
		}
		at[name] = p
	}
	for _, pair := range [][2]string{
		{"leftEyeBrowLeft", "leftEyeBrowUp"},
		{"leftEyeBrowUp", "leftEyeBrowRight"},
		{"leftEyeBrowRight", "rightEyeBrowLeft"},
		{"rightEyeBrowLeft", "rightEyeBrowUp"},
		{"rightEyeBrowUp", "rightEyeBrowRight"},
		{"leftEyeLeft", "leftEyeRight"},
		{"leftEyeRight", "rightEyeLeft"},
		{"rightEyeLeft", "rightEyeRight"},
		{"noseLeft", "noseRight"},
		{"upperJawlineLeft", "midJawlineLeft"},
		{"midJawlineLeft", "chinBottom"},
		{"chinBottom", "midJawlineRight"},
		{"midJawlineRight", "upperJawlineRight"},
	} {
		if !(at[pair[0]].X < at[pair[1]].X) {
			t.Errorf("%s is not left of %s", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{
		{"leftEyeBrowUp", "leftEyeUp"},
		{"leftEyeUp", "leftEyeDown"},
		{"rightEyeUp", "rightEyeDown"},
		{"rightEyeDown", "noseRight"},
		{"noseLeft", "mouthUp"},
		{"mouthUp", "mouthDown"},
		{"mouthDown", "chinBottom"},
		{"upperJawlineLeft", "midJawlineLeft"},
		{"midJawlineRight", "chinBottom"},
	} {
		if !(at[pair[0]].Y < at[pair[1]].Y) {
			t.Errorf("%s is not above %s", pair[0], pair[1])
		}
	}
	if p := at["chinBottom"]; math.Abs(float64(p.X)-(100.5/200)) > 1e-6 {
		t.Errorf("the chin is at %v", p)
	}
}

func TestSquareIsWhatIsSeen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := square{
			x: rapid.Float64Range(-100, 2000).Draw(t, "x"), y: rapid.Float64Range(-100, 2000).Draw(t, "y"),
			side: rapid.Float64Range(5, 1000).Draw(t, "side"), roll: rapid.Float64Range(-180, 180).Draw(t, "roll"),
		}
		n := rapid.IntRange(8, 200).Draw(t, "n")
		m := s.to(n)
		at := func(i, j float64) (x, y float64) { return m.XX*i + m.XY*j + m.X0 + .5, m.YX*i + m.YY*j + m.Y0 + .5 }
		middle, half := float64(n-1)/2, float64(n)/2
		if x, y := at(middle, middle); math.Hypot(x-s.x, y-s.y) > 1e-6 {
			t.Fatalf("the middle is (%v, %v)", x, y)
		}
		sin, cos := math.Sincos(s.roll * math.Pi / 180)
		if x, y := at(middle+half, middle); math.Hypot(x-s.x-cos*s.side/2, y-s.y-sin*s.side/2) > 1e-6 {
			t.Fatalf("the right edge's middle is (%v, %v)", x, y)
		}
	})
}

func TestProbabilities(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Float32Range(-1e4, 1e4), 2, 7).Draw(t, "raw")
		sum := 0.0
		p := softmax(raw, rapid.Float32Range(.1, 100).Draw(t, "temperature"))
		for i := range p {
			sum += p[i]
			for j := range p {
				if raw[i] > raw[j] && p[i] < p[j] {
					t.Fatalf("%v became %v", raw, p)
				}
			}
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("the sum is %v", sum)
		}
		one := softmax(raw, 1)
		i := rapid.IntRange(0, len(raw)-1).Draw(t, "i")
		if o := 1 / (1 + math.Exp(-odds(raw, i))); math.Abs(o-one[i]) > 1e-9 {
			t.Fatalf("odds of %v are a probability of %v", odds(raw, i), o)
		}
		trait := traitOf(odds(raw, i))
		if trait.Confidence < 50 || trait.Confidence > 100 || trait.Value != (odds(raw, i) > 0) {
			t.Fatalf("%+v", *trait)
		}
	})
}
