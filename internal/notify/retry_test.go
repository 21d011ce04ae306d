package notify

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDelayStaysBetweenFirstAndMost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Int64Range(int64(time.Millisecond), int64(time.Hour)).Draw(t, "first")
		most := rapid.Int64Range(first, 1<<62).Draw(t, "most")
		r := Retry{First: time.Duration(first), Most: time.Duration(most), GiveUpAfter: 1}
		failures := rapid.IntRange(1, 1<<40).Draw(t, "failures")
		chance := rapid.Float64Range(0, 0.999).Draw(t, "chance")
		d := r.delay(failures, chance)
		if d < r.First/2 || d > r.Most {
			t.Fatalf("the pause is %v, want %v to %v", d, r.First/2, r.Most)
		}
		if longest, next := r.delay(failures, 1), r.delay(failures+1, 1); next < longest {
			t.Fatalf("the longest pause goes from %v to %v", longest, next)
		}
	})
}

func TestDelayDoubles(t *testing.T) {
	t.Parallel()
	r := DefaultRetry()
	for failures, want := range map[int]time.Duration{
		1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 12: 2048 * time.Second, 13: time.Hour, 1000: time.Hour,
	} {
		if got := r.delay(failures, 1); got != want {
			t.Errorf("after %d failures it is %v, want %v", failures, got, want)
		}
		if got := r.delay(failures, 0); got != want/2 {
			t.Errorf("after %d failures it is %v at least, want %v", failures, got, want/2)
		}
	}
}

func TestFailureBoundsTheDelay(t *testing.T) {
	t.Parallel()
	r := DefaultRetry()
	for name, tc := range map[string]struct {
		f    failure
		want time.Duration
	}{
		"passing":         {failure{}, time.Second},
		"refused":         {failure{refused: true}, time.Minute},
		"asks for little": {failure{pause: time.Millisecond}, time.Second},
		"asks for more":   {failure{pause: 5 * time.Minute}, 5 * time.Minute},
		"asks for a year": {failure{pause: 365 * 24 * time.Hour}, time.Hour},
	} {
		if got := r.after(&tc.f, 1, 1); got != tc.want {
			t.Errorf("%s: the pause is %v, want %v", name, got, tc.want)
		}
	}
}
