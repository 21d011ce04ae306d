package jobs

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	c := Default()
	for i, seconds := range []int{1, 3, 9, 27, 81, 243, 300, 300} {
		want := time.Duration(seconds) * time.Second
		if got := backoff(c.MinBackoff, c.MaxBackoff, i+1, 1); got != want {
			t.Errorf("at most %v after %d failures, want %v", got, i+1, want)
		}
		if got := backoff(c.MinBackoff, c.MaxBackoff, i+1, 0); got != want/2 {
			t.Errorf("at least %v after %d failures, want %v", got, i+1, want/2)
		}
	}
}

func TestBackoffStaysWithinBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		least := time.Duration(rapid.Int64Range(1, math.MaxInt64).Draw(t, "least"))
		most := time.Duration(rapid.Int64Range(int64(least), math.MaxInt64).Draw(t, "most"))
		failures := rapid.IntRange(1, mostStarts).Draw(t, "failures")
		d := backoff(least, most, failures, rapid.Float64Range(0, 1).Draw(t, "r"))
		if d < least/2 || d > most {
			t.Errorf("pause of %v", d)
		}
		if next := backoff(least, most, failures+1, 1); next < backoff(least, most, failures, 1) {
			t.Errorf("pause of %v after one of %v", next, d)
		}
	})
}

// TestBackoffOfLongPauses: three times as much may be more than a Duration holds, and come out as anything.
func TestBackoffOfLongPauses(t *testing.T) {
	t.Parallel()
	for _, least := range []time.Duration{1, 9955, math.MaxInt64/2 + 1, math.MaxInt64} {
		for failures := range 80 {
			if d := backoff(least, math.MaxInt64, failures+1, 1); d < least {
				t.Fatalf("pause of %d after %d failures, at least %d", d, failures+1, least)
			}
		}
	}
}
