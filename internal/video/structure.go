package video

import (
	"context"
	"encoding/binary"
	"io"
	"math/bits"

	"github.com/spotter-video/spotter/internal/video/wire"
)

// cutShort says whether a file says of itself that it is longer than it is, or stops making sense at its outermost
// level: a copy that ended early, or whose end was never written.
func cutShort(ctx context.Context, in *input) (cut bool, err error) {
	r := in.reader(ctx)
	file := io.NewSectionReader(r, in.base, in.size-in.base)
	switch in.container {
	case wire.MP4:
		cut = readBoxes(file, file.Size()).cut
	case wire.MPEGPS:
		cut = programEnd(file, file.Size()) > file.Size()
	case wire.AVI:
		cut = riffEnd(file) > file.Size()
	case wire.Matroska:
		cut = segmentEnd(file) > file.Size()
	default:
	}
	return cut, r.err
}

// programEnd is where the last packet of a program stream says that it ends; 0 where none is found. Packets begin with
// 00 00 01, a number from BC on, which pictures never use, and their length.
func programEnd(r io.ReaderAt, size int64) int64 {
	const longest = 6 + 1<<16
	from := max(0, size-longest)
	tail := make([]byte, min(size, longest))
	n, _ := r.ReadAt(tail, from)
	for i := n - 6; i >= 0; i-- {
		if b := tail[i:]; b[0] == 0 && b[1] == 0 && b[2] == 1 && b[3] >= 0xbc {
			return from + int64(i) + 6 + int64(binary.BigEndian.Uint16(b[4:]))
		}
	}
	return 0
}

// riffEnd is where a RIFF file says that it ends; 0 where it does not say. Programs that cannot go back to write the
// length leave it 0 or -1.
func riffEnd(r io.ReaderAt) int64 {
	var head [8]byte
	if n, _ := r.ReadAt(head[:], 0); n < len(head) {
		return 0
	}
	length := binary.LittleEndian.Uint32(head[4:])
	if length == 0 || length >= 1<<31 {
		return 0
	}
	return int64(len(head)) + int64(length)
}

// segmentEnd is where a Matroska file says that its segment ends; 0 where it does not say. The file is an EBML header
// and a segment, each an identifier, a length and that many bytes.
func segmentEnd(r io.ReaderAt) int64 {
	const segment = 0x18538067
	at := int64(0)
	for range 8 { // the header, and perhaps void elements
		id, n := ebmlNumber(r, at, true)
		length, m := ebmlNumber(r, at+n, false)
		if n == 0 || m == 0 || length < 0 || length > 1<<50 {
			return 0
		}
		at += n + m
		if id == segment {
			return at + length
		}
		at += length
	}
	return 0
}

// ebmlNumber reads a number of one to eight bytes, whose length is said by the first one's leading zeros. An identifier
// keeps the bit that ends them. All ones, an unknown length, is -1.
func ebmlNumber(r io.ReaderAt, at int64, id bool) (value, size int64) {
	var b [8]byte
	n, _ := r.ReadAt(b[:], at)
	if n == 0 || b[0] == 0 {
		return 0, 0
	}
	size = int64(bits.LeadingZeros8(b[0])) + 1
	if int64(n) < size {
		return 0, 0
	}
	value = int64(binary.BigEndian.Uint64(b[:]) >> (64 - 8*size)) //nolint:gosec // G115: a first byte of 1 has seven more
	if id {
		return value, size
	}
	mask := int64(1)<<(7*size) - 1
	if value &= mask; value == mask {
		return -1, size
	}
	return value, size
}
