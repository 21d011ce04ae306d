//go:build cgo && !nolibav

package main

import "github.com/spotter-video/spotter/internal/video/wire"

// extent is a size in pixels.
type extent struct{ width, height int32 }

// uprightSize is a decoded picture's size with square pixels, turned upright.
func uprightSize(p *picture, o wire.Orientation) extent {
	w, h := wire.Square(p.width, p.height, p.sarNum, p.sarDen)
	if o&wire.Transpose != 0 {
		w, h = h, w
	}
	return extent{int32(w), int32(h)}
}
