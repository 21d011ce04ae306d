package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image/jpeg"
)

// jpegFrame is what the header of a JPEG's frame says, with the markers before it (ITU-T T.81, B.2.2).
type jpegFrame struct {
	width, height int
	progressive   bool
	sampling      [][2]int // horizontal and vertical factor of each component
	rgb           bool
	odd           bool // sampled as the standard library does not read it
	across, down  int  // the largest factors
}

// samples counts the samples of whole blocks of all components.
func (f *jpegFrame) samples() (n int64) {
	const block = 8
	across, down := (f.width+block*f.across-1)/(block*f.across), (f.height+block*f.down-1)/(block*f.down)
	for _, s := range f.sampling {
		n += int64(across) * int64(down) * int64(s[0]*s[1]) * block * block
	}
	return n
}

// frameOfJPEG reads the headers up to that of the frame. ok is false where there is none that is read.
func frameOfJPEG(data []byte) (f jpegFrame, ok bool) {
	for rest := data[2:]; ; {
		// What is no marker is passed over, and so are markers without a segment: as the standard library has it.
		at := bytes.IndexByte(rest, 0xff)
		if at < 0 || len(rest)-at < 4 {
			return f, false
		}
		rest = rest[at:]
		switch m := rest[1]; {
		case m == 0xff:
			rest = rest[1:]
			continue
		case m == 0, m >= markerRST0 && m < markerEOI-1:
			rest = rest[2:]
			continue
		}
		length := min(2+int(binary.BigEndian.Uint16(rest[2:])), len(rest))
		if length < 4 {
			return f, false
		}
		if m := rest[1]; m >= markerSOF0 && m <= markerSOF2 {
			return f, f.read(rest[4:length], m == markerSOF2, data)
		}
		rest = rest[length:]
	}
}

func (f *jpegFrame) read(content []byte, progressive bool, data []byte) bool {
	const head, component = 6, 3 // precision, height, width, how many components; each one's name, factors and table
	if len(content) < head || len(content) < head+component*int(content[5]) {
		return false
	}
	f.height, f.width = int(binary.BigEndian.Uint16(content[1:])), int(binary.BigEndian.Uint16(content[3:]))
	f.progressive, f.across, f.down = progressive, 1, 1
	names := ""
	for n := range int(content[5]) {
		c := content[head+component*n:]
		s := [2]int{max(int(c[1]>>4), 1), max(int(c[1]&15), 1)}
		if content[5] == 1 {
			s = [2]int{1, 1} // factors of a single component say nothing
		}
		f.sampling, names = append(f.sampling, s), names+string(c[:1])
		f.across, f.down = max(f.across, s[0]), max(f.down, s[1])
	}
	f.rgb = len(f.sampling) == 3 && (names == "RGB" || byAdobe(data))
	_, err := jpeg.DecodeConfig(bytes.NewReader(data))
	_, f.odd = errors.AsType[jpeg.UnsupportedError](err)
	return true
}

// byAdobe says whether a file has a segment that may say that its colours are RGB; it may stand anywhere before the end.
func byAdobe(data []byte) bool {
	const head = 4 // marker and length
	for at := head; ; at++ {
		i := bytes.Index(data[min(at, len(data)):], []byte("Adobe"))
		if i < 0 {
			return false
		}
		if at += i; data[at-head+1] == markerAPP14 {
			return true
		}
	}
}
