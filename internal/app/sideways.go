package app

import (
	"fmt"

	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/search"
	"github.com/spotter-video/spotter/internal/video"
)

// mostTurned bounds the segments of a video that are looked at in quarter turns where they plainly show nobody, so that an
// hour of landscape costs as little more as four minutes of it.
const mostTurned = 16

// lookUpright finds out which way a stretch is up if its segment is one of those that stand for the video.
func lookUpright(in *search.Stretch, rec *recognizer.Recognizer, plan *video.Plan) {
	step := (len(plan.Segments) + mostTurned - 1) / mostTurned
	if in.Index%step == 0 {
		in.Upright = rec.Upright
	}
}

// sideways says that a video has to be turned, by so many quarters clockwise, and how; empty for none.
func sideways(quarters int) string {
	lie, filter := "lie on their side", ""
	switch quarters {
	case 0:
		return ""
	case 1:
		filter = "transpose=clock"
	case 2:
		lie, filter = "are upside down", "hflip,vflip"
	case 3:
		filter = "transpose=cclock"
	}
	return fmt.Sprintf("the people in the video %s, where faces are hardly found and never named; turn it and search again: "+
		"ffmpeg -i IN -vf %s OUT.mp4", lie, filter)
}
