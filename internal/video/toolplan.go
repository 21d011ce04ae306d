package video

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spotter-video/spotter/internal/video/sampling"
	"github.com/spotter-video/spotter/internal/video/sandbox"
	"github.com/spotter-video/spotter/internal/video/wire"
)

// probed is the part of ffprobe's JSON that is looked at.
type probed struct {
	Streams []probedStream
	Format  struct {
		LongName  string `json:"format_long_name"`
		Duration  string
		StartTime string `json:"start_time"`
	}
}

type probedStream struct {
	Index       int32
	Type        string `json:"codec_type"`
	Codec       string `json:"codec_name"`
	Tag         string `json:"codec_tag_string"`
	Width       int
	Height      int
	SAR         string `json:"sample_aspect_ratio"`
	PixelFormat string `json:"pix_fmt"`
	Range       string `json:"color_range"`
	Space       string `json:"color_space"`
	FieldOrder  string `json:"field_order"`
	TimeBase    string `json:"time_base"`
	Rate        string `json:"avg_frame_rate"`
	Disposition struct {
		Default     int
		AttachedPic int `json:"attached_pic"`
	}
	SideData []struct{ Rotation float64 } `json:"side_data_list"`
}

// toolLacks is what the fallback does not do, for sentences.
const toolLacks = "of recordings joined in one file only what goes by the first clock is sure to be searched, damage is not noticed, and bare " +
	"streams are not read"

// planTool plans a file with ffprobe: the description first, then every packet's time.
func (d *Decoder) planTool(ctx context.Context, in *input) (*Plan, error) {
	if d.ffmpeg == "" || d.ffprobe == "" {
		return nil, fail(Unavailable, nil, "There is no decoder: neither %s nor %s with %s was found beside this program or in "+
			"PATH. Build spotter-decode, or install ffmpeg.", helperName, ffmpegName, probeName)
	}
	if in.container.Raw() {
		return nil, fail(Unavailable, nil, "A stream without a container is decoded by %s only. Run: spotter doctor.", helperName)
	}
	if err := in.whole(ctx); err != nil {
		return nil, err
	}
	about, err := d.probe(ctx, in, 1<<20, "-show_streams", "-show_format", "-of", "json")
	if err != nil {
		return nil, err
	}
	var p probed
	if err = json.Unmarshal(about, &p); err != nil {
		return nil, fail(Invalid, err, "ffprobe cannot describe the video.")
	}
	s, err := p.choose()
	if in.track >= 0 {
		s, err = p.track(in.track)
	}
	if err != nil {
		return nil, err
	}
	plan, err := d.toolPlan(&p, s, in)
	if err != nil {
		return nil, err
	}
	// About 30 bytes a packet: 6 hours at 240 frames a second are 160 MB, which no honest file needs.
	const listBytes = 64 << 20
	list, err := d.probe(ctx, in, listBytes, "-select_streams", strconv.Itoa(int(s.Index)), "-show_entries", "packet=pts,dts,flags",
		"-of", "csv=p=0")
	if err != nil {
		return nil, err
	}
	if err := plan.cutByPackets(list, d.cfg.Limits.SegmentLength, &p); err != nil {
		return nil, err
	}
	return plan, nil
}

func (d *Decoder) probe(ctx context.Context, in *input, limit int, args ...string) ([]byte, error) {
	stretch := time.Duration(in.size>>30+1) * time.Minute
	args = append([]string{"-v", "error", "-hide_banner"}, args...)
	return d.run(ctx, toolRun{
		order: stageOrder{
			Limits:  sandbox.Limits{Memory: d.cfg.Limits.memory(d.cfg.Limits.MaxPixels, false), CPUSeconds: d.cfg.Limits.planSeconds(stretch, in.size)},
			Program: d.ffprobe, Args: append(args, d.inputArgs(in.container, in.base)...), Read: []string{inputPath},
		},
		files: []*os.File{in.file},
	}, limit, d.cfg.Limits.wall(stretch))
}

