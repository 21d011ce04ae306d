package face

import (
	"errors"
	"fmt"
	"time"
)

// Layout says how a picture's samples lie in its planes.
type Layout uint8

// The layouts of a [Picture].
const (
	// I420 is 8-bit planar Y, U, V; U and V have half the width and height, rounded up.
	I420 Layout = iota
	// RGB is one plane of interleaved 8-bit red, green, blue.
	RGB
)

// ColorMatrix names the coefficients that turn YUV into RGB.
type ColorMatrix uint8

// The matrices that video carries. BT601 is the zero value and what an untagged small picture is taken for.
const (
	BT601 ColorMatrix = iota
	BT709
	BT2020
)

// Picture is one upright image with square pixels. It does not own its planes: who hands it out says how long they
// are valid. A Picture is read-only and may be read by several goroutines.
type Picture struct {
	Width, Height int // pixels
	Layout        Layout
	// Planes holds Y, U, V for I420 and only the first for RGB.
	Planes [3][]byte
	// Strides are the bytes from one row to the next, a plane each.
	Strides [3]int
	// Matrix and FullRange say what Y, U and V mean; without use for RGB. Limited range is 16..235.
	Matrix    ColorMatrix
	FullRange bool
}

// Check says what is wrong with a picture whose planes cannot hold what its size promises; nil if nothing is.
func (p *Picture) Check() error {
	if p.Width <= 0 || p.Height <= 0 {
		return fmt.Errorf("picture of %d x %d pixels", p.Width, p.Height)
	}
	switch p.Layout {
	case RGB:
		return p.checkPlane(0, 3*p.Width, p.Height)
	case I420:
		cw, ch := (p.Width+1)/2, (p.Height+1)/2
		return errors.Join(p.checkPlane(0, p.Width, p.Height), p.checkPlane(1, cw, ch), p.checkPlane(2, cw, ch))
	default:
		return fmt.Errorf("unknown picture layout %d", p.Layout)
	}
}

// Part is the part of the picture that begins at (x, y), pixels, and lies inside of it; it shares the planes. For I420 x and
// y are even.
func (p *Picture) Part(x, y, width, height int) Picture {
	out := *p
	out.Width, out.Height = width, height
	if p.Layout == RGB {
		out.Planes[0] = p.Planes[0][y*p.Strides[0]+3*x:]
		return out
	}
	out.Planes[0] = p.Planes[0][y*p.Strides[0]+x:]
	for i := 1; i < 3; i++ {
		out.Planes[i] = p.Planes[i][y/2*p.Strides[i]+x/2:]
	}
	return out
}

func (p *Picture) checkPlane(i, rowBytes, rows int) error {
	if p.Strides[i] < rowBytes || len(p.Planes[i]) < (rows-1)*p.Strides[i]+rowBytes {
		return fmt.Errorf("plane %d of a %d x %d picture: %d bytes with stride %d are too few",
			i, p.Width, p.Height, len(p.Planes[i]), p.Strides[i])
	}
	return nil
}

// Frame is one sampled video frame: the picture at full resolution, and the same picture made small for the detector.
type Frame struct {
	// Time is the frame's presentation time from the start of the container.
	Time time.Duration
	// Full is the frame at its full (upright, square-pixel) resolution.
	Full Picture
	// Small is the same frame with its long side reduced to at most 640 pixels; the same planes as Full when that is
	// small enough already.
	Small Picture
}

// VideoInfo describes a video as its container and decoder do.
type VideoInfo struct {
	Codec      string        // libavcodec's short name: h264, hevc, vp9 ...
	Format     string        // libavformat's long name, as ffprobe prints it: QuickTime / MOV
	Duration   time.Duration // from the start of the container; an estimate where the container lies
	FrameRate  float64       // average frames per second
	Width      int           // pixels, upright, square
	Height     int
	FullRange  bool // whether samples use 0..255 (FULL) and not 16..235 (LIMITED)
	Interlaced bool
	Rotation   int // degrees clockwise that were applied to make the picture upright: 0, 90, 180, 270
}

// HardlyShown is the height in pixels of the small picture up to which it hardly shows a face: closer looks are for these. A
// larger one is found without.
const HardlyShown = 28

// Look says where a frame is looked at for faces. The zero value is a look at the whole picture.
type Look struct {
	// Near lists where small faces were just before: they are looked for there closely as well.
	Near []Box
	// Follow lists where faces were just before. If there are any, these faces are looked for around there and nothing else
	// is looked at, which costs a fraction.
	Follow []Box
}
