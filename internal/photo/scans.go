package photo

import (
	"bytes"
	"encoding/binary"
)

// maxScans is the most scans a JPEG may have. Each scan of a progressive JPEG passes over the whole picture, however
// few bytes it takes, so that a file of 15 MB could keep a decoder busy for days. Encoders write about ten; 100 is the
// bound that libjpeg-turbo's own fuzzing uses to stay responsive.
const maxScans = 100

const (
	markerRST0  = 0xd0
	markerEOI   = 0xd9
	markerSOF0  = 0xc0 // baseline; 1 is extended, 2 progressive
	markerSOF2  = 0xc2
	markerSOS   = 0xda
	markerAPP14 = 0xee
	markerTEM   = 0x01
)

// countScans counts the start-of-scan markers up to the end-of-image marker (ITU-T T.81, annex B). It may count a few
// too many in damaged data, never too few: segments that a decoder would skip are skipped by their length, as a
// decoder does, and entropy-coded data holds no bare marker.
func countScans(data []byte) int {
	scans := 0
	for {
		i := bytes.IndexByte(data, 0xff)
		if i < 0 || i+1 >= len(data) {
			return scans
		}
		marker := data[i+1]
		data = data[i+1:]
		switch {
		case marker == 0xff: // a fill byte; the marker follows
			continue
		case marker == markerEOI:
			return scans
		case marker == 0 || marker == markerTEM || marker >= markerRST0 && marker < markerEOI:
			data = data[1:] // no segment follows
			continue
		case marker == markerSOS:
			scans++
		}
		if len(data) < 3 {
			return scans
		}
		length := int(binary.BigEndian.Uint16(data[1:]))
		data = data[min(1+length, len(data)):]
	}
}
