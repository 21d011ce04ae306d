package photo

import (
	"fmt"
	"image"
)

// Limits bound what a photo may cost.
type Limits struct {
	// Bytes is the longest file.
	Bytes int64
	// MinSide and MaxSide bound the width and the height, in pixels.
	MinSide, MaxSide int
	// Pixels bounds width x height. Decoding takes 4 to 27 bytes a pixel for a moment, so this bounds the memory of a photo;
	// [Memory] that of all.
	Pixels int
	// WebP allows this format too. Rekognition takes JPEG and PNG only.
	WebP bool
	// HEVC, if set, allows HEIC too and decodes its frames.
	HEVC HEVC
	// JPEG, if set, reads the JPEGs that the standard library does not: odd chroma samplings, restarts between the scans of a
	// progressive picture. Their size has been looked at. Any error of it refuses the photo.
	JPEG func(data []byte, width, height int) (image.Image, error)
}

// DefaultLimits are Rekognition's for images in S3: 15 MB and 80 to 10,000 pixels a side. The bound on all pixels is
// Spotter's own: 70 million holds the full resolution of phones of 50
// and 64 megapixels and of 61-megapixel cameras.
func DefaultLimits() Limits {
	return Limits{Bytes: 15 << 20, MinSide: 80, MaxSide: 10_000, Pixels: 70_000_000}
}

func (l Limits) checkBytes(n int64) error {
	if n <= l.Bytes {
		return nil
	}
	return &Error{Kind: TooLarge, Message: fmt.Sprintf(
		"the file is larger than %.4g MB: make the photo smaller", float64(l.Bytes)/(1<<20))}
}

func (l Limits) checkSize(width, height int) error {
	switch {
	case width < l.MinSide || height < l.MinSide:
		return &Error{Kind: TooSmall, Message: fmt.Sprintf(
			"the picture has %d x %d pixels; both sides need at least %d: use a larger photo", width, height, l.MinSide)}
	case width > l.MaxSide || height > l.MaxSide:
		return &Error{Kind: TooLarge, Message: fmt.Sprintf(
			"the picture has %d x %d pixels; a side may have at most %d: scale it down", width, height, l.MaxSide)}
	// Both sides are at most MaxSide here; the division keeps a generous MaxSide from overflowing the product.
	case width > l.Pixels/height:
		return &Error{Kind: TooLarge, Message: fmt.Sprintf(
			"the picture has %d x %d pixels, more than %d million in all: scale it down",
			width, height, l.Pixels/1_000_000)}
	}
	return nil
}
