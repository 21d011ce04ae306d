package video

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/video/wire"
)

// StreamOptions say what is wanted of a segment.
type StreamOptions struct {
	// SampleRate is frames per second; 0 is every frame. More than the video has gives every frame once.
	SampleRate float64
	// Lookahead is how many frames the decoder may have ready before they are asked for, 1 to MaxSlots; below 1 means
	// 1. With 1 the decoder waits after each frame until the next is asked for: one core does both works in turn. More
	// keeps two cores busy.
	Lookahead int
}

// Stats says what decoding a segment took. It is complete after the end.
type Stats struct {
	Packets   int64 // of the video stream, read from the file
	Sent      int64 // packets given to the decoder
	Decoded   int64 // frames that it made
	Delivered int64 // frames that Next returned
	CPU       time.Duration
	PeakRSS   int64 // bytes
	Damage    Damage
}

// Stream is the sampled frames of one segment. It is used by one goroutine.
type Stream struct {
	source frameSource
	stats  Stats
	err    error // what every further Next returns
}

// frameSource is where frames come from: the helper, or ffmpeg.
type frameSource interface {
	// next is the next frame, or io.EOF.
	next(ctx context.Context) (*face.Frame, error)
	// finish tells the statistics; after the end only.
	finish() Stats
	close() error
}

// Open starts decoding a segment of a planned file. The caller closes the stream.
func (d *Decoder) Open(ctx context.Context, f *os.File, plan *Plan, seg Segment, o StreamOptions) (*Stream, error) {
	if err := plan.check(&seg, &d.cfg.Limits); err != nil {
		return nil, fmt.Errorf("open segment %d: %w", seg.Index, err)
	}
	if o.SampleRate < 0 || o.SampleRate != o.SampleRate {
		return nil, fmt.Errorf("open segment %d: sample rate %v", seg.Index, o.SampleRate)
	}
	o.Lookahead = min(max(o.Lookahead, 1), MaxSlots)
	in, err := d.reopen(f)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.file.Close() }()
	if in.size != plan.Track.Bytes {
		return nil, fail(Invalid, nil, "The file has changed since it was planned (%d bytes, then %d). Plan it again.",
			plan.Track.Bytes, in.size)
	}
	in.container = plan.Track.Container
	src, err := d.openSource(ctx, in, plan, &seg, o)
	if err != nil {
		return nil, err
	}
	return &Stream{source: src}, nil
}

func (d *Decoder) openSource(ctx context.Context, in *input, plan *Plan, seg *Segment, o StreamOptions) (frameSource, error) {
	if d.helper != "" {
		src, err := d.openHelper(ctx, in, plan, seg, o)
		if err == nil {
			return src, nil
		}
		if !d.mayFallBack(err) {
			return nil, err
		}
		d = d.withoutHelper()
	}
	return d.openTool(ctx, in, plan, seg, o)
}

// Next is the next frame, valid until the next call, or io.EOF after the last one. Any other error is final.
func (s *Stream) Next(ctx context.Context) (*face.Frame, error) {
	if s.err != nil {
		return nil, s.err
	}
	f, err := s.source.next(ctx)
	if err == nil {
		s.stats.Delivered++
		return f, nil
	}
	if errors.Is(err, io.EOF) {
		delivered := s.stats.Delivered
		s.stats = s.source.finish()
		s.stats.Delivered = delivered
	}
	s.err = err
	return nil, err
}

// Stats says what the segment took. It is complete after the end.
func (s *Stream) Stats() Stats { return s.stats }

// Close ends the stream and its process at once, wherever it stands. Frames must not be touched afterwards. It may be
// called more than once.
func (s *Stream) Close() error {
	if s.err == nil {
		s.err = errors.New("stream is closed")
	}
	return s.source.close()
}

// helperSource is a segment being decoded by spotter-decode.
type helperSource struct {
	child    *child
	ring     *ring
	held     int32          // the slot that the caller is looking at; -1 for none
	taken    []bool         // slots that the child has given away and not got back
	ready    []wire.Message // that have been looked at, and not been handed out
	last     int64          // the time of the last frame in nanoseconds
	from, to int64          // bounds of its times
	whole    bool           // the segment is the whole video
	pixels   int64          // the most that a picture may have
	count    int64
	done     *wire.Done
}

