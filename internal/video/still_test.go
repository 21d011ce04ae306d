package video

import (
	"bytes"
	"image/jpeg"
	"slices"
	"testing"
)

// factors are the horizontal and vertical sampling factor of a component.
type factors struct{ h, v int }

// oddJPEG is a baseline JPEG of 96 x 96 pixels with the samplings of Y, Cb and Cr: grey above, red below. Each block is flat,
// so that it is one difference to the block before and an end of block.
func oddJPEG(s [3]factors) []byte {
	const side = 96
	var b []byte
	segment := func(marker byte, content ...byte) {
		b = append(append(b, 0xff, marker, 0, byte(len(content)+2)), content...)
	}
	b = append(b, 0xff, 0xd8)
	segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{8}, 64)...)...)
	frame, scan := []byte{8, 0, side, 0, side, 3}, []byte{3}
	hMax, vMax := 0, 0
	for i, c := range s {
		frame = append(frame, byte(i+1), byte(c.h<<4|c.v), 0)
		scan = append(scan, byte(i+1), 0)
		hMax, vMax = max(hMax, c.h), max(vMax, c.v)
	}
	segment(0xc0, frame...)
	segment(0xc4, slices.Concat([]byte{0x00, 1, 1}, make([]byte, 14), []byte{0, 7})...) // differences: none is 0, 7 bits 10
	segment(0xc4, slices.Concat([]byte{0x10, 1}, make([]byte, 15), []byte{0})...)       // the end of a block is 0
	segment(0xda, append(scan, 0, 63, 0)...)
	var bits []byte
	write := func(v, width int) {
		for i := width - 1; i >= 0; i-- {
			bits = append(bits, byte(v>>i&1))
		}
	}
	rows, columns := (side+8*vMax-1)/(8*vMax), (side+8*hMax-1)/(8*hMax)
	for row := range rows {
		for column := range columns {
			for i, c := range s {
				for block := range c.h * c.v {
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

func TestStillsOfEverySampling(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	unknown := 0
	for _, s := range [][3]factors{
		{{1, 1}, {1, 1}, {1, 1}},
		{{2, 2}, {1, 1}, {1, 2}},
		{{2, 2}, {1, 2}, {1, 1}},
		{{2, 2}, {2, 1}, {2, 1}},
		{{2, 2}, {2, 2}, {2, 2}},
		{{1, 2}, {1, 1}, {1, 1}},
	} {
		data := oddJPEG(s)
		if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
			unknown++
		}
		p, err := d.Still(t.Context(), data, 96, 96)
		if err != nil {
			t.Errorf("%v: %v", s, err)
			continue
		}
		for _, at := range [][3]int{{0, 0, 128}, {95, 40, 128}, {0, 95, 228}, {95, 95, 228}, {50, 70, 228}} {
			c := p.YCbCrAt(at[0], at[1])
			if abs(int(c.Y)-128) > 2 || abs(int(c.Cb)-128) > 2 || abs(int(c.Cr)-at[2]) > 3 {
				t.Errorf("%v: pixel %d, %d is %v, want Cr %d", s, at[0], at[1], c, at[2])
			}
		}
	}
	if unknown < 1 {
		t.Error("the standard library reads all of them")
	}
}

func TestStillsThatAreDamagedAreRefused(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	whole := oddJPEG([3]factors{{2, 2}, {1, 1}, {1, 2}})
	for name, data := range map[string][]byte{
		"half": whole[:len(whole)/2], "nothing": {}, "text": []byte("not a picture at all"), "of another size": whole,
	} {
		side := 96
		if name == "of another size" {
			side = 64
		}
		if _, err := d.Still(t.Context(), data, side, side); err == nil {
			t.Errorf("%s: it was read", name)
		}
	}
}

func abs(n int) int { return max(n, -n) }
