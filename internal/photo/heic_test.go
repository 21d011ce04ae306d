package photo

import (
	"bytes"
	"errors"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/testkit/media"
)

// unread stands for a decoder: what it is given is a stream, and each frame is black.
func unread(width, height int) HEVC {
	return func(stream []byte, frames int, each func(int, *face.Picture) error) error {
		if !bytes.HasPrefix(stream, []byte{0, 0, 0, 1}) || len(stream) > mostStream+(16<<20) {
			return errors.New("no stream")
		}
		p := face.Picture{Width: width, Height: height, Strides: [3]int{width, width / 2, width / 2}}
		p.Planes = [3][]byte{make([]byte, width*height), make([]byte, width*height/4), make([]byte, width*height/4)}
		for n := range frames {
			if err := each(n, &p); err != nil {
				return err
			}
		}
		return nil
	}
}

// madeHEIC is a file of 3 x 2 tiles whose units hold nothing.
func madeHEIC() []byte {
	tile := []byte("\x00\x00\x01\x40\x01vps\x00\x00\x01\x42\x01sps\x00\x00\x01\x44\x01pps\x00\x00\x01\x28\x01slice")
	h := media.HEIC{Width: 150, Height: 100, Tile: 64, Quarters: 1}
	return h.File([][]byte{tile, tile, tile, tile, tile, tile}, 3, 2, 64, 64)
}

func TestHEICWhereItIsAllowed(t *testing.T) {
	t.Parallel()
	limits := DefaultLimits()
	if _, err := Decode(bytes.NewReader(madeHEIC()), limits); err == nil {
		t.Error("read without leave")
	}
	limits.HEVC = unread(64, 64)
	p, err := Decode(bytes.NewReader(madeHEIC()), limits)
	if err != nil || p.Width != 100 || p.Height != 150 {
		t.Fatalf("%+v, %v", p, err)
	}
	limits.Pixels = 150 * 99
	limits.HEVC = func([]byte, int, func(int, *face.Picture) error) error {
		t.Error("decoded before its size was looked at")
		return nil
	}
	refusal := (*Error)(nil)
	if _, err := Decode(bytes.NewReader(madeHEIC()), limits); !errors.As(err, &refusal) || refusal.Kind != TooLarge {
		t.Errorf("error %v", err)
	}
}

func FuzzHEIC(f *testing.F) {
	f.Add(madeHEIC())
	f.Add((media.HEIC{Width: 96, Height: 96}).File([][]byte{[]byte("\x00\x00\x01\x40\x01v\x00\x00\x01\x28\x01slice")}, 1, 1, 96, 96))
	limits := Limits{Bytes: 1 << 16, MinSide: 8, MaxSide: 300, Pixels: 40_000, HEVC: unread(64, 64)}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Decode(bytes.NewReader(data), limits)
		if refusal := (*Error)(nil); err != nil && !errors.As(err, &refusal) {
			t.Fatalf("error %v is not a refusal", err)
		}
		if err == nil && p.Check() != nil {
			t.Fatal(p.Check())
		}
	})
}
