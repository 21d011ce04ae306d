package photo

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"testing"

	"github.com/spotter-video/spotter/internal/testkit/media"
)

func TestAnotherDecoderIsAskedForOddSamplings(t *testing.T) {
	t.Parallel()
	odd, plain := media.JPEG([3][2]byte{{2, 2}, {1, 1}, {1, 2}}), media.JPEG([3][2]byte{{1, 1}, {1, 1}, {1, 1}})
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
