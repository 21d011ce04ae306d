package shelf_test

import (
	"context"
	"slices"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
	"github.com/spotter-video/spotter/internal/shelf"
)

// bytesOf is what a collection of so many faces takes.
func bytesOf(t *testing.T, faces int) int64 {
	t.Helper()
	g, err := gallery.NewWithOriginals(dim, nobody{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close() //nolint:errcheck // it is nil
	for n := range faces {
		if err := g.Add([]face.ID{id(n)}, vector(n)); err != nil {
			t.Fatal(err)
		}
	}
	return g.Bytes()
}

type nobody struct{}

func (nobody) Originals(context.Context, []face.ID, func(face.ID, []float32) error) error { return nil }

// TestRoom has room for two collections, and uses three.
func TestRoom(t *testing.T) {
	t.Parallel()
	tab := newTable(1, 2, 3, 4)
	for c := range int64(4) {
		tab.add(c+1, 0, 20)
	}
	d := newDesk(t, tab, func(c *shelf.Config) { c.Most = bytesOf(t, 20) * 5 / 2 })
	held := func(when string, want ...int64) {
		t.Helper()
		if got := d.Held(); !slices.Equal(got, want) {
			t.Errorf("%s, held are %v, want %v", when, got, want)
		}
	}
	d.view(1).Release()
	d.view(2).Release()
	held("two fit", 1, 2)
	if !newDesk(t, tab).Fits(1<<40) || d.Fits(1_000_000) || !d.Fits(10) {
		t.Error("what fits is told wrongly")
	}
	d.view(1).Release()
	d.view(3).Release()
	held("the third takes the place of the second, which was used before the first", 1, 3)
	one, three := d.view(1), d.view(3)
	two := d.view(2)
	held("none goes of which there is a view", 1, 2, 3)
	wantFaces(t, two, count(20)...)
	two.Release()
	held("the one that was used last stays", 1, 2, 3)
	one.Release()
	held("the one goes of which there is a view no longer", 2, 3)
	three.Release()
	held("there is room", 2, 3)
	for range 3 { // following is no use
		tab.add(2, 30, 31)
		if err := d.Follow(t.Context(), tab.collection(2)); err != nil {
			t.Fatal(err)
		}
		tab.remove(2, 30)
	}
	d.view(3).Release()
	d.view(4).Release()
	held("the second was used before the third", 3, 4)
	if err := d.Follow(t.Context(), tab.collection(1)); err != nil || len(d.Held()) != 2 {
		t.Errorf("following loads: %v, held are %v", err, d.Held())
	}
	again := d.view(1)
	defer again.Release()
	wantFaces(t, again, count(20)...)
}

// TestOneThatIsTooLarge has no room for anything: each collection is there as long as no other one is needed.
func TestOneThatIsTooLarge(t *testing.T) {
	t.Parallel()
	tab := newTable(1, 2)
	tab.add(1, 0, 20)
	tab.add(2, 0, 20)
	d := newDesk(t, tab, func(c *shelf.Config) { c.Most = 1 })
	for range 3 {
		d.view(1).Release()
	}
	if n := tab.called("EachOwned"); n != 1 {
		t.Errorf("loaded %d times, want once", n)
	}
	d.view(2).Release()
	d.view(1).Release()
	if n := tab.called("EachOwned"); n != 3 || len(d.Held()) != 1 {
		t.Errorf("loaded %d times, want 3; held are %v", n, d.Held())
	}
}

func count(n int) (list []int) {
	for i := range n {
		list = append(list, i)
	}
	return list
}
