package report

import (
	"fmt"
	"math"
)

// goldenAngle in turns: steps of it keep any number of hues as far apart as can be.
const goldenAngle = 0.381966

// vivid is the nth enrolled person's colour, pale the nth stranger's.
func vivid(n int) rgb { return hsl(0.53+float64(n)*goldenAngle, 0.85, 0.60) }
func pale(n int) rgb  { return hsl(0.10+float64(n)*goldenAngle, 0.22, 0.74) }

// hsl makes a colour from hue (turns), saturation and lightness (0..1).
func hsl(h, s, l float64) rgb {
	channel := func(n float64) uint8 {
		k := math.Mod(n+12*(h-math.Floor(h)), 12)
		return uint8(math.Round(255 * (l - s*min(l, 1-l)*max(-1, min(k-3, 9-k, 1)))))
	}
	return rgb{channel(0), channel(8), channel(4)}
}

// ink is black or white, whichever is easier to read on the colour (relative luminance as in WCAG 2, without its
// gamma, which changes no choice between the two here).
func (c rgb) ink() rgb {
	if 0.2126*float64(c.r)+0.7152*float64(c.g)+0.0722*float64(c.b) < 110 {
		return rgb{255, 255, 255}
	}
	return rgb{}
}

// ass is the colour as ASS writes it: blue, green, red.
func (c rgb) ass() string { return fmt.Sprintf("&H%02X%02X%02X&", c.b, c.g, c.r) }