// videos are the numbers of the video tracks, without covers.
func (p *probed) videos() (list []int32) {
	for i := range p.Streams {
		if s := &p.Streams[i]; s.Type == "video" && s.Disposition.AttachedPic == 0 && len(list) < wire.MaxVideos {
			list = append(list, s.Index)
		}
	}
	return list
}

// track is the stream of a number, to be decoded.
func (p *probed) track(number int32) (*probedStream, error) {
	only := probed{Format: p.Format}
	for i := range p.Streams {
		if p.Streams[i].Index == number {
			only.Streams = p.Streams[i : i+1]
		}
	}
	return only.choose()
}

// choose is the stream to decode, by the helper's rule: the default one, else the first; covers do not count.
func (p *probed) choose() (*probedStream, error) {
	var best *probedStream
	audio, cover := false, false
	for i := range p.Streams {
		s := &p.Streams[i]
		audio = audio || s.Type == "audio"
		if s.Type != "video" {
			continue
		}
		if s.Disposition.AttachedPic != 0 {
			cover = true
			continue
		}
		if best == nil || (s.Disposition.Default != 0 && best.Disposition.Default == 0) {
			best = s
		}
	}
	reason := wire.ReasonNoVideo
	switch {
	case best == nil && cover:
		reason = wire.ReasonCover
	case best == nil && audio:
		reason = wire.ReasonAudioOnly
	case best == nil:
	case best.Tag == "encv":
		reason = wire.ReasonEncrypted
	case best.Width <= 0 || best.Height <= 0:
		reason = wire.ReasonNoFrames
	case !strings.Contains(","+decoders+",av1,", ","+best.Codec+","):
		reason = wire.ReasonCodec
	default:
		return best, nil
	}
	f := &wire.Failure{Reason: reason}
	if best != nil {
		f.Codec = wire.MakeText(best.Codec)
	}
	return nil, failureError(f)
}

func (d *Decoder) toolPlan(p *probed, s *probedStream, in *input) (*Plan, error) {
	g := s.geometry()
	if g.Check(d.cfg.Limits.MaxPixels) != nil {
		return nil, failureError(&wire.Failure{Reason: wire.ReasonPixels})
	}
	num, den, ok := fraction(s.TimeBase)
	if !ok {
		return nil, fail(Invalid, nil, "The video has no time base.")
	}
	t := Track{
		Container: in.container, Stream: s.Index, Clock: wire.Clock{Num: num, Den: den}, Geometry: g, Bytes: in.size, Base: in.base,
		Deep: strings.Contains(s.PixelFormat, "10") || strings.Contains(s.PixelFormat, "12"), Tool: true, Space: s.Space,
		Interlaced: s.FieldOrder != "" && s.FieldOrder != "progressive" && s.FieldOrder != "unknown",
	}
	plan := &Plan{Track: t, Videos: p.videos(), Warnings: []string{"decoded by the ffmpeg command line, because spotter-decode cannot run: slower, and " + toolLacks}}
	plan.Info.Codec, plan.Info.Format = printable(s.Codec), printable(p.Format.LongName)
	plan.Info.Width, plan.Info.Height, plan.Info.Rotation = int(g.Width), int(g.Height), g.Orientation.Degrees()
	plan.Info.FullRange, plan.Info.Interlaced = s.Range == "pc", t.Interlaced
	if n, m, ok := fraction(s.Rate); ok {
		plan.Info.FrameRate = float64(n) / float64(m)
	}
	return plan, nil
}

// geometry is the picture's size as ffmpeg will make it: square pixels, upright.
func (s *probedStream) geometry() wire.Geometry {
	w, h := squarePixels(s.Width, s.Height, s.SAR)
	g := wire.Geometry{Width: int32(min(w, math.MaxInt32)), Height: int32(min(h, math.MaxInt32))}
	for _, side := range s.SideData {
		// ffprobe tells the turn counter-clockwise.
		switch (int(math.Round(side.Rotation/90))%4 + 4) % 4 {
		case 1:
			g.Orientation = wire.Transpose | wire.FlipY
		case 2:
			g.Orientation = wire.FlipX | wire.FlipY
		case 3:
			g.Orientation = wire.Transpose | wire.FlipX
		}
	}
	if g.Orientation&wire.Transpose != 0 {
		g.Width, g.Height = g.Height, g.Width
	}
	return g
}

