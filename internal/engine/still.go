package engine

import (
	"context"
	"fmt"
	"image"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/photo"
	"github.com/spotter-video/spotter/internal/video"
)

// still reads JPEGs in the decoder's sandbox that the standard library does not read.
func still(ctx context.Context, d *video.Decoder) func([]byte, int, int) (image.Image, error) {
	return func(data []byte, width, height int) (image.Image, error) {
		img, err := onceMore(ctx, func() (*image.YCbCr, error) { return d.Still(ctx, data, width, height) })
		if err != nil {
			return nil, passing(ctx, err)
		}
		return img, nil
	}
}

// frames decodes the frames of HEIC photos in the decoder's sandbox.
func frames(ctx context.Context, d *video.Decoder) photo.HEVC {
	return func(stream []byte, n int, each func(int, *face.Picture) error) error {
		_, err := onceMore(ctx, func() (struct{}, error) { return struct{}{}, d.Frames(ctx, stream, n, each) })
		return passing(ctx, err)
	}
}

// passing marks what says nothing of the photo: that the decoder was killed, that the machine has run out of something, or
// that nobody waits for it any more.
func passing(ctx context.Context, err error) error {
	if kind := video.KindOf(err); kind == video.Killed || kind == video.Exhausted || (err != nil && ctx.Err() != nil) {
		return fmt.Errorf("%w: %w", photo.ErrPassing, err)
	}
	return err
}
