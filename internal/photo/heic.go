package photo

import (
	"encoding/binary"
	"errors"
	"image"

	"github.com/spotter-video/spotter/internal/face"
)

// HEVC decodes a stream of so many frames, each a picture by itself, and hands each over in turn; the picture is valid until
// each returns.
type HEVC func(stream []byte, frames int, each func(n int, p *face.Picture) error) error

func isHEIF(data []byte) bool {
	if len(data) < 12 || string(data[4:8]) != "ftyp" {
		return false
	}
	switch string(data[8:12]) {
	case "heic", "heix", "heim", "heis", "mif1":
		return true
	default:
		return false
	}
}

// mosaic is a picture of equal tiles, row by row; one picture alone is one tile.
type mosaic struct {
	width, height int // of the whole, which may end within the last tiles
	tile          image.Point
	columns       int
	items         []uint32
	orientation   int // EXIF's number of the turn that is to be made
}

// decodeHEIC reads the main picture of a HEIC file. What is in its frames meets the decoder behind hevc only.
func decodeHEIC(data []byte, l Limits) (image.Image, int, error) {
	h, err := readHEIF(data)
	if err != nil {
		return nil, 0, refusedHEIC(err)
	}
	m, err := h.mosaic()
	if err != nil {
		return nil, 0, refusedHEIC(err)
	}
	if err = l.checkSize(m.width, m.height); err != nil {
		return nil, 0, err
	}
	stream, err := h.stream(m.items)
	if err != nil {
		return nil, 0, refusedHEIC(err)
	}
	canvas := image.NewRGBA(image.Rect(0, 0, m.width, m.height))
	err = l.HEVC(stream, len(m.items), func(n int, p *face.Picture) error {
		if p.Width != m.tile.X || p.Height != m.tile.Y || p.Layout != face.I420 {
			return errHEIF
		}
		drawI420(canvas, image.Pt(n%m.columns*m.tile.X, n/m.columns*m.tile.Y), p)
		return nil
	})
	if errors.Is(err, ErrPassing) {
		return nil, 0, err
	}
	if err != nil {
		return nil, 0, refusedHEIC(err)
	}
	return canvas, m.orientation, nil
}

func refusedHEIC(err error) error {
	const advice = "convert it, for example with: heif-convert photo.heic photo.jpg"
	if errors.Is(err, errCut) {
		return &Error{Kind: Corrupt, Err: err, Message: "this HEIC image is cut off before its end: copy the file again"}
	}
	return &Error{
		Kind: Corrupt, Err: err,
		Message: "this HEIC image is damaged or of a kind that Spotter does not read (" + err.Error() + "): " + advice,
	}
}

// mosaic says what the main picture is made of.
func (h *heif) mosaic() (m mosaic, err error) {
	m = mosaic{columns: 1, items: []uint32{h.primary}, orientation: h.orientation()}
	switch h.kinds[h.primary] {
	case "hvc1":
		m.width, m.height = h.size(h.primary)
		m.tile = image.Pt(m.width, m.height)
	case "grid":
		grid, err := h.content(h.primary)
		if err != nil {
			return m, err
		}
		c := &cursor{data: grid}
		c.uint(1) // version
		wide := 2
		if c.uint(1)&1 != 0 {
			wide = 4
		}
		rows := int(c.uint(1)) + 1                               //nolint:gosec // of few bytes
		m.columns = int(c.uint(1)) + 1                           //nolint:gosec // of few bytes
		m.width, m.height = int(c.uint(wide)), int(c.uint(wide)) //nolint:gosec // of few bytes
		m.items = h.parts[h.primary]
		if c.short || len(m.items) != rows*m.columns {
			return m, errHEIF
		}
		m.tile.X, m.tile.Y = h.size(m.items[0])
		// Each tile must have a part in the picture, or a small picture could cost a large one's work.
		if m.tile.X < 1 || m.tile.Y < 1 || (m.width-1)/m.tile.X != m.columns-1 || (m.height-1)/m.tile.Y != rows-1 {
			return m, errHEIF
		}
	case "av01":
		return m, errors.New("it is coded as AV1")
	default:
		return m, errors.New("it is put together of several pictures")
	}
	for _, id := range m.items {
		if w, hgt := h.size(id); h.kinds[id] != "hvc1" || w != m.tile.X || hgt != m.tile.Y {
			return m, errHEIF
		}
	}
	return m, nil
}

