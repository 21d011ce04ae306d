package app

import (
	"context"
	"image"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/photo"
	"github.com/spotter-video/spotter/internal/video"
)

// still reads JPEGs in the decoder's sandbox that the standard library does not read.
func still(ctx context.Context, d *video.Decoder) func([]byte, int, int) (image.Image, error) {
	return func(data []byte, width, height int) (image.Image, error) { return d.Still(ctx, data, width, height) }
}

// frames decodes the frames of HEIC photos in the decoder's sandbox.
func frames(ctx context.Context, d *video.Decoder) photo.HEVC {
	return func(stream []byte, n int, each func(int, *face.Picture) error) error {
		return d.Frames(ctx, stream, n, each)
	}
}
