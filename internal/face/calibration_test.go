package face_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
)

// points are like the default pack's.
func points() *face.Calibration {
	return &face.Calibration{Points: []face.CalibrationPoint{{2.4, 50, 1e-2}, {4.06, 80, 1e-4}, {4.76, 90, 1e-5}, {5.46, 99, 1e-6}}}
}

func moments() *rapid.Generator[face.Impostors] {
	return rapid.Custom(func(t *rapid.T) face.Impostors {
		return face.Impostors{
			Mean:      rapid.Float64Range(-0.1, 0.2).Draw(t, "mean"),
			Deviation: rapid.Float64Range(0.04, 0.15).Draw(t, "deviation"),
		}
	})
}

func TestSimilarityIsMonotone(t *testing.T) {
	t.Parallel()
	c := points()
	rapid.Check(t, func(t *rapid.T) {
		i := moments().Draw(t, "impostors")
		a := face.Score(rapid.Float32Range(-1, 1).Draw(t, "a"))
		b := face.Score(rapid.Float32Range(-1, 1).Draw(t, "b"))
		low, high := c.Similarity(min(a, b), i), c.Similarity(max(a, b), i)
		if low > high || low < 0 || high > 100 {
			t.Fatalf("similarity %v at %v and %v at %v", low, min(a, b), high, max(a, b))
		}
	})
}

func TestThresholdAdmitsEveryScoreThatReachesIt(t *testing.T) {
	t.Parallel()
	c := points()
	rapid.Check(t, func(t *rapid.T) {
		i := moments().Draw(t, "impostors")
		s := face.Score(rapid.Float32Range(-1, 1).Draw(t, "score"))
		sim := face.Similarity(rapid.Float32Range(0, 100).Draw(t, "threshold"))
		if c.Similarity(s, i) >= sim && s < c.Threshold(sim, i) {
			t.Fatalf("score %v has similarity %v but lies below the threshold %v", s, c.Similarity(s, i), c.Threshold(sim, i))
		}
		// and the threshold is not needlessly low
		if at := c.Similarity(c.Threshold(sim, i)+3e-5, i); at < sim-0.05 && sim > 0 {
			t.Fatalf("threshold for %v admits similarity %v", sim, at)
		}
	})
}

func TestSimilarityAtKnownScores(t *testing.T) {
	t.Parallel()
	c, i := points(), face.Impostors{Mean: 0.01, Deviation: 0.1}
	for score, want := range map[face.Score]face.Similarity{
		-1: 0, 0.01: 0, 0.25: 50, 0.416: 80, 0.486: 90, 0.556: 99, 1: 100, 0.13: 25,
		face.Score(math.NaN()): 0,
	} {
		if got := c.Similarity(score, i); math.Abs(float64(got-want)) > 0.01 {
			t.Errorf("similarity of %v is %v, want %v", score, got, want)
		}
	}
}

func TestImpostorsAgreeWithACohort(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const n, dim = 40, 8
		cohort := make([][]float32, n)
		for k := range cohort {
			cohort[k] = rapid.SliceOfN(rapid.Float32Range(-1, 1), dim, dim).Draw(t, "stranger")
		}
		probe := rapid.SliceOfN(rapid.Float32Range(-1, 1), dim, dim).Draw(t, "probe")
		c := statistics(cohort)
		got := c.Impostors(probe)
		var sum, squares float64
		for _, v := range cohort {
			s := face.Dot(v, probe)
			sum += s
			squares += s * s
		}
		mean := sum / n
		deviation := math.Sqrt(max(squares/n-mean*mean, 0))
		if math.Abs(got.Mean-mean) > 1e-4 || math.Abs(got.Deviation-deviation) > 2e-3 {
			t.Fatalf("got %+v, want mean %v deviation %v", got, mean, deviation)
		}
	})
}

func statistics(cohort [][]float32) *face.Cohort {
	dim := len(cohort[0])
	c := &face.Cohort{Mean: make([]float32, dim), Covariance: make([]float32, dim*dim)}
	n := float32(len(cohort))
	for _, v := range cohort {
		for i := range v {
			c.Mean[i] += v[i] / n
		}
	}
	for _, v := range cohort {
		for i := range v {
			for j := range v {
				c.Covariance[i*dim+j] += (v[i] - c.Mean[i]) * (v[j] - c.Mean[j]) / n
			}
		}
	}
	return c
}

