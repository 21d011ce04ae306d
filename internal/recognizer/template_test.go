package recognizer

import (
	"testing"

	"github.com/spotter-video/spotter/internal/face"
)

func TestCoarsenKeepsEvenColour(t *testing.T) {
	t.Parallel()
	var c face.Crop
	for i := range c {
		c[i] = byte(40 * (i%3 + 1))
	}
	want := c
	coarsen(&c, 20)
	if c != want {
		t.Error("an even colour changed")
	}
}

func TestCoarsenFollowsARamp(t *testing.T) {
	t.Parallel()
	var c face.Crop
	for y := range face.CropSide {
		for x := range face.CropSide {
			for k := range 3 {
				c[3*(y*face.CropSide+x)+k] = byte(x + y)
			}
		}
	}
	coarsen(&c, 28)
	const coarse = face.CropSide / 28
	// between the outermost middles a linear ramp stays what it was, to rounding
	for y := coarse; y < face.CropSide-coarse; y++ {
		for x := coarse; x < face.CropSide-coarse; x++ {
			if d := int(c[3*(y*face.CropSide+x)]) - (x + y); d < -1 || d > 1 {
				t.Fatalf("pixel %d, %d is off by %d", x, y, d)
			}
		}
	}
}

func TestCoarsenRemovesDetail(t *testing.T) {
	t.Parallel()
	var c face.Crop
	for i := range c {
		c[i] = byte(255 * (i / 3 % 2)) // columns black and white in turn
	}
	coarsen(&c, 28)
	for i, v := range c {
		if v < 126 || v > 129 {
			t.Fatalf("byte %d is %d", i, v)
		}
	}
}

func TestCoarsenToItsOwnSideChangesNothing(t *testing.T) {
	t.Parallel()
	var c face.Crop
	for i := range c {
		c[i] = byte(i * 7)
	}
	want := c
	coarsen(&c, face.CropSide)
	if c != want {
		t.Error("changed")
	}
}
