//go:build cgo && !nolibav

package main

import (
	"errors"
	"fmt"
	"math"

	"github.com/spotter-video/spotter/internal/video/sampling"
	"github.com/spotter-video/spotter/internal/video/wire"
)

// cuts finds the places where the file can be cut into segments, and the file's true end on the way.
func (p *planning) cuts() ([]wire.Cut, error) {
	if p.indexed() {
		p.info.Seek = wire.SeekTime
		p.walkIndex()
		if p.lookAtEnd() {
			return p.spaced(), nil
		} // else it is only what libav has read so far
	}
	p.info.Seek = wire.SeekNone
	if p.request.Container == wire.MPEGTS || p.request.Container == wire.MPEGPS {
		p.info.Seek = wire.SeekByte
	}
	if err := p.walkFile(); err != nil {
		return nil, err
	}
	return p.spaced(), nil
}

// indexed says whether the container has an index of the whole file.
func (p *planning) indexed() bool {
	switch p.request.Container {
	case wire.MP4:
		return p.src.entries() > 0 && !hasFragments(p.src.file, p.size)
	case wire.AVI:
		return p.src.entries() > 1
	case wire.Matroska:
		// The cues are read when somebody first wants to go somewhere.
		return p.src.seek(p.info.Clock.First) == nil && p.src.refreshIndex() > 1
	default:
		return false
	}
}

// spacing is the wished distance of two cuts in ticks, at least 1. It is a little short, so that keyframes at just that
// distance count although decoding times waver by some frames.
func (p *planning) spacing() int64 {
	c := p.info.Clock
	step := sampling.Ticks(p.request.Spacing, c.Num, c.Den)
	return max(1, step-step/8)
}

// walkIndex collects keyframes from the index, about a spacing apart, and makes sure of each by reading its packet: an
// index can lie, and it has decoding times where presentation times are wanted.
func (p *planning) walkIndex() {
	step, next := p.spacing(), int64(math.MinInt64)
	for i := range p.src.entries() {
		e, ok := p.src.entry(i)
		if !ok || !e.key {
			continue
		}
		if e.pos >= p.size {
			p.done.Truncated = true
			break
		}
		p.lastKey = e.time
		if e.time < next {
			continue
		}
		if k, ok := p.keyAt(e.time); ok {
			p.keys = append(p.keys, k)
			next = e.time + step
		}
	}
	if n := p.src.entries(); n > 0 {
		if e, ok := p.src.entry(n - 1); ok && e.pos >= p.size {
			p.done.Truncated = true
		} else if ok {
			p.lastEntry = e.time
		}
	}
}

// keyAt is the keyframe at a time of the index. MP4's index has decoding times, but seeking in it goes by presentation
// times; the distance of the two is learned from the keyframes seen before.
func (p *planning) keyAt(time int64) (keyframe, bool) {
	if p.src.seek(time+p.delay) != nil {
		return keyframe{}, false
	}
	k, err := p.src.read()
	if err != nil {
		return keyframe{}, false
	}
	defer k.release()
	if usable(k.pts) && usable(k.dts) && !p.info.Untimed {
		p.delay = max(0, k.pts-k.dts)
	}
	if !k.key || k.discard {
		return keyframe{}, false
	}
	key := p.keyframe(k)
	return key, usable(p.time(&key))
}

func (p *planning) keyframe(k *packet) keyframe {
	return keyframe{k.pts, k.dts, k.pos, p.clock.shift, p.clock.begin}
}

// lookAtEnd reads the file's last group for the end of its last frame. It is false where that is not to be found.
func (p *planning) lookAtEnd() bool {
	if p.src.seek(p.lastKey+p.delay) != nil {
		return p.request.Container == wire.MP4
	}
	for range tailPackets {
		k, err := p.src.read()
		if err != nil {
			if p.request.Container != wire.MP4 { // whose index tells of all streams
				p.atEnd(err)
			}
			return p.end != noTime
		}
		p.note(k)
		k.release()
	}
	return p.request.Container == wire.MP4
}

// note keeps count of a packet and of the latest end of a frame.
func (p *planning) note(k *packet) {
	p.packets++
	if p.request.Container.Raw() {
		p.end = p.packets * p.src.step()
		return
	}
	at := k.pts
	if !usable(at) {
		at = k.dts
	}
	if usable(k.dts) {
		p.dated, p.after = k.dts, 0
	} else if p.after++; !usable(at) && usable(p.dated) {
		at = sampling.Add(p.dated, p.after*p.src.step())
	}
	if usable(at) && !k.discard && at < math.MaxInt64-max(k.duration, 0) {
		p.end = max(p.end, at+max(k.duration, 0))
	}
}

// walkFile reads the whole file once, without decoding.
func (p *planning) walkFile() error {
	if err := p.reopen(); err != nil {
		return err
	}
	p.packets, p.keys, p.next = 0, nil, math.MinInt64
	p.dated, p.after = noTime, 0
	p.clock = newClock(p.request.Container, &p.info.Clock)
	for p.info.Stop == 0 {
		k, err := p.src.read()
		if err != nil {
			if p.src.readFailed() {
				return &failure{wire.ReasonRead, "input/output error"}
			}
			if !usable(p.end) { // of no packet
				p.end = sampling.Add(p.info.Clock.First, p.packets*p.src.step())
			}
			p.atEnd(err)
			return nil
		}
		k.release()
		p.follow(k)
	}
	return nil
}

