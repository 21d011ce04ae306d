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
	for rest := data[2:]; len(rest) >= 4 && rest[0] == 0xff; {
		if rest[1] == 0xff {
			rest = rest[1:] // a fill byte
			continue
		}
		length := min(2+int(binary.BigEndian.Uint16(rest[2:])), len(rest))
		switch m, content := rest[1], rest[4:max(length, 4)]; {
		case m == markerAPP14 && len(content) >= 12 && bytes.HasPrefix(content, []byte("Adobe")):
			f.rgb = content[11] == 0
		case m >= markerSOF0 && m <= markerSOF2:
			return f, f.read(content, m == markerSOF2, data)
		}
		rest = rest[length:]
	}
	return f, false
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
	f.rgb = len(f.sampling) == 3 && (f.rgb || names == "RGB")
	_, err := jpeg.DecodeConfig(bytes.NewReader(data))
	_, f.odd = errors.AsType[jpeg.UnsupportedError](err)
	return true
}
