package photo

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"slices"
	"testing"
)

// sampling is the horizontal and vertical sampling factor of a component.
type sampling struct{ h, v int }

// oddJPEG is a baseline JPEG of 96 x 96 pixels with the samplings of Y, Cb and Cr: grey above, red below. Each block is flat,
// so that it is one difference to the block before and an end of block.
func oddJPEG(s [3]sampling) []byte {
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

func TestAnotherDecoderIsAskedForOddSamplings(t *testing.T) {
	t.Parallel()
	odd, plain := oddJPEG([3]sampling{{2, 2}, {1, 1}, {1, 2}}), oddJPEG([3]sampling{{1, 1}, {1, 1}, {1, 1}})
	if _, err := jpeg.Decode(bytes.NewReader(odd)); err == nil {
		t.Error("the standard library reads the odd one: no other decoder is needed")
	}
	limits := DefaultLimits()
	if _, err := Decode(bytes.NewReader(odd), limits); err == nil {
		t.Error("it is read without another decoder")
	}
	asked := 0
	limits.JPEG = func(data []byte, width, height int) (image.Image, error) {
		if asked++; !bytes.Equal(data, odd) || width != 96 || height != 96 {
			t.Errorf("asked for %d bytes of %d x %d", len(data), width, height)
		}
		return image.NewYCbCr(image.Rect(0, 0, 96, 96), image.YCbCrSubsampleRatio420), nil
	}
	for i, data := range [][]byte{plain, odd} {
		if p, err := Decode(bytes.NewReader(data), limits); err != nil || p.Width != 96 || asked != i {
			t.Errorf("picture %d: %v, asked %d times", i, err, asked)
		}
	}
	limits.MaxSide = 95
	if _, err := Decode(bytes.NewReader(odd), limits); err == nil || asked != 1 {
		t.Errorf("the size of an odd JPEG is not looked at: %v", err)
	}
	limits.MaxSide = 96
	limits.JPEG = func([]byte, int, int) (image.Image, error) { return nil, errors.New("it is damaged") }
	if _, err := Decode(bytes.NewReader(odd), limits); !isRefusal(err) {
		t.Errorf("a refusal of the other decoder is %v", err)
	}
}

func isRefusal(err error) bool {
	refusal := (*Error)(nil)
	return errors.As(err, &refusal)
}