func TestCalibrationCheck(t *testing.T) {
	t.Parallel()
	if err := points().Check(); err != nil {
		t.Error(err)
	}
	for name, ps := range map[string][]face.CalibrationPoint{
		"none":                 nil,
		"not ascending":        {{4, 80, 0}, {3, 90, 0}},
		"similarity repeats":   {{3, 80, 0}, {4, 80, 0}},
		"starts at nought":     {{0, 0, 0}},
		"reaches 100":          {{3, 80, 0}, {4, 100, 0}},
		"rates rise":           {{3, 50, 1e-4}, {4, 80, 1e-2}},
		"a rate is missing":    {{3, 50, 1e-2}, {4, 80, 0}},
		"everybody reaches it": {{3, 50, 1}},
		"a rate is no number":  {{3, 50, math.NaN()}},
		"not a number":         {{math.NaN(), 80, 0}},
	} {
		if err := (&face.Calibration{Points: ps}).Check(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	c := points()
	for s, want := range map[face.Similarity]float64{0: 1, 25: 1e-1, 50: 1e-2, 65: 1e-3, 80: 1e-4, 90: 1e-5, 99: 1e-6, 100: 1e-6} {
		if got, ok := c.Rate(s); !ok || math.Abs(math.Log(got/want)) > 1e-6 {
			t.Errorf("similarity %v: rate %v, %v, want %v", s, got, ok, want)
		}
	}
	for rate, want := range map[float64]face.Similarity{1: 0, 1e-2: 50, 0.9e-4: 81, 1e-5: 90, 1e-6: 99, 1e-9: 99} {
		if got, ok := c.AtRate(rate); !ok || got != want {
			t.Errorf("rate %v: similarity %v, %v, want %v", rate, got, ok, want)
		}
	}
	unknown := &face.Calibration{Points: []face.CalibrationPoint{{2.4, 50, 0}, {4, 80, 0}}}
	if err := unknown.Check(); err != nil {
		t.Error(err)
	}
	if _, ok := unknown.Rate(80); ok {
		t.Error("a rate was made up")
	}
	if _, ok := unknown.AtRate(1e-3); ok {
		t.Error("a similarity was made up")
	}
}

func TestBetweenTwoProbes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := moments().Draw(t, "a"), moments().Draw(t, "b")
		s := face.Score(rapid.Float32Range(-1, 1).Draw(t, "score"))
		c := points()
		got := c.Between(s, a, b)
		if back := c.Between(s, b, a); back != got {
			t.Fatalf("%v one way, %v the other", got, back)
		}
		if c.Between(s, a, a) != c.Similarity(s, a) {
			t.Fatalf("two of one kind: %v, want %v", c.Between(s, a, a), c.Similarity(s, a))
		}
		if higher := face.Score(rapid.Float32Range(float32(s), 1).Draw(t, "higher")); c.Between(higher, a, b) < got {
			t.Fatalf("falls from %v at %v to %v at %v", got, s, c.Between(higher, a, b), higher)
		}
	})
}

// TestLeastIsReached holds the bound against the similarity itself.
func TestLeastIsReached(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, i := points(), moments().Draw(t, "moments")
		sim := face.Similarity(rapid.Float32Range(0, 100).Draw(t, "similarity"))
		score := face.Score(rapid.Float32Range(-1, 1).Draw(t, "score"))
		least := c.Least(sim)
		if z := i.Normalise(score); c.Similarity(score, i) >= sim && sim > 0 && z < least-1e-4 {
			t.Fatalf("a normalised score of %v has the similarity %v, and %v is said to need %v", z, c.Similarity(score, i), sim, least)
		}
		if last := c.Points[len(c.Points)-1]; sim <= last.Similarity && i.Normalise(1) > last.Normalised {
			if got := c.Similarity(i.Score(least+1e-3), i); got < sim {
				t.Fatalf("a normalised score of %v has the similarity %v, want %v", least, got, sim)
			}
		}
	})
}
