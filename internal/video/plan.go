package video

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/video/sampling"
	"github.com/spotter-video/spotter/internal/video/wire"
)

// Plan is what a video is and where it is cut. It can be kept as JSON and used by another process on the same file.
type Plan struct {
	Info face.VideoInfo
	// Segments follow each other without a gap; every frame belongs to exactly one. There is at least one.
	Segments []Segment
	// Warnings are sentences about what is odd with the file or weaker than it could be.
	Warnings []string
	// Videos are the numbers of the file's video tracks, in its order, as [Decoder.PlanTrack] takes them.
	Videos []int32
	// Damage is what is known to be missing before anything is decoded.
	Damage Damage
	// Track is what opening a segment needs to know again.
	Track Track
}

// Segment is a stretch of a video that can be decoded on its own: the frames with From <= time < To. The first one
// begins with the video's first frame, and the last one ends with its last, whatever To says.
type Segment struct {
	Index    int
	From, To time.Duration
	// Place says the same in the stream's own ticks, and how to get there.
	Place wire.Segment
}

// Track is the chosen video stream as the decoder needs to know it. It is of no use to others.
type Track struct {
	Container wire.Container
	Stream    int32
	Clock     wire.Clock
	Geometry  wire.Geometry
	Untimed   bool // packets have no presentation times
	Deep      bool // more than 8 bits a sample
	Bytes     int64
	Base      int64 // where the container begins in the file
	Until     int64 // when the video ends, in ticks
	RawRate   int32 // frames per second of a raw stream, in thousandths
	// The rest is for the ffmpeg command line; Tool says that its plan is of its own making.
	Tool       bool
	Interlaced bool
	Space      string // ffprobe's name of the colour matrix
}

// Plan describes a video and cuts it into segments. It reads the container's index, or else the whole file once, and
// decodes the first frame only. Segments depend on the file and the settings alone.
func (d *Decoder) Plan(ctx context.Context, f *os.File) (*Plan, error) {
	return d.PlanTrack(ctx, f, -1)
}

// PlanTrack plans a certain video track: one of a plan's Videos. Below 0 it is the one that the file marks, or the first.
func (d *Decoder) PlanTrack(ctx context.Context, f *os.File, track int32) (*Plan, error) {
	in, err := d.input(ctx, f)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.file.Close() }()
	in.track = track
	p, err := d.planWith(ctx, in)
	if err != nil {
		return nil, explain(ctx, err, in)
	}
	if p.Info.Duration > d.cfg.Limits.MaxDuration {
		return nil, fail(TooLarge, nil, "The video is %v long; the limit is %v. Raise the limit, or cut the video.",
			p.Info.Duration.Round(time.Second), d.cfg.Limits.MaxDuration)
	}
	return p, nil
}

func (d *Decoder) planWith(ctx context.Context, in *input) (*Plan, error) {
	if d.helper != "" {
		p, err := d.planHelper(ctx, in)
		if err == nil || !d.mayFallBack(err) {
			return p, err
		}
		d = d.withoutHelper()
	}
	return d.planTool(ctx, in)
}

func (d *Decoder) planHelper(ctx context.Context, in *input) (*Plan, error) {
	// Planning reads up to the whole file: a minute of CPU for each of its gigabytes is far more than that takes.
	stretch := time.Duration(in.size>>30+1) * time.Minute
	r := d.request(wire.TaskPlan, in.container, d.cfg.Limits.planSeconds(stretch, in.size), d.cfg.Limits.MaxPixels, false)
	r.Spacing = int64(d.cfg.Limits.SegmentLength)
	cut, err := cutShort(ctx, in)
	if err != nil {
		return nil, err
	}
	r.Stream, r.Base, r.RawRate, r.Cut = in.track, in.base, in.rawRate, cut
	c, ready, err := d.start(ctx, r, in, nil, stretch)
	if err != nil {
		return nil, err
	}
	defer c.close()
	p, err := d.readPlan(ctx, c, in)
	if err != nil {
		return nil, err
	}
	p.Warnings = append(p.Warnings, sandboxWarnings(ready)...)
	return p, nil
}

// maxClocks is the most recordings that are joined in one file: each begins with a cut. It is the child's own bound.
const maxClocks = 1000

// maxSegments bounds what a child may say: the longest video in the shortest segments.
func (l *Limits) maxSegments() int { return int(l.MaxDuration/l.SegmentLength) + 2 }

