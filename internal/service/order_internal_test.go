package service

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
)

func TestByPersonPutsTheBestMatchFirst(t *testing.T) {
	t.Parallel()
	seen := func(at time.Duration, person int, confidence float32, matches ...face.Similarity) face.Sighting {
		s := face.Sighting{Time: at, Person: person, Detection: face.Detection{Confidence: confidence}}
		for _, m := range matches {
			s.Matches = append(s.Matches, face.Match{Similarity: m})
		}
		return s
	}
	list := []face.Sighting{
		seen(0, 1, 99), seen(1, 0, 99), seen(2, 0, 90, 85), seen(3, 0, 99, 85), seen(4, 0, 80, 95, 81), seen(5, 0, 99, 85),
		seen(6, 1, 80, 80),
	}
	slices.SortStableFunc(list, byPerson)
	var order []time.Duration
	for _, s := range list {
		order = append(order, s.Time)
	}
	if d := cmp.Diff([]time.Duration{4, 3, 5, 2, 1, 6, 0}, order); d != "" {
		t.Error("times (-want +got):\n" + d)
	}
}