func (d *Decoder) openHelper(ctx context.Context, in *input, plan *Plan, seg *Segment, o StreamOptions) (frameSource, error) {
	t := &plan.Track
	stretch := seg.To - seg.From
	r := d.request(wire.TaskDecode, t.Container, d.cfg.Limits.decodeSeconds(plan, stretch),
		int64(t.Geometry.Width)*int64(t.Geometry.Height), t.Deep)
	r.Stream, r.Untimed, r.Segment, r.Clock, r.Rate = t.Stream, t.Untimed, seg.Place, t.Clock, o.SampleRate
	r.Base, r.RawRate, r.Until = t.Base, t.RawRate, t.Until
	r.Slots = int32(o.Lookahead) //nolint:gosec // G115: at most MaxSlots
	ring, err := newRing(r.MaxPixels, o.Lookahead)
	if err != nil {
		return nil, systemError(err, fail(Unavailable, nil, "There is no memory to share with the decoder."))
	}
	c, _, err := d.start(ctx, r, in, ring.file, stretch)
	if err != nil {
		return nil, errors.Join(err, ring.close())
	}
	h := &helperSource{
		child: c, ring: ring, held: -1, taken: make([]bool, o.Lookahead), last: -1, from: int64(seg.From), to: int64(seg.To),
		whole: len(plan.Segments) == 1, pixels: r.MaxPixels,
	}
	if seg.Place.From == wire.Beginning {
		h.from = 0
	}
	if seg.Place.To == wire.End {
		h.to = int64(d.cfg.Limits.MaxDuration) + 1
	}
	return h, nil
}

func (h *helperSource) next(ctx context.Context) (*face.Frame, error) {
	if err := h.release(ctx); err != nil {
		return nil, err
	}
	if len(h.ready) == 0 {
		m, err := h.child.receive(ctx)
		if err != nil {
			return nil, err
		}
		if err := h.take(m); err != nil {
			return nil, err
		}
	}
	m := h.ready[0]
	h.ready = h.ready[1:]
	switch m := m.(type) {
	case *wire.Frame:
		h.held = m.Slot
		h.count++
		return h.ring.picture(m), nil
	case *wire.Done:
		return nil, h.end(m)
	case *wire.Failure:
		h.child.settle()
		return nil, failureError(m)
	default:
		return nil, h.child.lied(fmt.Errorf("unexpected %T", m))
	}
}

// release gives the slot back that the caller has looked at. Before, it takes in what the child has said already: that
// cannot be about this slot, and is a frame for each of the others and a last word at most.
func (h *helperSource) release(ctx context.Context) error {
	if h.held < 0 {
		return nil
	}
	for len(h.ready) <= len(h.taken) {
		m, err := h.child.receiveReady(ctx)
		if err != nil {
			return err
		}
		if m == nil {
			break
		}
		if err := h.take(m); err != nil {
			return err
		}
	}
	slot := h.held
	h.held, h.taken[slot] = -1, false
	return h.child.send(ctx, &wire.Release{Slot: slot})
}

// take looks at a message and keeps it.
func (h *helperSource) take(m wire.Message) error {
	if f, ok := m.(*wire.Frame); ok {
		if err := h.check(f); err != nil {
			return h.child.lied(err)
		}
		h.taken[f.Slot], h.last = true, f.Time
	}
	h.ready = append(h.ready, m)
	return nil
}

// check believes a frame only if it can be one of this segment.
func (h *helperSource) check(m *wire.Frame) error {
	switch {
	case m.Slot < 0 || int(m.Slot) >= len(h.taken):
		return fmt.Errorf("slot %d of %d", m.Slot, len(h.taken))
	case h.taken[m.Slot]:
		return fmt.Errorf("slot %d was not given back", m.Slot)
	case m.Time <= h.last:
		return fmt.Errorf("time %d after %d", m.Time, h.last)
	case m.Time < h.from || m.Time >= h.to:
		return fmt.Errorf("time %d outside %d..%d", m.Time, h.from, h.to)
	case m.Matrix > uint8(face.BT2020):
		return fmt.Errorf("colour matrix %d", m.Matrix)
	}
	return (wire.Geometry{Width: m.Width, Height: m.Height}).Check(h.pixels)
}

// end takes the child's last word.
func (h *helperSource) end(m *wire.Done) error {
	if m.Delivered != h.count {
		return h.child.lied(fmt.Errorf("%d frames told, %d seen", m.Delivered, h.count))
	}
	if err := m.Check(); err != nil {
		return h.child.lied(err)
	}
	h.child.settle()
	h.done = m
	if m.TooLong {
		return fail(TooLarge, nil, "The video goes on for longer than the limit allows, although it says otherwise.")
	}
	if h.whole && m.Sent > 0 && m.Decoded == 0 {
		return failureError(&wire.Failure{Reason: wire.ReasonNoFrames})
	}
	return io.EOF
}

func (h *helperSource) finish() Stats {
	cpu, peak := h.child.usage()
	return Stats{
		Packets: h.done.Packets, Sent: h.done.Sent, Decoded: h.done.Decoded, CPU: cpu, PeakRSS: peak,
		Damage: damageOf(h.done),
	}
}

func (h *helperSource) close() error {
	h.child.close()
	if h.ring == nil {
		return nil
	}
	err := h.ring.close()
	h.ring = nil
	return err
}
