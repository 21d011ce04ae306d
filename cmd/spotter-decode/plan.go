//go:build cgo && !nolibav

package main

import (
	"errors"
	"math"

	"github.com/spotter-video/spotter/internal/video/sampling"
	"github.com/spotter-video/spotter/internal/video/wire"
)

// How far planning looks. A real video shows a picture within its first group; what has none after this much has none
// that could be found at a bearable price.
const (
	firstFramePackets = 1000
	firstFrameBytes   = 64 << 20
	// tailPackets bounds the look at the file's end for its true duration: some minutes without a keyframe.
	tailPackets = 4096
	// timedProbe is how many packets tell whether packets have presentation times.
	timedProbe = 64
	// unseekableParts is the most segments of a file in which a place can only be reached by reading all before it.
	// Reading costs about 4 % of decoding (reference figures: docs/decisions), so eight parts cost at most 14 % more.
	unseekableParts = 8
)

// planning is one file being planned.
type planning struct {
	control     *control
	request     *wire.Request
	src         *source
	size        int64
	info        wire.Info
	keys        []keyframe // in order, spaced; the first is the one the file starts with
	clock       clock
	next, begun int64 // when the next keyframe is wished, and the byte where the last one's clock began
	lastKey     int64 // the index's time of its last keyframe
	lastEntry   int64 // and of its last entry
	delay       int64 // how much later a keyframe is shown than decoded
	end         int64 // the latest end of a frame seen, in ticks
	packets     int64
	undated     bool  // the first picture's time is not known yet
	dated       int64 // the last time of decoding
	after       int64 // packets after the one that it is of
	done        wire.Done
}

// keyframe is a place where decoding can start, with its clock: what to add to its time stamps, and the byte where it
// begins. Times have been shifted.
type keyframe struct{ pts, dts, pos, shift, begin int64 }

// time is what a keyframe is found by: the time of decoding where packets have no other.
func (p *planning) time(k *keyframe) int64 {
	if p.info.Untimed {
		return k.dts
	}
	return k.pts
}

func plan(c *control, r *wire.Request) error {
	p := &planning{control: c, request: r, end: noTime, lastEntry: noTime, dated: noTime}
	p.done.Truncated = r.Cut
	src, size, err := open(c, r, int(r.Stream), accounts(r.Container))
	if err != nil {
		return err
	}
	p.src, p.size = src, size-r.Base
	defer func() { p.src.close() }()
	if err = p.firstFrame(); err != nil {
		return err
	}
	cuts, err := p.cuts()
	if err != nil {
		return err
	}
	p.describe()
	if c.send(&p.info) != nil {
		return errParent
	}
	for i := range cuts {
		if c.send(&cuts[i]) != nil {
			return errParent
		}
	}
	if c.last(&p.done) != nil {
		return errParent
	}
	return nil
}

// firstFrame decodes until the first picture comes out: only that says what the video's pictures are like.
func (p *planning) firstFrame() error {
	bytes := 0
	for n := 0; n < firstFramePackets && bytes < firstFrameBytes; n++ {
		k, err := p.src.read()
		if err != nil {
			return p.firstFrom(nil)
		}
		p.info.Untimed = p.info.Untimed || (n < timedProbe && !usable(k.pts))
		bytes += k.size
		err = p.firstFrom(k)
		k.release()
		if !errors.Is(err, errAgain) {
			return err
		}
	}
	return p.noFrames()
}

// firstFrom sends a packet (nil: the end) and takes the first picture; errAgain if there is none yet.
func (p *planning) firstFrom(k *packet) error {
	var code libavError
	if err := p.src.send(k); errors.As(err, &code) {
		if code.memory() {
			return err
		}
		p.done.Errors++
	}
	pic, err := p.src.receive()
	switch {
	case err == nil:
		return p.take(&pic)
	case errors.Is(err, errEnd):
		return p.noFrames()
	case errors.As(err, &code) && code.memory():
		return err
	case k == nil:
		return p.noFrames()
	default:
		return errAgain
	}
}

func (p *planning) noFrames() error {
	i := &p.src.info
	if int64(i.width)*int64(i.height) > p.request.MaxPixels {
		return &failure{wire.ReasonPixels, sizeText(int(i.width), int(i.height))}
	}
	if p.src.readFailed() {
		return &failure{wire.ReasonRead, "input/output error"}
	}
	return &failure{wire.ReasonNoFrames, ""}
}

