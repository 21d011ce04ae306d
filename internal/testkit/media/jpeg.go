package media

import (
	"bytes"
	"slices"
)

// JPEG is a baseline JPEG of 96 x 96 pixels with the horizontal and vertical sampling factors of Y, Cb and Cr: grey above, red
// below. Each block is flat, so that it is one difference to the block before and an end of block.
func JPEG(samplings [3][2]byte) []byte {
	const side = 96
	var b []byte
	segment := func(marker byte, content ...byte) {
		b = append(append(b, 0xff, marker, 0, byte(len(content)+2)), content...) //nolint:gosec // far below 256
	}
	b = append(b, 0xff, 0xd8)
	segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{8}, 64)...)...)
	frame, scan := make([]byte, 0, 3*len(samplings)), make([]byte, 0, 2*len(samplings))
	hMax, vMax := 0, 0
	for i, c := range samplings {
		frame = append(frame, byte(i+1), c[0]<<4|c[1], 0)
		scan = append(scan, byte(i+1), 0)
		hMax, vMax = max(hMax, int(c[0])), max(vMax, int(c[1]))
	}
	segment(0xc0, append([]byte{8, 0, side, 0, side, byte(len(samplings))}, frame...)...)
	segment(0xc4, slices.Concat([]byte{0x00, 1, 1}, make([]byte, 14), []byte{0, 7})...) // differences: none is 0, 7 bits 10
	segment(0xc4, slices.Concat([]byte{0x10, 1}, make([]byte, 15), []byte{0})...)       // the end of a block is 0
	segment(0xda, slices.Concat([]byte{byte(len(samplings))}, scan, []byte{0, 63, 0})...)
	var bits []byte
	write := func(v, width int) {
		for i := width - 1; i >= 0; i-- {
			bits = append(bits, byte(v>>i&1))
		}
	}
	rows, columns := (side+8*vMax-1)/(8*vMax), (side+8*hMax-1)/(8*hMax)
	for row := range rows {
		for column := range columns {
			for i, c := range samplings {
				for block := range c[0] * c[1] {
					if i == 2 && row == rows/2 && column == 0 && block == 0 {
						write(0b10, 2)
						write(100, 7) // Cr rises by 100
					} else {
						write(0, 1)
					}
					write(0, 1)
				}
			}
		}
	}
	for len(bits)%8 > 0 {
		bits = append(bits, 1)
	}
	for i := 0; i < len(bits); i += 8 {
		v := byte(0)
		for _, bit := range bits[i : i+8] {
			v = v<<1 | bit
		}
		if b = append(b, v); v == 0xff {
			b = append(b, 0)
		}
	}
	return append(b, 0xff, 0xd9)
}
