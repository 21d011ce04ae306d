package photo

import (
	"bytes"

	"github.com/bep/imagemeta"
)

// orientation is the EXIF orientation of an image, 1..8: how its stored rows and columns lie in the upright picture.
// Absent, damaged and invalid values are 1, as viewers take them.
func orientation(data []byte, format imagemeta.ImageFormat) int {
	found := 1
	_, err := imagemeta.Decode(imagemeta.Options{
		R:           bytes.NewReader(data),
		ImageFormat: format,
		Sources:     imagemeta.EXIF,
		ShouldHandleTag: func(tag imagemeta.TagInfo) bool {
			return tag.Namespace == "IFD0" && tag.Tag == "Orientation"
		},
		HandleTag: func(tag imagemeta.TagInfo) error {
			if v, ok := tag.Value.(uint16); ok && v >= 1 && v <= 8 {
				found = int(v)
			}
			return imagemeta.ErrStopWalking
		},
		// An orientation has two bytes and a pointer to a directory four. Without longer values a file cannot list
		// thousands of directories to walk.
		LimitTagSize: 4,
	})
	if err != nil {
		return 1
	}
	return found
}

// placement says where stored pixels go in the upright picture.
type placement struct {
	width, height int // of the upright picture
	// origin is the byte offset of stored pixel (0,0) in the upright RGB plane; dx and dy are the steps for its right
	// and lower neighbour.
	origin, dx, dy int
}

// place computes the placement of a stored picture of w x h pixels (TIFF 6.0, tag 274).
func place(w, h, orientation int) placement {
	p := placement{width: w, height: h}
	if orientation >= 5 {
		p.width, p.height = h, w
	}
	offset := func(x, y int) int {
		switch orientation {
		case 2:
			x = w - 1 - x
		case 3:
			x, y = w-1-x, h-1-y
		case 4:
			y = h - 1 - y
		case 5:
			x, y = y, x
		case 6:
			x, y = h-1-y, x
		case 7:
			x, y = h-1-y, w-1-x
		case 8:
			x, y = y, w-1-x
		}
		return 3 * (y*p.width + x)
	}
	p.origin = offset(0, 0)
	p.dx, p.dy = offset(1, 0)-p.origin, offset(0, 1)-p.origin
	return p
}