func (p *planning) take(pic *picture) error {
	i := &p.src.info
	p.info.Geometry = upright(pic)
	if g := p.info.Geometry; g.Check(p.request.MaxPixels) != nil {
		return &failure{wire.ReasonPixels, sizeText(int(g.Width), int(g.Height))}
	}
	if !usable(pic.time) {
		pic.time, pic.guessed, p.undated = 0, true, true
	}
	if p.request.Container.Raw() {
		pic.time, pic.guessed = 0, true
	}
	p.info.Untimed = p.info.Untimed || pic.guessed
	p.info.FullRange = pic.fullRange
	p.info.Interlaced = pic.interlaced || i.interlaced != 0
	p.info.Deep = pic.deep
	p.info.Clock = p.origin(pic.time)
	return nil
}

// pause is the longest that the first picture of an MP4 or AVI file is waited for. What says to start later has the time
// of the day for a clock, or is a piece of a longer recording.
const pause = 60_000_000 // microseconds

// origin decides what time 0 is. MP4 and AVI have a time line of their own that starts at 0, which is what players show;
// only where a frame would come before it, or after a pause that nobody waits for, time starts there. Other containers'
// clocks start anywhere: there time starts with the first packet of any stream.
func (p *planning) origin(first int64) wire.Clock {
	i := &p.src.info
	c := wire.Clock{Num: int32(i.tb_num), Den: int32(i.tb_den), First: first}
	at := sampling.Nanoseconds(first, c.Num, c.Den)
	start := int64(i.start_time)
	switch {
	case p.request.Container.Raw():
	case (p.request.Container == wire.MP4 || p.request.Container == wire.AVI) && (!usable(start) || start < pause):
		c.Origin = min(0, at)
	case usable(start) && start > math.MinInt64/1000 && start < math.MaxInt64/1000:
		c.Origin = min(start*1000, at)
	default:
		c.Origin = at
	}
	return c
}

// describe fills in what the container says, as far as it can be believed.
func (p *planning) describe() {
	i := &p.src.info
	p.info.Codec = wire.MakeText(goString(i.codec[:]))
	p.info.Format = wire.MakeText(goString(i.format[:]))
	p.info.Stream = int32(i.stream)
	p.info.Skewed = i.skewed != 0
	p.info.Duration = p.duration()
	p.info.Until = p.end
	if p.request.Container != wire.MP4 && !p.done.Truncated { // whose index has times of hidden frames, too
		p.info.Until = max(p.end, p.lastEntry)
	}
	p.info.Videos = int32(i.videos)
	for n := range p.info.Videos {
		p.info.Video[n] = int32(i.video[n])
	}
	p.info.RateNum, p.info.RateDen = p.rate()
}

// fastest is the highest frame rate that is believed without counting; slow-motion cameras end there.
const fastest = 1000

func (p *planning) rate() (num, den int32) {
	num, den = int32(p.src.info.rate_num), int32(p.src.info.rate_den)
	if num > 0 && den > 0 && float64(num)/float64(den) <= fastest {
		return num, den
	}
	seconds := float64(p.info.Duration) / 1e9
	if frames := float64(max(p.packets, int64(p.src.entries()))); seconds > 0 && frames/seconds <= fastest {
		return int32(frames / seconds * 1000), 1000
	}
	return 0, 1
}

// duration is from the container's start to the end of its last frame, or of the container where that is said to be a
// little later (sound often goes on longer than pictures).
func (p *planning) duration() int64 {
	c := p.info.Clock
	video := int64(0)
	if p.end > c.First {
		video = sampling.Sub(sampling.Nanoseconds(p.end, c.Num, c.Den), c.Origin)
	}
	i := &p.src.info
	said := int64(i.duration)
	if !usable(said) || said <= 0 || said > math.MaxInt64/2000 || p.done.Truncated || p.clock.shift != 0 {
		return video
	}
	said *= 1000
	const second = 1_000_000_000
	if slack := max(video/10, 10*second); video > 0 && (said < video-second || said > video+slack) {
		return video
	}
	return said
}
