//go:build cgo && !nolibav

package main

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spotter-video/spotter/internal/video"
	"github.com/spotter-video/spotter/internal/video/sampling"
	"github.com/spotter-video/spotter/internal/video/wire"
)

// decoding is one segment being decoded.
type decoding struct {
	control *control
	request *wire.Request
	src     *source
	ring    []byte // the shared memory
	size    int    // bytes of one slot
	free    []int32
	done    wire.Done
	last    int64 // the time of the frame delivered last, in nanoseconds
	wants   func(time int64) bool
	frames  int64 // that came out of a raw stream
	leading int64 // packets refused before anything could be decoded
	dated   int64 // the time of the last picture that came out
	over    bool  // a frame beyond the segment has come out, where that ends it
}

// decode delivers the sampled frames of the request's segment.
func decode(c *control, r *wire.Request) error {
	d := &decoding{control: c, request: r, last: -1, dated: noTime}
	if err := d.mapRing(); err != nil {
		return err
	}
	if err := d.openAtStart(); err != nil {
		return err
	}
	defer func() { d.src.close() }()
	return d.finish(d.run())
}

func (d *decoding) mapRing() error {
	r := d.request
	if r.MaxPixels < 1 || r.MaxPixels > wire.MostPixels || r.Slots < 1 || r.Slots > video.MaxSlots {
		return &failure{wire.ReasonProtocol, fmt.Sprintf("%d slots of %d pixels", r.Slots, r.MaxPixels)}
	}
	d.size = wire.SlotSize(r.MaxPixels)
	ring, err := unix.Mmap(video.RingFD, 0, d.size*int(r.Slots), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return &failure{wire.ReasonInternal, "map ring: " + err.Error()}
	}
	d.ring = ring
	for i := r.Slots - 1; i >= 0; i-- {
		d.free = append(d.free, i)
	}
	return nil
}

// openAtStart opens the file and reads up to the keyframe where decoding starts. Where seeking leads astray it starts
// over from the beginning of the file.
func (d *decoding) openAtStart() error {
	s := d.request.Segment
	src, _, err := open(d.control, d.request, int(d.request.Stream), accounts(d.request.Container))
	if err != nil {
		return err
	}
	d.src = src
	src.begin, src.stop = s.Begin, s.Stop
	src.shift(s.Shift)
	if d.request.Container == wire.MPEGPS { // it fills up to whole sectors, and dates few of its packets
		src.coverage.least = sampling.Ticks(int64(400*time.Millisecond), d.request.Clock.Num, d.request.Clock.Den)
	}
	src.coverage.from, src.coverage.to, src.coverage.step = s.From, s.To, src.step()
	if s.From == wire.Beginning {
		return nil
	}
	switch s.Seek {
	case wire.SeekTime:
		err = src.seek(s.KeyTime)
	case wire.SeekByte:
		err = src.seekByte(s.SeekPos)
	case wire.SeekNone:
	}
	first, found := (*packet)(nil), false
	if err == nil {
		first, found = d.skipTo(s.KeyTime)
	}
	if !found && s.Seek != wire.SeekNone {
		d.request.Segment.Seek = wire.SeekNone
		src.close()
		return d.openAtStart()
	}
	if !found {
		return &failure{wire.ReasonOpen, "the file has changed since it was planned"}
	}
	d.src.pushBack(first)
	return nil
}

// accounts says whether all streams of a container are read, to see which bytes belong to none. MP4 says itself where
// its frames lie, and a transport stream's damage shows in its packets.
func accounts(c wire.Container) bool { return c != wire.MP4 && c != wire.MPEGTS && !c.Raw() }

// skipTo reads up to the keyframe with a time.
func (d *decoding) skipTo(key int64) (*packet, bool) {
	for {
		k, err := d.src.read()
		if err != nil {
			return nil, false
		}
		d.done.Packets++
		at := k.pts
		if d.request.Untimed {
			at = k.dts
		}
		if k.key && at == key {
			d.done.Packets--
			return k, true
		}
		k.release()
		if usable(k.dts) && k.dts > key {
			return nil, false
		}
	}
}

func (d *decoding) run() error {
	r := d.request
	grid := sampling.NewGrid(r.Clock.First, r.Clock.Num, r.Clock.Den, r.Rate)
	if r.Untimed {
		return d.runUntimed(&outputSampler{grid: grid, from: r.Segment.From, to: r.Segment.To, last: noTime})
	}
	p := newPlanner(d.src, r, grid)
	d.wants = p.wants
	defer func() {
		d.done.Packets += p.packets
		d.done.Missing += int64(len(p.wanted))
		d.done.Truncated = d.done.Truncated || p.readErr != nil
	}()
	for {
		group, err := p.next()
		if errors.Is(err, errEnd) {
			return d.drain()
		}
		if err != nil {
			return err
		}
		if err := d.decodeAll(group); err != nil {
			return err
		}
	}
}

func (d *decoding) decodeAll(group []*packet) error {
	defer func() {
		for _, k := range group {
			k.release()
		}
	}()
	for _, k := range group {
		if err := d.send(k); err != nil {
			return err
		}
		k.release()
	}
	return nil
}

