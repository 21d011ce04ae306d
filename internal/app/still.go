package app

import (
	"context"
	"image"

	"github.com/spotter-video/spotter/internal/video"
)

// still reads JPEGs in the decoder's sandbox that the standard library does not read.
func still(ctx context.Context, d *video.Decoder) func([]byte, int, int) (image.Image, error) {
	return func(data []byte, width, height int) (image.Image, error) { return d.Still(ctx, data, width, height) }
}
