//go:build cgo && !nolibav

package main

import (
	"github.com/spotter-video/spotter/internal/video"
	"github.com/spotter-video/spotter/internal/video/sampling"
	"github.com/spotter-video/spotter/internal/video/wire"
)

// coverage says for which time a file holds nothing that can be read. A pause between two frames is a loss only where
// bytes lie between them that no packet was made of: a camera that films nothing, and a screen that stands still, leave
// pauses too.
type coverage struct {
	transport *video.Transport // looks for a transport stream's damage, whose packets of other streams are not read
	step      int64            // ticks that a frame usually lasts
	least     int64            // ticks of a pause that may be a loss
	from, to  int64            // only what is lost between these counts
	end       int64            // until when frames have been read
	shown     int64            // until when they are shown
	pos       int64            // where the last packet began
	fresh     int              // packets for which a hole in the bytes still counts
	lost      int64            // ticks
	corrupt   int64            // packets
	pending   bool             // a packet was corrupt, age packets ago
	age       int
	suspect   int64 // where the packet before it began
}

// reordered is how many packets after a hole may still have times from before it: libav makes up times of decoding out
// of those of showing, of which decoders reorder 16.
const reordered = 17

// lastPackets is how many packets at a recording's end may be corrupt without a word: it may have been stopped within one,
// and libav tells that of the packet that it then is reading, or of one before.
const lastPackets = 3

// lostBytes is the least that no packet was made of where something was lost. Containers have headers of some 40 bytes
// between packets.
const lostBytes = 256

func newCoverage(f *file, r *wire.Request) coverage {
	c := coverage{from: wire.Beginning, to: wire.End, end: noTime, shown: noTime}
	if r.Container == wire.MPEGTS {
		c.transport = video.NewTransport(f, r.Base, f.size)
	}
	return c
}

// add takes in the next packet of the stream.
func (c *coverage) add(k *packet) {
	c.age++
	if c.pending && (k.corrupt || c.age > lastPackets) {
		if c.transport == nil || c.transport.Damaged(c.suspect, k.pos) { // else its packets are only numbered anew
			c.corrupt++
		}
		c.pending = false
	}
	if k.corrupt && c.end != noTime {
		c.pending, c.age, c.suspect = true, 0, c.pos
	}
	if c.fresh--; k.unread >= lostBytes {
		c.fresh = reordered
	}
	if usable(k.pts) {
		c.shown = max(c.shown, sampling.Add(k.pts, max(k.duration, c.step, 1)))
	}
	at := k.dts
	if !usable(at) {
		at = k.pts
	}
	if !usable(at) { // it follows the packet before
		if c.end != noTime {
			c.end = sampling.Add(c.end, max(k.duration, c.step, 1))
		}
		return
	}
	next := sampling.Add(c.end, max(c.step/2, c.least, 1))
	if c.end != noTime && at > next && c.end >= c.from && c.end < c.to && c.unread(k) {
		c.lost = sampling.Add(c.lost, sampling.Sub(min(at, c.to), c.end))
	}
	c.end = max(c.end, sampling.Add(at, max(k.duration, c.step, 1)))
	c.pos = k.pos
}

func (c *coverage) unread(k *packet) bool {
	if c.transport != nil {
		return c.transport.Damaged(c.pos, k.pos)
	}
	return c.fresh > 0
}

// unfinished says whether one of the last packets was corrupt: at the file's end, it was cut off within it.
func (c *coverage) unfinished() bool { return c.pending }

// finish takes in that there are no more packets, although until is when the last should end.
func (c *coverage) finish(until int64) {
	if c.to != wire.End || !usable(until) {
		return
	}
	last := max(c.end, c.shown)
	if last == noTime {
		last = c.from
	}
	if usable(last) && until > sampling.Add(last, 2*max(c.step, 1)) { // containers round
		c.lost = sampling.Add(c.lost, sampling.Sub(until, last))
	}
}
