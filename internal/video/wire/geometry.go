package wire

import (
	"fmt"
	"math"
)

// SmallSide is the longest side in pixels of the small picture: the detector's input (docs: face.Frame).
const SmallSide = 640

// maxSide bounds each side of a picture, so that no product of sizes overflows; libav's own bound is of this order.
const maxSide = 1 << 15

// Orientation is how a decoded picture is made upright: first Transpose (swap rows and columns), then FlipX (mirror
// left and right), then FlipY (mirror top and bottom). The eight combinations are all that quarter turns and mirrors
// can give.
type Orientation uint8

// The bits of an Orientation.
const (
	FlipX Orientation = 1 << iota
	FlipY
	Transpose
)

// Degrees is the clockwise turn in an orientation: 0, 90, 180 or 270; mirrors that remain are not told.
func (o Orientation) Degrees() int {
	switch o {
	case FlipX | FlipY:
		return 180
	case Transpose | FlipX, Transpose | FlipX | FlipY:
		return 90
	case Transpose | FlipY, Transpose:
		return 270
	default:
		return 0
	}
}

// MostPixels is the most that a limit of pixels may be set to.
const MostPixels = 1 << 30

// Geometry is the size of a picture. Those of one video may differ.
type Geometry struct {
	// Width and Height in pixels of the full picture, upright, with square pixels.
	Width, Height int32
	// Orientation leads there from the decoded picture.
	Orientation Orientation
}

// Check says what is wrong with a geometry under a limit of pixels; nil if nothing is.
func (g Geometry) Check(maxPixels int64) error {
	if g.Width <= 0 || g.Height <= 0 || g.Width > maxSide || g.Height > maxSide ||
		int64(g.Width)*int64(g.Height) > maxPixels || g.Orientation > FlipX|FlipY|Transpose {
		return fmt.Errorf("picture of %d x %d pixels (orientation %d)", g.Width, g.Height, g.Orientation)
	}
	return nil
}

// Small is the size of the small picture: the long side at most SmallSide, aspect kept.
func (g Geometry) Small() (width, height int32) {
	long := max(g.Width, g.Height)
	if long <= SmallSide {
		return g.Width, g.Height
	}
	shrink := func(side int32) int32 {
		return max(1, int32(math.Round(float64(side)*SmallSide/float64(long))))
	}
	return shrink(g.Width), shrink(g.Height)
}

// HasSmall says whether the small picture is another one than the full.
func (g Geometry) HasSmall() bool { return max(g.Width, g.Height) > SmallSide }

// Plane is where one plane of samples lies in a slot.
type Plane struct{ Offset, Stride, Width, Height int }

// Layout is where the planes Y, U, V of both pictures lie in a slot, and the slot's size in bytes.
type Layout struct {
	Full, Small [3]Plane
	Size        int
}

// Rows start at multiples of align, which every vector unit likes, and each plane has a spare align bytes after it,
// because the scaler may write whole vectors at the end of a row. A slot is a whole number of pages.
const (
	align = 64
	page  = 4096
)

// Layout of a slot. Offsets count from the slot's start. Small equals Full where there is no other small picture.
func (g Geometry) Layout() Layout {
	var l Layout
	l.Full, l.Size = planes(int(g.Width), int(g.Height), 0)
	l.Small = l.Full
	if g.HasSmall() {
		w, h := g.Small()
		l.Small, l.Size = planes(int(w), int(h), l.Size)
	}
	l.Size = roundUp(l.Size, page)
	return l
}

// SlotSize is the bytes of a slot that holds any picture of up to maxPixels: the two pictures' samples, and what rows
// and planes are padded with, most for the narrowest picture (63 bytes in each of 2 x 32768 rows of samples). The memory
// costs nothing where no picture has reached it.
func SlotSize(maxPixels int64) int {
	const padding = 6 << 20
	return roundUp(int(maxPixels*3/2)+SmallSide*SmallSide*3/2+padding, page)
}

func planes(width, height, at int) (p [3]Plane, end int) {
	for i := range p {
		w, h := width, height
		if i > 0 {
			w, h = (w+1)/2, (h+1)/2
		}
		p[i] = Plane{Offset: at, Stride: roundUp(w, align), Width: w, Height: h}
		at += p[i].Stride*h + align
	}
	return p, at
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// Square pixels: a shape below squareEnough off is taken for square (rounding of odd sizes makes such shapes), one
// beyond stretchLimit for damage: real ones lie between 1:2 (half-width broadcast) and 2.2:1 (wide PAL).
const (
	squareEnough = 0.01
	stretchLimit = 4
)

// Square is the size that a picture of width x height pixels of shape num:den has with square pixels. The shorter side
// of the pixels is stretched, so that no detail is lost.
func Square(width, height, num, den int) (w, h float64) {
	w, h = float64(width), float64(height)
	if num <= 0 || den <= 0 {
		return w, h
	}
	shape := float64(num) / float64(den)
	switch {
	case math.Abs(shape-1) < squareEnough:
	case shape > 1 && shape <= stretchLimit:
		w = math.Round(w * shape)
	case shape < 1 && shape >= 1./stretchLimit:
		h = math.Round(h / shape)
	}
	return w, h
}