// follow takes in a packet, whose clock may be another one than before. Of a packet that is out of time the next one
// tells whether a clock starts anew or only its own time is wrong.
func (p *planning) follow(k *packet) {
	switch held := p.clock.held; {
	case held == nil && p.clock.jumps(k):
		p.clock.held = k
	case held != nil && p.clock.confirms(k):
		if p.clock.started++; p.clock.started > maxClocks {
			p.done.Clocks, p.info.Stop = true, held.pos
			return
		}
		by := p.clock.start(held, p.end)
		p.src.shift(p.clock.shift)
		for _, k := range []*packet{held, k} {
			k.pts, k.dts = shifted(k.pts, by), shifted(k.dts, by)
			p.along(k)
		}
	case held != nil && p.clock.jumps(k):
		p.clock.held = k
	default:
		p.clock.held = nil
		p.along(k)
	}
}

// along takes in a packet of the time line.
func (p *planning) along(k *packet) {
	p.clock.went(k)
	p.note(k)
	p.info.Untimed = p.info.Untimed || !usable(k.pts)
	if p.undated && usable(k.dts) { // the first picture came so many packets before
		p.info.Clock = p.origin(sampling.Sub(k.dts, (p.packets-1)*p.src.step()))
		p.undated = false
	}
	if !k.key || k.discard || p.request.Container.Raw() {
		return
	}
	at := k.dts
	if !usable(at) {
		at = k.pts
	}
	if usable(at) && (at >= p.next || p.clock.begin != p.begun) {
		p.keys = append(p.keys, p.keyframe(k))
		p.next, p.begun = at+p.spacing(), p.clock.begin
	}
}

// atEnd says whether the file ends where it should: with a whole packet, or when it says itself that it ends.
func (p *planning) atEnd(err error) {
	if !errors.Is(err, errEnd) {
		p.done.Truncated = true
	}
	if p.src.coverage.unfinished() {
		p.done.Truncated = true
	}
	const rest = 8 << 10 // more than a program stream has behind its last packet
	if p.request.Container == wire.MPEGPS && p.size-p.src.reach() > rest {
		p.done.Truncated = true
	}
	if t := p.src.coverage.transport; t != nil {
		p.done.Truncated = p.done.Truncated || t.Damaged(p.src.coverage.pos, t.End())
		return
	}
	const slack = 500_000 // microseconds: containers round, and the last packet's length may be unknown
	said, start, have := int64(p.src.info.duration), int64(p.src.info.start_time), p.src.end()
	if !usable(start) {
		start = 0
	}
	if usable(said) && have > 0 && p.clock.shift == 0 && said-have > slack && said-(have-start) > slack {
		p.done.Truncated = true
	}
}

// reopen starts over from the file's beginning, with all streams, as those that are not decoded tell how far the file
// goes. A transport stream's tell nothing that its packets do not, and there may be a hundred.
func (p *planning) reopen() error {
	stream := int(p.src.info.stream)
	p.src.close()
	src, _, err := open(p.control, p.request, stream, p.request.Container != wire.MPEGTS)
	if err != nil {
		return err
	}
	p.src = src
	return nil
}

// spaced turns keyframes into cuts. The first keyframe is no cut: the first segment starts with the file.
func (p *planning) spaced() []wire.Cut {
	every := 1
	if p.info.Seek == wire.SeekNone {
		every = (len(p.keys) + unseekableParts - 1) / unseekableParts
	}
	var cuts []wire.Cut
	last := p.info.Clock.First
	begun := int64(0)
	for i := range p.keys {
		k, start := &p.keys[i], &p.keys[i]
		anew := k.begin != begun
		at := p.time(k)
		if !usable(at) || at <= last || at >= p.end || (!anew && (i%max(every, 1) != 0 || (i == 0 && p.info.Untimed))) {
			continue
		}
		if p.info.Untimed && !anew {
			// A frame's time is known only when it comes out, up to a few packets after its own; decoding from the
			// cut before makes the frames around the cut the same ones as without a cut.
			start = &p.keys[i-1]
		}
		if !usable(p.time(start)) {
			continue
		}
		cuts = append(cuts, wire.Cut{From: at, KeyTime: p.time(start), SeekPos: max(start.pos, 0), Shift: k.shift, Begin: k.begin})
		last, begun = at, k.begin
	}
	return cuts
}

// hasFragments says whether an MP4 file is made of fragments, whose index libav learns only while reading. It looks at
// the file's top-level boxes: eight or sixteen bytes each.
func hasFragments(f *file, size int64) bool {
	const maxBoxes = 1024
	var head [16]byte
	at := int64(0)
	for range maxBoxes {
		if n, err := f.ReadAt(head[:], at); err != nil || n < 8 {
			return false
		}
		if string(head[4:8]) == "moof" {
			return true
		}
		length, ok := boxLength(&head, size-at)
		if !ok {
			return false
		}
		at += length
	}
	return false
}

// boxLength is the length of a box from its first 16 bytes, of left bytes that are there.
func boxLength(head *[16]byte, left int64) (int64, bool) {
	length := int64(head[0])<<24 | int64(head[1])<<16 | int64(head[2])<<8 | int64(head[3])
	switch length {
	case 0:
		return left, true
	case 1:
		length = 0
		for _, b := range head[8:16] {
			length = length<<8 | int64(b)
		}
	}
	return length, length >= 8 && length <= left
}

func sizeText(width, height int) string { return fmt.Sprintf("%d x %d", width, height) }
