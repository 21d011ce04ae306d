package photo

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"runtime/debug"

	"golang.org/x/image/webp"
	"golang.org/x/sync/semaphore"

	"github.com/spotter-video/spotter/internal/face"
)

// DefaultMemory is room for the largest photo of nearly every kind: 70 million pixels take 0.3 GB as an ordinary JPEG, 1.3
// as a PNG of 16 bits a sample that is interlaced, or as a progressive JPEG with all its colours (docs/decisions/0013).
const DefaultMemory = 1536 << 20

// Memory is what all photos together may take that are read at the same time. A photo waits for its share before anything
// of it is decoded. It is safe for concurrent use.
type Memory struct {
	total int64
	free  *semaphore.Weighted
}

// NewMemory is a memory of so many bytes.
func NewMemory(total int64) *Memory { return &Memory{total: total, free: semaphore.NewWeighted(total)} }

// large is from where on what a photo leaves behind is collected, and given back to the system, at once: by itself the Go
// runtime may wait for as much again. A photo of a phone takes 54 MB.
const large = 64 << 20

// Decode is [Decode] of a file that has been read, once there is memory for it. Until done is called that keeps room for the
// picture, and for so many copies of it. The context ends the wait only. A photo that needs more than there is at all is
// refused.
func (m *Memory) Decode(ctx context.Context, data []byte, l Limits, copies int) (_ *face.Picture, done func(), err error) {
	if err = l.checkBytes(int64(len(data))); err != nil {
		return nil, nil, err
	}
	need := needOf(data, l)
	kept := min(3*need.pixels*int64(1+copies), m.total)
	taken := max(need.all(), kept)
	if taken > m.total {
		return nil, nil, &Error{Kind: TooLarge, Message: fmt.Sprintf(
			"the picture would take %d MB of memory to read, as it is stored, more than the %d MB that there are: save it again as an "+
				"ordinary JPEG, or scale it down", taken>>20, m.total>>20)}
	}
	if err = m.free.Acquire(ctx, taken); err != nil {
		return nil, nil, err
	}
	surplus := taken // what is given back at once
	defer func() { m.give(taken, surplus) }()
	picture, err := decodeWhole(data, l)
	if err != nil {
		return nil, nil, err
	}
	surplus -= kept
	return picture, func() { m.give(taken, kept) }, nil
}

// give gives a part back of what a photo had taken.
func (m *Memory) give(taken, part int64) {
	if taken >= large {
		debug.FreeOSMemory()
	}
	m.free.Release(part)
}

// need is what reading a photo takes, in bytes.
type need struct {
	pixels  int64
	decoded int64 // by the decoder, for what it gives and what it works with
	other   int64 // for copies of the file, and in the decoder child
}

// all is the most that is in use at a time. The picture itself has three bytes a pixel.
func (n need) all() int64 { return n.decoded + n.other + 3*n.pixels }

// needOf goes by a file's header, read as the decoder reads it. It is nothing for a file that [Decode] refuses by its header.
func needOf(data []byte, l Limits) (n need) {
	switch {
	case bytes.HasPrefix(data, []byte(jpegMagic)):
		n = needOfJPEG(data, l.JPEG != nil)
	case bytes.HasPrefix(data, []byte(pngMagic)):
		n = needOfPNG(data)
	case l.WebP && isWebP(data):
		n = needOfWebP(data)
	case l.HEVC != nil && isHEIF(data):
		n = needOfHEIC(data)
	}
	if n.pixels > int64(l.Pixels) {
		return need{}
	}
	return n
}

// tables is more than what decoders work with whatever the picture's size.
const tables = 256 << 10

// childMemory is more than what the decoder child takes beside its pictures: 35 MB.
const childMemory = 64 << 20

// needOfJPEG counts samples in whole blocks (ITU-T T.81, A.2): one byte each, and four more for a progressive picture, whose
// coefficients are kept until its last scan. CMYK and RGB are turned into four bytes a pixel more. One that turns out to be
// malformed may be the child's, which takes five, and a copy of what it gives.
func needOfJPEG(data []byte, child bool) (n need) {
	f, ok := frameOfJPEG(data)
	if !ok {
		return n
	}
	n.pixels = int64(f.width) * int64(f.height)
	samples := f.samples()
	n.decoded = samples
	if f.progressive {
		n.decoded += 4 * samples
	}
	if len(f.sampling) == 4 || f.rgb {
		n.decoded += 4 * n.pixels
	}
	n.other = int64(len(data)) + tables
	if child {
		const childPixel = 7
		n.decoded = max(n.decoded, childPixel*n.pixels)
		n.other += 2 * int64(len(data)) // wrapped as a video
	}
	if child && f.odd {
		n.other += childMemory
	}
	return n
}

// needOfPNG goes by the bytes a pixel of the image types of package image/png. An interlaced picture has all its pixels
// twice: whole, and in seven smaller ones.
func needOfPNG(data []byte) (n need) {
	header := pixelChunks(data)[len(pngMagic):]
	if len(header) < 8+13 || string(header[4:8]) != "IHDR" {
		return n
	}
	width, height := binary.BigEndian.Uint32(header[8:]), binary.BigEndian.Uint32(header[12:])
	depth, colour, interlaced := header[16], header[17], header[20]
	const grey, palette, transparency = 0, 3, "tRNS"
	pixel := int64(4)
	switch {
	case colour == palette, colour == grey && !bytes.Contains(data, []byte(transparency)):
		pixel = 1
	}
	if depth == 16 {
		pixel *= 2
	}
	if uint64(width)*uint64(height) > 1<<40 {
		return n // no limit admits it
	}
	n.pixels = int64(width) * int64(height)
	n.decoded = pixel * n.pixels
	if interlaced != 0 {
		n.decoded *= 2
	}
	n.other = int64(len(data)) + tables
	return n
}

// needOfWebP: a lossy picture has a byte and a half a pixel; a lossless one four, and four more while its palette is put in;
// transparency of a lossy one is a lossless picture by itself.
func needOfWebP(data []byte) (n need) {
	config, err := webp.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return n
	}
	const block = 16
	n.pixels = int64(config.Width) * int64(config.Height)
	padded := (int64(config.Width) + block) * (int64(config.Height) + block)
	switch string(data[12:16]) {
	case "VP8 ":
		n.decoded = 2 * padded
	case "VP8L":
		n.decoded = 8 * n.pixels
	default:
		n.decoded = 8*n.pixels + 3*padded
	}
	n.other = 2*int64(len(data)) + tables
	return n
}

// needOfHEIC: a canvas of four bytes a pixel; the stream, as it is put together and written; and what the child takes for a
// frame: 4.2 bytes a pixel, 5.7 with 10 bits a sample, more with all colours.
func needOfHEIC(data []byte) (n need) {
	h, err := readHEIF(data)
	if err != nil {
		return n
	}
	m, err := h.mosaic()
	if err != nil || m.width < 1 || m.height < 1 || m.width > 1<<20 || m.height > 1<<20 || m.tile.X > 1<<20 || m.tile.Y > 1<<20 {
		return n
	}
	n.pixels = int64(m.width) * int64(m.height)
	n.decoded = 4 * n.pixels
	const childPixel = 9
	n.other = childMemory + childPixel*int64(m.tile.X)*int64(m.tile.Y) + 4*min(h.bytes(m.items), mostStream)
	return n
}
