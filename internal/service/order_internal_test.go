package service

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
)

func TestByPersonAscendsByTimeWithinAPerson(t *testing.T) {
	t.Parallel()
	seen := func(at time.Duration, person int, matches ...face.Similarity) face.Sighting {
		s := face.Sighting{Time: at, Person: person}
		for _, m := range matches {
			s.Matches = append(s.Matches, face.Match{Similarity: m})
		}
		return s
	}
	list := []face.Sighting{seen(0, 1), seen(1, 0), seen(2, 0, 85), seen(2, 1), seen(3, 0), seen(4, 0, 95, 81), seen(5, 1, 80)}
	slices.SortStableFunc(list, byPerson)
	type place struct {
		Person int
		Time   time.Duration
	}
	var order []place
	for _, s := range list {
		order = append(order, place{s.Person, s.Time})
	}
	if d := cmp.Diff([]place{{0, 1}, {0, 2}, {0, 3}, {0, 4}, {1, 0}, {1, 2}, {1, 5}}, order); d != "" {
		t.Error("order (-want +got):\n" + d)
	}
}
