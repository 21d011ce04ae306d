package video

import "io"

// Transport looks at the packets of an MPEG transport stream, which all have one size and begin with one byte: what
// does not is damage.
type Transport struct {
	file       io.ReaderAt
	base, size int64
	packet     int64
}

// NewTransport looks at the stream that begins at base in a file of size bytes.
func NewTransport(file io.ReaderAt, base, size int64) *Transport {
	head := make([]byte, sniffBytes)
	n, _ := file.ReadAt(head, base)
	_, packet := transportStart(head[:max(n, 0)])
	return &Transport{file: file, base: base, size: size, packet: int64(packet)}
}

// End is where the stream ends, counted from its beginning.
func (t *Transport) End() int64 { return t.size - t.base }

// Damaged says whether anything between two places, counted from the stream's beginning, is no packet; at the file's end
// also whether the last one is there in part only. Of a long way it looks at the first part.
func (t *Transport) Damaged(from, to int64) bool {
	const block, most = 1 << 20, 1 << 30
	if t.packet == 0 || from < 0 {
		return false
	}
	buffer := make([]byte, min(block, max(to-from, 0)))
	whole := to == t.End()
	at := t.first(from)
	for to = min(to, from+most); at < to; {
		n, _ := t.file.ReadAt(buffer[:min(int64(len(buffer)), to-at)], t.base+at)
		if n <= 0 {
			return true
		}
		for i := int64(0); i < int64(n); i += t.packet {
			if buffer[i] != syncByte {
				return true
			}
			at += t.packet
		}
	}
	return whole && at-to > t.packet-bareTransport
}

// first is the first packet at or a few bytes after a place: packets of 192 bytes have a time before them.
func (t *Transport) first(from int64) int64 {
	var head [8]byte
	n, _ := t.file.ReadAt(head[:], t.base+from)
	for i := range max(n, 0) {
		if head[i] == syncByte {
			return from + int64(i)
		}
	}
	return from
}
