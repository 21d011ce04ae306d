//go:build cgo && !nolibav

package main

import "github.com/spotter-video/spotter/internal/video/wire"

// upright is how a decoded picture is drawn: with square pixels, the right way up. Each picture has its own: a call
// begins small and grows, a phone is turned.
func upright(p *picture) wire.Geometry {
	w, h := wire.Square(p.width, p.height, p.sarNum, p.sarDen)
	if p.orientation&wire.Transpose != 0 {
		w, h = h, w
	}
	return wire.Geometry{Width: int32(w), Height: int32(h), Orientation: p.orientation}
}