// size is an item's width and height; 0 where it has none.
func (h *heif) size(id uint32) (width, height int) {
	c := h.has(id, "ispe")
	if c == nil {
		return 0, 0
	}
	c.fullBox()
	return int(c.uint(4)), int(c.uint(4)) //nolint:gosec // of few bytes
}

// orientation is the main picture's turn as EXIF's number. A mirror image is left as it is: a face is one on either side.
func (h *heif) orientation() int {
	c := h.has(h.primary, "irot")
	if c == nil {
		return 1
	}
	return [4]int{1, 8, 3, 6}[c.uint(1)&3] // quarters counter-clockwise
}

// stream puts items together to a stream of frames: before each, what its decoder must know.
func (h *heif) stream(items []uint32) ([]byte, error) {
	var out []byte
	for _, id := range items {
		config := h.has(id, "hvcC")
		if config == nil {
			return nil, errHEIF
		}
		// ISO/IEC 14496-15, 8.3.2.1: 21 bytes of profile and format, the size of lengths, lists of units.
		config.bytes(21)
		lengths := int(config.uint(1)&3) + 1
		for lists := config.uint(1); lists > 0; lists-- {
			config.uint(1) // their kind
			for units := config.uint(2); units > 0 && !config.short; units-- {
				out = appendUnit(out, config.bytes(int(config.uint(2)))) //nolint:gosec // of few bytes
			}
		}
		content, err := h.content(id)
		if err != nil {
			return nil, err
		}
		if config.short || len(content) == 0 {
			return nil, errHEIF
		}
		for c := (&cursor{data: content}); len(c.data) > 0; {
			unit := c.bytes(int(c.uint(lengths))) //nolint:gosec // of few bytes
			if c.short || len(unit) == 0 {
				return nil, errCut
			}
			out = appendUnit(out, unit)
		}
		if len(out) > mostStream {
			return nil, errHEIF
		}
	}
	return out, nil
}

// mostStream bounds the stream: items may share their bytes.
const mostStream = 64 << 20

// appendUnit adds a unit with the start code that marks it in a stream (ITU-T H.265, annex B).
func appendUnit(stream, unit []byte) []byte {
	return append(binary.BigEndian.AppendUint32(stream, 1), unit...)
}

// drawI420 draws a picture at a place of the canvas, as far as it lies within.
func drawI420(canvas *image.RGBA, at image.Point, p *face.Picture) {
	c := coefficients(p)
	w, h := min(p.Width, canvas.Rect.Dx()-at.X), min(p.Height, canvas.Rect.Dy()-at.Y)
	for y := range h {
		luma, cb, cr := p.Planes[0][y*p.Strides[0]:], p.Planes[1][y/2*p.Strides[1]:], p.Planes[2][y/2*p.Strides[2]:]
		row := canvas.Pix[canvas.PixOffset(at.X, at.Y+y):]
		for x := range w {
			l, u, v := c.scale*(int32(luma[x])-c.black), int32(cb[x/2])-128, int32(cr[x/2])-128
			put(row[4*x:], clamp(l+c.rv*v), clamp(l-c.gu*u-c.gv*v), clamp(l+c.bu*u))
			row[4*x+3] = 255
		}
	}
}

// yuv are the factors that turn samples into colours, in parts of 65,536.
type yuv struct{ black, scale, rv, gu, gv, bu int32 }

// coefficients are those of a picture's matrix and range (ITU-T H.273, 8.3).
func coefficients(p *face.Picture) yuv {
	kr, kb := .299, .114
	switch p.Matrix {
	case face.BT601:
	case face.BT709:
		kr, kb = .2126, .0722
	case face.BT2020:
		kr, kb = .2627, .0593
	}
	const one = 1 << 16
	luma, chroma, black := 1., 1., int32(0)
	if !p.FullRange {
		luma, chroma, black = 255./219, 255./224, 16
	}
	kg := 1 - kr - kb
	part := func(v float64) int32 { return int32(one*v + .5) }
	return yuv{
		black: black, scale: part(luma), rv: part(chroma * 2 * (1 - kr)), gu: part(chroma * 2 * (1 - kb) * kb / kg),
		gv: part(chroma * 2 * (1 - kr) * kr / kg), bu: part(chroma * 2 * (1 - kb)),
	}
}

// clamp rounds a sample in parts of 65,536 to a byte.
func clamp(v int32) byte { return byte(min(max((v+1<<15)>>16, 0), 255)) }
