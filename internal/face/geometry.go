package face

import "math"

// Point is a place in a picture. Whether it is in ratios or in pixels is said where it is used.
type Point struct{ X, Y float32 }

// Box is a rectangle in ratios of the picture's upright width and height, origin top-left. It may reach beyond 0..1.
type Box struct{ Left, Top, Width, Height float32 }

// PixelBox is a rectangle in pixels, origin top-left, half open: it holds the points with X0 <= x < X1, Y0 <= y < Y1.
type PixelBox struct{ X0, Y0, X1, Y1 float32 }

// Landmarks are the five points of a face in ratios of the picture, in this order: left eye, right eye, nose tip, left
// mouth corner, right mouth corner; left is the viewer's left.
type Landmarks [5]Point

// The order of the points in [Landmarks].
const (
	EyeLeft = iota
	EyeRight
	Nose
	MouthLeft
	MouthRight
)

// Right is the x of the box's right edge, as a ratio.
func (b Box) Right() float32 { return b.Left + b.Width }

// Bottom is the y of the box's lower edge, as a ratio.
func (b Box) Bottom() float32 { return b.Top + b.Height }

// Center is the middle of the box, in ratios.
func (b Box) Center() Point { return Point{b.Left + b.Width/2, b.Top + b.Height/2} }

// Area is the box's share of the picture; a box without extent has none.
func (b Box) Area() float32 {
	if b.Width <= 0 || b.Height <= 0 {
		return 0
	}
	return b.Width * b.Height
}

// Pixels is the box in a picture of the given size.
func (b Box) Pixels(width, height int) PixelBox {
	w, h := float32(width), float32(height)
	return PixelBox{b.Left * w, b.Top * h, b.Right() * w, b.Bottom() * h}
}

// Ratios is the pixel box as ratios of a picture of the given size.
func (p PixelBox) Ratios(width, height int) Box {
	w, h := float32(width), float32(height)
	return Box{p.X0 / w, p.Y0 / h, (p.X1 - p.X0) / w, (p.Y1 - p.Y0) / h}
}

// Width is the box's width in pixels.
func (p PixelBox) Width() float32 { return p.X1 - p.X0 }

// Height is the box's height in pixels.
func (p PixelBox) Height() float32 { return p.Y1 - p.Y0 }

// Square is the square with the box's height and centre: what the landmark model and the alignment are fed
// (reference figures in docs/decisions/0003-default-pack.md).
func (p PixelBox) Square() PixelBox {
	cx, cy, half := (p.X0+p.X1)/2, (p.Y0+p.Y1)/2, p.Height()/2
	return PixelBox{cx - half, cy - half, cx + half, cy + half}
}

// IoU is the intersection over union of two boxes of one picture, 0..1; 0 where either has no extent.
func IoU(a, b Box) float32 {
	w := min(a.Right(), b.Right()) - max(a.Left, b.Left)
	h := min(a.Bottom(), b.Bottom()) - max(a.Top, b.Top)
	if w <= 0 || h <= 0 || a.Area() == 0 || b.Area() == 0 {
		return 0
	}
	inter := w * h
	return inter / (a.Area() + b.Area() - inter)
}

// Finite says whether every coordinate is a number that can be computed with.
func (b Box) Finite() bool {
	return finite(b.Left) && finite(b.Top) && finite(b.Width) && finite(b.Height)
}

func finite(x float32) bool {
	return !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0)
}
