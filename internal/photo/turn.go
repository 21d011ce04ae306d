package photo

import "github.com/spotter-video/spotter/internal/face"

// Turned is an RGB picture turned clockwise by so many quarters, a new one. It is for photos that lie on their side and do
// not say so.
func Turned(p *face.Picture, quarters int) *face.Picture {
	orientation := [4]int{1, 6, 3, 8}[quarters&3] // EXIF's numbers of the same turns
	to := place(p.Width, p.Height, orientation)
	plane := make([]byte, 3*p.Width*p.Height)
	for y := range p.Height {
		scatter(plane, p.Planes[0][y*p.Strides[0]:][:3*p.Width], to.origin+y*to.dy, to.dx)
	}
	return &face.Picture{
		Width: to.width, Height: to.height, Layout: face.RGB, Planes: [3][]byte{plane}, Strides: [3]int{3 * to.width},
	}
}
