package main

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer"
)

// TestCalibration computes the cohort and the false match rates anew and compares them with what the pack holds.
func TestCalibration(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("embeds 2,120 photos")
	}
	pack := setup(t)
	lfw := filepath.Join(evaluation(), "lfw", "lfw-dev.tar")
	if _, err := os.Stat(lfw); err != nil {
		t.Skipf("LFW is absent (%v); SPOTTER_EVALUATION says where the evaluation data are", err)
	}
	people, err := embedAll(t.Context(), pack, lfw, runtime.NumCPU(), false)
	if err != nil {
		t.Fatal(err)
	}
	got, err := compute(people, filepath.Base(lfw))
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + got.report())
	same(t, "mean", got.cohort.Mean, pack.Cohort().Mean)
	same(t, "covariance", got.cohort.Covariance, pack.Cohort().Covariance)
	// The committed points come from all of LFW: 33 times the comparisons, and other people. These 658 resemble each
	// other a little more, by up to 0.3: a false match rate of 2e-4 where 1e-4 is said.
	for rate, similarity := range map[float64]face.Similarity{1e-2: 50, 1e-5: 80} {
		z := quantile(got.scores, rate)
		for _, p := range pack.Calibration().Points {
			if p.Similarity == similarity && math.Abs(p.Normalised-z) > 0.35 {
				t.Errorf("similarity %v stands for a normalised score of %v; a false match rate of %v is at %.2f",
					similarity, p.Normalised, rate, z)
			}
		}
	}
}

func TestMoments(t *testing.T) {
	t.Parallel()
	c := moments([][]float32{{1, 0}, {0, 1}, {-1, 0}, {0, 1}})
	same(t, "mean", c.Mean, []float32{0, 0.5})
	same(t, "covariance", c.Covariance, []float32{0.5, 0, 0, 0.25})
}

func TestQuantileAndCalibration(t *testing.T) {
	t.Parallel()
	scores := make([]float64, leastComparisons)
	for i := range scores {
		scores[i] = float64(i) / leastComparisons
	}
	if got := quantile(scores, 0.1); math.Abs(got-0.9) > 1e-5 {
		t.Errorf("a tenth of the scores reaches %v", got)
	}
	points := calibrate([]float64{0, 1, 2, 3, 4})
	if len(points) != 4 || points[1].Similarity != 80 {
		t.Errorf("calibrated to %v", points)
	}
}

func TestChooseTakesPeopleWithOnePhoto(t *testing.T) {
	t.Parallel()
	v := []float32{1}
	chosen := choose([]picture{
		{person: "A", vector: v}, {person: "A", vector: v}, {person: "B", vector: v}, {person: "C"},
	})
	if len(chosen) != 1 || !chosen["B"] {
		t.Errorf("chose %v", chosen)
	}
}

func setup(t *testing.T) *recognizer.Pack {
	t.Helper()
	dir := os.Getenv("SPOTTER_MODELS")
	if dir == "" {
		dir = filepath.Join("..", "..", "models", "default")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no model pack (%v): run 'make setup'", err)
	}
	pack, err := recognizer.LoadPack(dir)
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

func evaluation() string {
	if dir := os.Getenv("SPOTTER_EVALUATION"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "shared", "evaluation")
}

// same compares figures that another processor may round differently in the last bits.
func same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d figures instead of %d", what, len(got), len(want))
	}
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-3 {
			t.Fatalf("%s: figure %d is %v, the pack says %v", what, i, got[i], want[i])
		}
	}
}
