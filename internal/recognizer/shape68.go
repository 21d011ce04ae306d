package recognizer

import (
	"math"

	"github.com/spotter-video/spotter/internal/face"
)

// The mouth counts as open where the inner lips are this far apart, as a share of the mouth's width: the mean of three
// pairs of points. Of 24 photos of LFW each, looked at around .03, .05, .07, .09 and .115, the lips part in 12, 25, 46, 71
// and 80 %; above .13 in nearly all. The logistic curve with this spread says 12, 27, 50, 73 and 90 %. A smile that shows
// teeth is an open mouth.
const (
	mouthOpenFrom   = 0.07
	mouthOpenSpread = 0.02
)

// mouthOpen says whether the lips part; nil where the mouth has no width.
func (s *shape68) mouthOpen() *face.Trait {
	width := distance(s[60], s[64])
	if !(width > 0) {
		return nil
	}
	gap := (distance(s[61], s[67]) + distance(s[62], s[66]) + distance(s[63], s[65])) / 3
	return traitOf((gap/width - mouthOpenFrom) / mouthOpenSpread)
}

// eye is where the eye lies that begins with this point: middle and roll; and how wide it is, in pixels.
func (s *shape68) eye(first int) (square, float64) {
	left, right := s[first], s[first+3]
	m := s.mean(first+1, first+2, first+4, first+5)
	roll := math.Atan2(float64(right.Y-left.Y), float64(right.X-left.X)) * 180 / math.Pi
	return square{x: float64(m.X), y: float64(m.Y), roll: roll}, distance(left, right)
}

func distance(a, b face.Point) float64 { return math.Hypot(float64(a.X-b.X), float64(a.Y-b.Y)) }

// further are the landmarks beside the five, in ratios of a picture of this size. Where there is one point for two of the 68
// (the middle of a lid) it is their mean.
func (s *shape68) further(width, height int) *face.FurtherLandmarks {
	out := new(face.FurtherLandmarks)
	for i, indices := range [len(out)][]int{
		{17}, {21}, {19}, {22}, {26}, {24}, // brows: left, right, up
		{36}, {39}, {37, 38}, {40, 41}, {42}, {45}, {43, 44}, {46, 47}, // eyes: left, right, up, down
		{31}, {35}, {51}, {57}, // nose: left, right; mouth: up, down
		{0}, {4}, {8}, {12}, {16}, // jawline from the left
	} {
		p := s.mean(indices...)
		// Models learned their points as pixel indices, half a pixel less than coordinates (see measure).
		out[i] = face.Point{X: (p.X + 0.5) / float32(width), Y: (p.Y + 0.5) / float32(height)}
	}
	return out
}