// squarePixels stretches the shorter side of pixels that are not square, as the helper does.
func squarePixels(width, height int, sar string) (w, h float64) {
	a, b, ok := strings.Cut(sar, ":")
	w, h = float64(width), float64(height)
	if !ok {
		return w, h
	}
	n, _ := strconv.Atoi(a)
	m, _ := strconv.Atoi(b)
	return wire.Square(width, height, n, m)
}

func fraction(s string) (num, den int32, ok bool) {
	a, b, ok := strings.Cut(s, "/")
	n, err1 := strconv.ParseInt(a, 10, 32)
	m, err2 := strconv.ParseInt(b, 10, 32)
	if !ok || err1 != nil || err2 != nil || n <= 0 || m <= 0 {
		return 0, 0, false
	}
	return int32(n), int32(m), true
}

// cutByPackets finds the first frame, the keyframes and the end in ffprobe's list of packets: "pts,dts,flags" a line.
func (p *Plan) cutByPackets(list []byte, length time.Duration, about *probed) error {
	c := &p.Track.Clock
	step := max(1, sampling.Ticks(int64(length), c.Num, c.Den))
	first, last, count := int64(math.MaxInt64), int64(math.MinInt64), 0
	var keys []int64
	for line := range bytes.Lines(list) {
		pts, flags, ok := packetLine(string(line))
		if !ok {
			continue
		}
		count++
		if strings.Contains(flags, "D") {
			continue
		}
		first, last = min(first, pts), max(last, pts)
		if strings.HasPrefix(flags, "K") && (len(keys) == 0 || pts >= keys[len(keys)-1]+step) {
			keys = append(keys, pts)
		}
	}
	if count == 0 || first > last {
		return failureError(&wire.Failure{Reason: wire.ReasonNoFrames})
	}
	c.First = first
	c.Origin = p.origin(first, about.Format.StartTime)
	info := &wire.Info{Clock: *c, Seek: wire.SeekTime}
	p.Info.Duration = time.Duration(sampling.Sub(sampling.Nanoseconds(last, c.Num, c.Den), c.Origin))
	if said, err := strconv.ParseFloat(about.Format.Duration, 64); err == nil && said > 0 && said < 1e6 {
		if d := time.Duration(said * 1e9); d > p.Info.Duration && d < p.Info.Duration+10*time.Second {
			p.Info.Duration = d
		}
	}
	var cuts []wire.Cut
	for _, k := range keys[min(1, len(keys)):] {
		if k > first && k < last {
			cuts = append(cuts, wire.Cut{From: k, KeyTime: k})
		}
	}
	p.Segments = makeSegments(info, cuts, p.Info.Duration)
	return nil
}

func (p *Plan) origin(first int64, start string) int64 {
	c := &p.Track.Clock
	at := sampling.Nanoseconds(first, c.Num, c.Den)
	const pause = 60 // seconds: as the helper has it
	s, err := strconv.ParseFloat(start, 64)
	if (p.Track.Container == wire.MP4 || p.Track.Container == wire.AVI) && (err != nil || s < pause) {
		return min(0, at)
	}
	if err == nil && math.Abs(s) < 1e9 {
		return min(int64(math.Round(s*1e9)), at)
	}
	return at
}

// packetLine reads "pts,dts,flags"; a missing pts is replaced by the dts.
func packetLine(line string) (pts int64, flags string, ok bool) {
	fields := strings.Split(strings.TrimSpace(line), ",")
	if len(fields) < 3 {
		return 0, "", false
	}
	for _, f := range fields[:2] {
		if v, err := strconv.ParseInt(f, 10, 64); err == nil {
			return v, fields[2], true
		}
	}
	return 0, fields[2], false
}
