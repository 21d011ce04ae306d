package engine

import (
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
)

func rated() *face.Calibration {
	return &face.Calibration{Points: []face.CalibrationPoint{
		{Normalised: 2.5, Similarity: 50, Rate: 1e-2},
		{Normalised: 4.76, Similarity: 80, Rate: 1e-5},
		{Normalised: 5.46, Similarity: 90, Rate: 1e-6},
		{Normalised: 6.16, Similarity: 99, Rate: 1e-7},
	}}
}

func TestCaution(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		threshold      face.Similarity
		faces, persons int
		want           string // "" for none
	}{
		{80, 10, 50, ""},
		{80, 5_000, 10, ""},
		{80, 5_000, 100, "about 5 of the names may be wrong: 100 people seen were compared with 5000 enrolled faces, and at a " +
			"threshold of 80 one in 100000 comparisons of strangers passes; search again with --threshold 97"},
		{50, 100, 30, "--threshold 75"},
		{99, 20_000_000, 100, "one in 10000000 comparisons of strangers passes; check each match"},
	} {
		got := caution(rated(), tt.threshold, tt.faces, tt.persons)
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%v %% of %d faces and %d persons: %q, want %q", tt.threshold, tt.faces, tt.persons, got, tt.want)
		}
	}
	unrated := &face.Calibration{Points: []face.CalibrationPoint{{Normalised: 4, Similarity: 80}}}
	if got := caution(unrated, 80, 1_000_000, 1000); got != "" {
		t.Errorf("without rates: %q", got)
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	for want, list := range map[string][]string{
		"": {"", ""}, "One.": {"one", ""}, "Searched in part. Two.": {"Searched in part.", "two"},
	} {
		if got := sentences(list...); got != want {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
}
