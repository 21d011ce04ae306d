package app

import (
	"bytes"
	"image"
	"image/jpeg"
)

// portraitJPEG encodes a portrait for a page: a few kilobytes each. Quality 80 shows no blocks on a face of this size.
func portraitJPEG(portrait *image.RGBA) []byte {
	const quality = 80
	var b bytes.Buffer
	if err := jpeg.Encode(&b, portrait, &jpeg.Options{Quality: quality}); err != nil {
		return nil // a page shows a blank where there is no portrait
	}
	return b.Bytes()
}
