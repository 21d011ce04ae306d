package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/search"
	"github.com/spotter-video/spotter/internal/video"
)

// pipeline is what decides how videos are analysed and matched: by this process's settings, or by the terms of a job.
type pipeline struct {
	pack    *recognizer.Pack
	decoder *video.Decoder
	params  search.Params
}

// segment is a segment of a video's plan that is to be analysed, and what is wanted of it beside its tracklets.
type segment struct {
	video.Segment
	plan *video.Plan
	file *os.File
	// lookahead is how many frames the decoder may work ahead.
	lookahead int
	// portraits asks for pictures of the faces, attributes for what each looks like each time.
	portraits, attributes bool
	// progress, if set, is called after each frame with its time and the number of faces in it.
	progress func(at time.Duration, faces int)
}

// analyse follows the faces of a segment with a recognizer: once more where what failed may have passed by then. Even with an
// error it returns what it had found until then, and what of the segment is damaged.
func (p *pipeline) analyse(
	ctx context.Context, rec *recognizer.Recognizer, s *segment,
) (_ *search.Tracklets, damage video.Damage, err error) {
	tracklets, err := onceMore(ctx, func() (tracklets *search.Tracklets, err error) {
		tracklets, damage, err = p.attempt(ctx, rec, s)
		return tracklets, err
	})
	return tracklets, damage, err
}

func (p *pipeline) attempt(
	ctx context.Context, rec *recognizer.Recognizer, s *segment,
) (_ *search.Tracklets, damage video.Damage, err error) {
	stream, err := p.decoder.Open(ctx, s.file, s.plan, s.Segment, video.StreamOptions{
		SampleRate: p.params.SampleRate, Lookahead: s.lookahead,
	})
	if err != nil {
		return nil, video.Damage{}, err
	}
	defer func() {
		damage = stream.Stats().Damage
		err = errors.Join(err, stream.Close())
	}()
	in := search.Stretch{
		Index: s.Index, Frames: stream, Detector: rec, Embedder: rec, Params: p.params, Cohort: p.pack.Cohort(), Progress: s.progress,
	}
	if s.standsForVideo() {
		in.Upright = rec.Upright
	}
	if s.portraits {
		in.Portrait = func(p *face.Picture, d *face.Detection) []byte { return portraitJPEG(rec.Portrait(p, d)) }
	}
	if s.attributes {
		in.Attributes = attributesOf(rec)
	}
	tracklets, err := search.Analyze(ctx, in)
	return tracklets, damage, err
}

// finish matches what the segments of a video gave, in any order, as the pipeline and what is asked for say.
func (p *pipeline) finish(ctx context.Context, segments []*search.Tracklets, asked search.Matching) (*search.Result, error) {
	asked.Cohort, asked.Calibration, asked.Params = p.pack.Cohort(), p.pack.Calibration(), p.params
	return search.Finish(ctx, segments, asked)
}

// lookahead is how many frames a decoder may work ahead, of one of so many segments that so many workers analyse. A lone worker
// takes turns with its decoder, so that both together keep one core busy. Several overlap by a frame, as each turn costs a
// wake-up (a sixth of the time with two workers on two cores). Where there are fewer segments than workers, decoders use the
// cores left over: three frames even out that some take longer to decode than others.
func lookahead(segments, workers int) int {
	const alternate, overlap, ahead = 1, 2, 3
	switch {
	case segments < workers:
		return ahead
	case workers == 1:
		return alternate
	default:
		return overlap
	}
}

// mostTurned bounds the segments of a video that are looked at in quarter turns where they plainly show nobody, so that an
// hour of landscape costs as little more as four minutes of it.
const mostTurned = 16

// standsForVideo says whether the segment is one of those that show which way the video is up.
func (s *segment) standsForVideo() bool {
	step := (len(s.plan.Segments) + mostTurned - 1) / mostTurned
	return s.Index%step == 0
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

// attributesOf says what faces of a video look like.
func attributesOf(
	rec *recognizer.Recognizer,
) func(context.Context, *face.Picture, *face.Detection) (*face.Attributes, error) {
	return func(ctx context.Context, p *face.Picture, d *face.Detection) (*face.Attributes, error) {
		a, err := rec.Attributes(ctx, p, d)
		if errors.Is(err, recognizer.ErrNoFace) {
			return nil, nil //nolint:nilnil // nothing can be said of it
		}
		return a, err
	}
}

// portraitJPEG encodes a portrait for a page: a few kilobytes each. Quality 80 shows no blocks on a face of this size.
func portraitJPEG(portrait *image.RGBA) []byte {
	const quality = 80
	var b bytes.Buffer
	if err := jpeg.Encode(&b, portrait, &jpeg.Options{Quality: quality}); err != nil {
		return nil // a page shows a blank where there is no portrait
	}
	return b.Bytes()
}
