package video

import (
	"bytes"
	"image/jpeg"
	"testing"

	made "github.com/spotter-video/spotter/internal/testkit/media"
)

func TestStillsOfEverySampling(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	unknown := 0
	for _, s := range [][3][2]byte{
		{{1, 1}, {1, 1}, {1, 1}},
		{{2, 2}, {1, 1}, {1, 2}},
		{{2, 2}, {1, 2}, {1, 1}},
		{{2, 2}, {2, 1}, {2, 1}},
		{{2, 2}, {2, 2}, {2, 2}},
		{{1, 2}, {1, 1}, {1, 1}},
	} {
		data := made.JPEG(s)
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
	whole := made.JPEG([3][2]byte{{2, 2}, {1, 1}, {1, 2}})
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