// runUntimed decodes everything and samples what comes out, for containers that give packets no presentation times.
func (d *decoding) runUntimed(s *outputSampler) error {
	d.wants = func(time int64) bool {
		d.over = d.over || time >= s.to
		return s.wants(time)
	}
	for !d.over {
		k, err := d.src.read()
		if errors.Is(err, errEnd) {
			break
		}
		if err != nil {
			d.done.Truncated = true
			break
		}
		d.done.Packets++
		if err := d.decodeAll([]*packet{k}); err != nil {
			return err
		}
	}
	return d.drain()
}

// outputSampler takes the first frame at or after each grid point, by the times that the decoder gives.
type outputSampler struct {
	grid           sampling.Grid
	from, to, last int64
}

func (s *outputSampler) wants(time int64) bool {
	if !usable(time) {
		return false
	}
	first := s.last == noTime
	next := first || s.grid.All() || s.grid.Index(time) > s.grid.Index(s.last)
	s.last = max(s.last, time)
	return next && time >= s.from && time < s.to
}

func (d *decoding) drain() error { return d.send(nil) }

// send gives the decoder a packet (nil: the end) and delivers what comes out.
func (d *decoding) send(k *packet) error {
	if k != nil {
		d.done.Sent++
	}
	if err := d.tolerate(d.src.send(k)); err != nil {
		return err
	}
	for {
		pic, err := d.src.receive()
		if errors.Is(err, errAgain) || errors.Is(err, errEnd) {
			return nil
		}
		if err != nil {
			if err = d.tolerate(err); err != nil {
				return err
			}
			continue // the packet is used up; more may be waiting
		}
		d.done.Decoded++
		d.date(&pic)
		if !d.wants(pic.time) {
			continue
		}
		if err := d.deliver(&pic); err != nil {
			return err
		}
	}
}

// date gives a picture a time that has none: in a raw stream by counting, else one step after the picture before; the
// file's first has the time that its plan says. Where there is none before, or no step, it stays without, and nobody wants it.
func (d *decoding) date(pic *picture) {
	switch step := d.src.step(); {
	case d.request.Container.Raw():
		pic.time = d.frames * step
		d.frames++
	case !usable(pic.time) && usable(d.dated) && step > 0:
		pic.time = sampling.Add(d.dated, step)
	case !usable(pic.time) && d.done.Decoded == 1 && d.request.Segment.From == wire.Beginning:
		pic.time = d.request.Clock.First
	}
	if usable(pic.time) {
		d.dated = pic.time
	}
}

// tolerate counts what a damaged file makes the decoder refuse, and lets only a lack of memory pass.
func (d *decoding) tolerate(err error) error {
	if err == nil {
		return nil
	}
	var code libavError
	if errors.As(err, &code) && code.memory() {
		return err
	}
	if d.done.Decoded == 0 && d.request.Segment.From == wire.Beginning {
		d.leading++ // a recording may begin between two keyframes
		return nil
	}
	d.done.Errors++
	return nil
}

// errTooLong ends a stretch at the longest time that is allowed.
var errTooLong = errors.New("the video goes on for too long")

func (d *decoding) deliver(pic *picture) error {
	c := d.request.Clock
	at := sampling.Sub(sampling.Nanoseconds(pic.time, c.Num, c.Den), c.Origin)
	if at <= d.last {
		d.done.Backwards++
		return nil
	}
	if at > d.request.MaxTime {
		return errTooLong
	}
	g := upright(pic)
	if g.Check(d.request.MaxPixels) != nil {
		d.done.Errors++
		return nil //nolint:nilerr // counted
	}
	slot := d.free[len(d.free)-1]
	d.free = d.free[:len(d.free)-1]
	start := int(slot) * d.size
	if err := d.src.draw(g, d.ring[start:start+d.size]); err != nil {
		d.free = append(d.free, slot)
		return d.tolerate(err)
	}
	d.last = at
	d.done.Delivered++
	if pic.concealed {
		d.done.Concealed++
	}
	m := &wire.Frame{Slot: slot, Width: g.Width, Height: g.Height, Time: at, Matrix: pic.matrix, FullRange: pic.fullRange}
	if d.control.send(m) != nil {
		return errParent
	}
	return d.waitForSlot()
}

// waitForSlot returns when there is a slot to draw into. With one slot, parent and child therefore take turns.
func (d *decoding) waitForSlot() error {
	for len(d.free) == 0 {
		m, err := d.control.receive()
		if err != nil {
			return errParent
		}
		back, ok := m.(*wire.Release)
		if !ok || back.Slot < 0 || back.Slot >= d.request.Slots {
			return &failure{wire.ReasonProtocol, "a slot that is not one came back"}
		}
		d.free = append(d.free, back.Slot)
	}
	return nil
}

func (d *decoding) finish(err error) error {
	if errors.Is(err, errTooLong) {
		d.done.TooLong, err = true, nil
	}
	if err != nil {
		return err
	}
	if d.src.readFailed() {
		return &failure{wire.ReasonRead, "input/output error"}
	}
	if d.done.Decoded == 0 {
		d.done.Errors += d.leading
	}
	cover, clock := &d.src.coverage, d.request.Clock
	if !d.done.TooLong {
		cover.finish(d.request.Until)
	}
	d.done.Corrupt, d.done.Lost = cover.corrupt, sampling.Nanoseconds(cover.lost, clock.Num, clock.Den)
	if d.control.last(&d.done) != nil {
		return errParent
	}
	return nil
}
