package face_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
)

func boxes() *rapid.Generator[face.Box] {
	return rapid.Custom(func(t *rapid.T) face.Box {
		return face.Box{
			Left: rapid.Float32Range(-0.5, 1.2).Draw(t, "left"), Top: rapid.Float32Range(-0.5, 1.2).Draw(t, "top"),
			Width: rapid.Float32Range(0.01, 1).Draw(t, "width"), Height: rapid.Float32Range(0.01, 1).Draw(t, "height"),
		}
	})
}

func TestIoUIsSymmetricAndBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := boxes().Draw(t, "a"), boxes().Draw(t, "b")
		if got, back := face.IoU(a, b), face.IoU(b, a); got != back || got < 0 || got > 1.0001 {
			t.Fatalf("IoU %v and %v", got, back)
		}
		if self := face.IoU(a, a); math.Abs(float64(self)-1) > 1e-3 {
			t.Fatalf("IoU with itself is %v", self)
		}
		far := b
		far.Left = a.Right() + 0.01
		if got := face.IoU(a, far); got != 0 {
			t.Fatalf("IoU of boxes apart is %v", got)
		}
	})
}

func TestIoUOfEmptyBoxes(t *testing.T) {
	t.Parallel()
	full := face.Box{Width: 1, Height: 1}
	for _, b := range []face.Box{{}, {Width: -1, Height: -1}, {Left: 0.5, Top: 0.5, Width: 0, Height: 1}} {
		if got := face.IoU(full, b); got != 0 {
			t.Errorf("IoU with %v is %v", b, got)
		}
	}
}

func TestPixelsAndRatiosAreInverse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := boxes().Draw(t, "box")
		w, h := rapid.IntRange(16, 8192).Draw(t, "w"), rapid.IntRange(16, 8192).Draw(t, "h")
		back := b.Pixels(w, h).Ratios(w, h)
		for _, d := range []float32{back.Left - b.Left, back.Top - b.Top, back.Width - b.Width, back.Height - b.Height} {
			if math.Abs(float64(d)) > 1e-4 {
				t.Fatalf("%v became %v", b, back)
			}
		}
	})
}

func TestSquareKeepsCentreAndHeight(t *testing.T) {
	t.Parallel()
	got := face.PixelBox{X0: 10, Y0: 20, X1: 30, Y1: 60}.Square()
	if want := (face.PixelBox{X0: 0, Y0: 20, X1: 40, Y1: 60}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPictureCheck(t *testing.T) {
	t.Parallel()
	i420 := face.Picture{
		Width: 5, Height: 3, Strides: [3]int{5, 3, 3},
		Planes: [3][]byte{make([]byte, 15), make([]byte, 6), make([]byte, 6)},
	}
	rgb := face.Picture{Width: 2, Height: 2, Layout: face.RGB, Strides: [3]int{8}, Planes: [3][]byte{make([]byte, 14)}}
	short := i420
	short.Planes[2] = short.Planes[2][:5]
	narrow := i420
	narrow.Strides[1] = 2
	for name, tt := range map[string]struct {
		p  face.Picture
		ok bool
	}{
		"odd I420 rounds chroma up":      {i420, true},
		"RGB with a padded stride":       {rgb, true},
		"short plane":                    {short, false},
		"stride narrower than the row":   {narrow, false},
		"no pixels":                      {face.Picture{}, false},
		"unknown layout":                 {face.Picture{Width: 1, Height: 1, Layout: 9}, false},
		"negative size":                  {face.Picture{Width: -5, Height: 3}, false},
		"RGB one byte short of its last": {face.Picture{Width: 2, Height: 2, Layout: face.RGB, Strides: [3]int{8}, Planes: [3][]byte{make([]byte, 13)}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := tt.p.Check(); (err == nil) != tt.ok {
				t.Errorf("Check: %v", err)
			}
		})
	}
}
