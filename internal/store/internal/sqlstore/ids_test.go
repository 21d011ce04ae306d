package sqlstore

import (
	"slices"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
)

func TestPlaceholders(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"":                        placeholders(1, 0),
		"$3":                      placeholders(3, 1),
		"$9,$10,$11":              placeholders(9, 3),
		"($1,$2),($3,$4)":         tuples(2, 2),
		"($1,$2,$3)":              tuples(1, 3),
		"($1),($2),($3),($4)":     tuples(4, 1),
		"($1,$2),($3,$4),($5,$6)": tuples(3, 2),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestSortedLeavesTheCallersListAlone(t *testing.T) {
	t.Parallel()
	a, b, c := face.ID{0: 1}, face.ID{0: 1, 15: 1}, face.ID{0: 2}
	list := []face.ID{c, a, b, a}
	if got := sorted(list); !slices.Equal(got, []face.ID{a, b, c}) {
		t.Fatalf("%v", got)
	}
	if !slices.Equal(list, []face.ID{c, a, b, a}) {
		t.Fatalf("the caller's list is now %v", list)
	}
}
