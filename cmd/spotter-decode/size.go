//go:build cgo && !nolibav

package main

import (
	"math"

	"github.com/spotter-video/spotter/internal/video/wire"
)

// extent is a size in pixels.
type extent struct{ width, height int32 }

// stretchLimit is the oddest pixel shape that is believed. Real ones lie between 1:2 (half-width broadcast) and 2.2:1
// (wide PAL); a file that says 65535:1 is damaged or malicious.
const stretchLimit = 4

// uprightSize is a decoded picture's size with square pixels, turned upright. Pixels that are not square are stretched
// along their shorter side, so that no detail is lost.
func uprightSize(p *picture, o wire.Orientation) extent {
	w, h := float64(p.width), float64(p.height)
	if p.sarNum > 0 && p.sarDen > 0 {
		shape := float64(p.sarNum) / float64(p.sarDen)
		switch {
		case shape > 1 && shape <= stretchLimit:
			w = math.Round(w * shape)
		case shape < 1 && shape >= 1./stretchLimit:
			h = math.Round(h / shape)
		}
	}
	if o&wire.Transpose != 0 {
		w, h = h, w
	}
	return extent{int32(w), int32(h)}
}