// readPlan takes a child's description, cuts and last word.
func (d *Decoder) readPlan(ctx context.Context, c *child, in *input) (*Plan, error) {
	var (
		info *wire.Info
		cuts []wire.Cut
	)
	for {
		m, err := c.receive(ctx)
		if err != nil {
			return nil, err
		}
		switch m := m.(type) {
		case *wire.Info:
			if err := m.Check(d.cfg.Limits.MaxPixels); info != nil || err != nil {
				return nil, c.lied(errors.Join(errors.New("description"), err))
			}
			info = m
		case *wire.Cut:
			if info == nil || len(cuts) >= d.cfg.Limits.maxSegments()+maxClocks || (len(cuts) > 0 && m.From <= cuts[len(cuts)-1].From) {
				return nil, c.lied(errors.New("cut out of order"))
			}
			cuts = append(cuts, *m)
		case *wire.Failure:
			c.settle()
			return nil, failureError(m)
		case *wire.Done:
			if info == nil {
				return nil, c.lied(errors.New("no description"))
			}
			if err := m.Check(); err != nil {
				return nil, c.lied(err)
			}
			c.settle()
			return makePlan(info, cuts, m, in), nil
		default:
			return nil, c.lied(fmt.Errorf("unexpected %T", m))
		}
	}
}

func makePlan(info *wire.Info, cuts []wire.Cut, done *wire.Done, in *input) *Plan {
	p := &Plan{
		Info: describe(info),
		Track: Track{
			Container: in.container, Stream: info.Stream, Clock: info.Clock, Geometry: info.Geometry,
			Untimed: info.Untimed, Deep: info.Deep, Bytes: in.size, Interlaced: info.Interlaced, Base: in.base, Until: info.Until,
			RawRate: in.rawRate,
		},
	}
	p.Damage = Damage{Truncated: done.Truncated, Clocks: done.Clocks}
	if info.Skewed {
		p.Warnings = append(p.Warnings, "the file asks for a rotation that is no quarter turn; the nearest one is used")
	}
	p.Videos = slices.Clone(info.Video[:info.Videos])
	p.Segments = makeSegments(info, cuts, p.Info.Duration)
	return p
}

func describe(i *wire.Info) face.VideoInfo {
	v := face.VideoInfo{
		Codec: i.Codec.String(), Format: i.Format.String(), Duration: time.Duration(i.Duration),
		Width: int(i.Geometry.Width), Height: int(i.Geometry.Height),
		FullRange: i.FullRange, Interlaced: i.Interlaced, Rotation: i.Geometry.Orientation.Degrees(),
	}
	if i.RateDen > 0 {
		v.FrameRate = float64(i.RateNum) / float64(i.RateDen)
	}
	return v
}

func makeSegments(info *wire.Info, cuts []wire.Cut, end time.Duration) []Segment {
	c := info.Clock
	at := func(ticks int64) time.Duration {
		return time.Duration(sampling.Sub(sampling.Nanoseconds(ticks, c.Num, c.Den), c.Origin))
	}
	segments := make([]Segment, 1, 1+len(cuts))
	segments[0].Place = wire.Segment{From: wire.Beginning, To: wire.End}
	for i, cut := range cuts {
		last := &segments[len(segments)-1]
		last.To, last.Place.To = at(cut.From), cut.From
		segments = append(segments, Segment{Index: i + 1, From: last.To, Place: wire.Segment{
			From: cut.From, To: wire.End, Seek: info.Seek, KeyTime: cut.KeyTime, SeekPos: cut.SeekPos,
			Shift: cut.Shift, Begin: cut.Begin,
		}})
		if last.Place.Begin != cut.Begin {
			stopAt(segments, last.Place.Begin, cut.Begin)
		}
	}
	last := &segments[len(segments)-1]
	last.To = max(end, last.From)
	if info.Stop > 0 {
		stopAt(segments, last.Place.Begin, info.Stop)
	}
	return segments
}

// stopAt ends the clock that begins at a byte at another.
func stopAt(segments []Segment, begin, stop int64) {
	for i := len(segments) - 1; i >= 0; i-- {
		if p := &segments[i].Place; p.Begin == begin {
			p.Stop = stop
		}
	}
}

func sandboxWarnings(r *wire.Ready) []string {
	var w []string
	if r.Landlock == 0 {
		w = append(w, "decoded without Landlock: the sandbox is weaker than it should be")
	}
	if !r.Seccomp {
		w = append(w, "decoded without seccomp: the sandbox is weaker than it should be")
	}
	if !r.Limits {
		w = append(w, "decoded without resource limits: the sandbox is weaker than it should be")
	}
	return w
}

// check says what a plan that came from outside this package cannot be opened with.
func (p *Plan) check(seg *Segment, l *Limits) error {
	t := &p.Track
	switch {
	case t.Clock.Num <= 0 || t.Clock.Den <= 0:
		return errors.New("plan without a clock")
	case t.Container.Demuxer() == "" || t.Base < 0 || t.Base > t.Bytes:
		return errors.New("plan without a container")
	case seg.Place.From >= seg.Place.To || seg.From < 0 || seg.To < seg.From:
		return fmt.Errorf("segment %d is empty", seg.Index)
	}
	return t.Geometry.Check(l.MaxPixels)
}
