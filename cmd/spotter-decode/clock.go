//go:build cgo && !nolibav

package main

import (
	"math"

	"github.com/spotter-video/spotter/internal/video/sampling"
	"github.com/spotter-video/spotter/internal/video/wire"
)

// clock follows the clock of a file that is read from its beginning. Files are joined by writing one behind the other:
// then the clock starts anew in the middle, and may do so many times.
type clock struct {
	back, ahead  int64   // ticks that a clock may go back, and leap ahead
	last         int64   // when the last packet was to be decoded
	held         *packet // out of time, until the next one tells why
	shift, begin int64   // of the clock that goes: what is added to it, and the byte where it begins
	started      int
}

// maxClocks is the most times that a clock may start anew: a day of recordings of a minute and a half.
const maxClocks = 1000

// newClock is at rest. A broadcast's clock that leaps by more than ten seconds is another clock, as ffmpeg takes it
// (dts_delta_threshold); in other containers a pause may be long. Going back by a tenth of a second is rounding.
func newClock(container wire.Container, c *wire.Clock) clock {
	const tenth, leap = 100_000_000, 10_000_000_000 // nanoseconds
	w := clock{back: sampling.Ticks(tenth, c.Num, c.Den), ahead: math.MaxInt64, last: noTime}
	if container == wire.MPEGTS || container == wire.MPEGPS {
		w.ahead = sampling.Ticks(leap, c.Num, c.Den)
	}
	return w
}

// jumps says whether a packet cannot follow the last one on the same clock.
func (c *clock) jumps(k *packet) bool {
	return usable(c.last) && usable(k.dts) && !c.follows(c.last, k.dts)
}

func (c *clock) follows(last, at int64) bool {
	return at >= sampling.Sub(last, c.back) && (c.ahead == math.MaxInt64 || at <= sampling.Add(last, c.ahead))
}

// confirms says whether a packet goes on with the time of the one that is held, and not with the time before.
func (c *clock) confirms(k *packet) bool {
	return usable(k.dts) && c.follows(c.held.dts, k.dts) && c.jumps(k)
}

// start lets the held packet's clock go on where the time line ends, and says by how much it is shifted for that.
func (c *clock) start(first *packet, end int64) int64 {
	at := first.pts
	if !usable(at) {
		at = first.dts
	}
	by := sampling.Sub(end, at)
	c.shift = sampling.Add(c.shift, by)
	c.begin, c.held, c.last = first.pos, nil, noTime
	return by
}

// went takes in a packet that the clock has reached.
func (c *clock) went(k *packet) {
	if usable(k.dts) {
		c.last = k.dts
	}
}

func shifted(time, by int64) int64 {
	if !usable(time) {
		return time
	}
	return sampling.Add(time, by)
}
