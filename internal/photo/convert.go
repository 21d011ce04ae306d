package photo

import (
	"fmt"
	"image"
	"image/color"

	"github.com/spotter-video/spotter/internal/face"
)

// upright turns a decoded image into an RGB picture with its orientation applied.
func upright(img image.Image, orientation int) (*face.Picture, error) {
	row, err := rowsOf(img)
	if err != nil {
		return nil, err
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	p := place(w, h, orientation)
	plane := make([]byte, 3*w*h)
	if p.dx == 3 {
		for y := range h {
			start := p.origin + y*p.dy
			row(y, plane[start:start+3*w])
		}
	} else {
		line := make([]byte, 3*w)
		for y := range h {
			row(y, line)
			scatter(plane, line, p.origin+y*p.dy, p.dx)
		}
	}
	return &face.Picture{
		Width: p.width, Height: p.height, Layout: face.RGB,
		Planes: [3][]byte{plane}, Strides: [3]int{3 * p.width},
	}, nil
}

// scatter writes the pixels of a stored row to the plane, step bytes apart.
func scatter(plane, line []byte, at, step int) {
	for i := 0; i+3 <= len(line); i += 3 {
		copy(plane[at:at+3], line[i:i+3])
		at += step
	}
}

// rowFunc writes row y of an image as RGB into dst, which has three bytes a pixel.
type rowFunc func(y int, dst []byte)

// rowsOf knows every image type that the decoders return; all of them start at (0,0).
func rowsOf(img image.Image) (rowFunc, error) {
	switch m := img.(type) {
	case *image.YCbCr:
		return ycbcrRows(m), nil
	case *image.NYCbCrA: // WebP
		return ycbcraRows(m), nil
	case *image.CMYK:
		return cmykRows(m), nil
	case *image.Gray:
		return func(y int, dst []byte) {
			for x, v := range m.Pix[y*m.Stride:][:len(dst)/3] {
				put(dst[3*x:], v, v, v)
			}
		}, nil
	case *image.Gray16:
		return func(y int, dst []byte) {
			src := m.Pix[y*m.Stride:]
			for x := range len(dst) / 3 {
				v := narrow(wide(src[2*x:]))
				put(dst[3*x:], v, v, v)
			}
		}, nil
	case *image.RGBA: // opaque, from either decoder
		return func(y int, dst []byte) {
			src := m.Pix[y*m.Stride:]
			for x := range len(dst) / 3 {
				copy(dst[3*x:3*x+3], src[4*x:])
			}
		}, nil
	case *image.RGBA64: // opaque
		return func(y int, dst []byte) {
			src := m.Pix[y*m.Stride:]
			for x := range len(dst) / 3 {
				s := src[8*x : 8*x+6]
				put(dst[3*x:], narrow(wide(s)), narrow(wide(s[2:])), narrow(wide(s[4:])))
			}
		}, nil
	case *image.NRGBA:
		return func(y int, dst []byte) {
			src := m.Pix[y*m.Stride:]
			for x := range len(dst) / 3 {
				s := src[4*x : 4*x+4]
				put(dst[3*x:], overWhite(s[0], s[3]), overWhite(s[1], s[3]), overWhite(s[2], s[3]))
			}
		}, nil
	case *image.NRGBA64:
		return func(y int, dst []byte) {
			src := m.Pix[y*m.Stride:]
			for x := range len(dst) / 3 {
				s := src[8*x : 8*x+8]
				a := narrow(wide(s[6:]))
				put(dst[3*x:],
					overWhite(narrow(wide(s)), a), overWhite(narrow(wide(s[2:])), a), overWhite(narrow(wide(s[4:])), a))
			}
		}, nil
	case *image.Paletted:
		return palettedRows(m), nil
	default:
		return nil, &Error{Kind: Format, Message: fmt.Sprintf("this image stores its pixels in an unknown way (%T)", img)}
	}
}

func ycbcrRows(m *image.YCbCr) rowFunc {
	var shift uint // of x, from luma to chroma
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420:
		shift = 1
	case image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410:
		shift = 2
	default: // 444 and 440 have a chroma sample for every column
	}
	return func(y int, dst []byte) {
		luma := m.Y[m.YOffset(0, y):][:len(dst)/3]
		cb, cr := m.Cb[m.COffset(0, y):], m.Cr[m.COffset(0, y):]
		for x, l := range luma {
			c := x >> shift
			r, g, b := color.YCbCrToRGB(l, cb[c], cr[c])
			put(dst[3*x:], r, g, b)
		}
	}
}

func ycbcraRows(m *image.NYCbCrA) rowFunc {
	row := ycbcrRows(&m.YCbCr)
	return func(y int, dst []byte) {
		row(y, dst)
		for x, a := range m.A[m.AOffset(0, y):][:len(dst)/3] {
			p := dst[3*x : 3*x+3]
			put(p, overWhite(p[0], a), overWhite(p[1], a), overWhite(p[2], a))
		}
	}
}

func cmykRows(m *image.CMYK) rowFunc {
	return func(y int, dst []byte) {
		src := m.Pix[y*m.Stride:]
		for x := range len(dst) / 3 {
			s := src[4*x : 4*x+4]
			r, g, b := color.CMYKToRGB(s[0], s[1], s[2], s[3])
			put(dst[3*x:], r, g, b)
		}
	}
}

func palettedRows(m *image.Paletted) rowFunc {
	var table [256][3]byte // an index beyond the palette is black; the decoder refuses it before
	for i, entry := range m.Palette[:min(len(m.Palette), 256)] {
		c, ok := color.NRGBAModel.Convert(entry).(color.NRGBA)
		if ok {
			table[i] = [3]byte{overWhite(c.R, c.A), overWhite(c.G, c.A), overWhite(c.B, c.A)}
		}
	}
	return func(y int, dst []byte) {
		for x, index := range m.Pix[y*m.Stride:][:len(dst)/3] {
			copy(dst[3*x:3*x+3], table[index][:])
		}
	}
}

func put(dst []byte, r, g, b byte) {
	_ = dst[2]
	dst[0], dst[1], dst[2] = r, g, b
}

func wide(b []byte) uint32 { return uint32(b[0])<<8 | uint32(b[1]) }

// narrow rounds a 16-bit sample to 8 bits: 65535 is 257 x 255.
func narrow(v uint32) byte {
	return byte((v + 128) / 257) //nolint:gosec // at most 255 for a v of 16 bits
}

// overWhite lays a sample with straight alpha over white, rounded to nearest.
func overWhite(v, alpha byte) byte {
	a := uint32(alpha)
	return byte((uint32(v)*a + 255*(255-a) + 127) / 255) //nolint:gosec // a mean of two bytes is a byte
}
