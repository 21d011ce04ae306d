//go:build cgo && !nolibav

package main

import (
	"errors"
	"slices"

	"github.com/spotter-video/spotter/internal/video/sampling"
	"github.com/spotter-video/spotter/internal/video/wire"
)

// planner reads packets a group of pictures at a time, decides which frames are wanted before anything is decoded, and
// hands out only the packets that those frames need.
//
// A group is what is shown between two keyframes: from keyframe K to the next one, N, and from the pictures that follow
// N in the file but are shown before it ("leading" pictures of an open group). Whatever is decided for a group depends
// on its packets alone, so a stretch that starts at K decides as one that came from before.
type planner struct {
	src      *source
	grid     sampling.Grid
	from, to int64 // only frames in this stretch are wanted
	limits   groupLimits

	queue   []*packet // in the file's order; those before settledTo are decided
	lo      int64     // start of the group being read
	ended   bool      // the file has no more packets
	last    bool      // nothing after the current group is wanted
	packets int64

	// wanted are the times of frames that were chosen and have not come out yet.
	wanted map[int64]bool
	// loose are groups whose packets have no usable times: there the decoder's output is sampled.
	loose   []span
	readErr error
}

// groupLimits bound what is buffered for one group.
type groupLimits struct {
	packets int
	bytes   int64
}

// maxLoose is the most loose groups that are kept: one holds a packet at least, so those before are of frames that no
// decoder still holds back.
const maxLoose = 2 * maxLeading

// span is a stretch of time in which frames are chosen as they come out: the first at or after each grid point.
type span struct{ lo, hi, last int64 }

func newPlanner(src *source, r *wire.Request, grid sampling.Grid) *planner {
	return &planner{
		src: src, grid: grid, from: r.Segment.From, to: r.Segment.To, lo: r.Segment.From,
		limits: groupLimits{int(r.GOPPackets), r.GOPBytes}, wanted: map[int64]bool{},
	}
}

// next is the packets to decode next, in order, and errEnd after the last. The caller releases them.
func (p *planner) next() ([]*packet, error) {
	if p.last {
		return nil, p.finish()
	}
	border, hi, err := p.fill()
	if err != nil {
		return nil, err
	}
	if len(p.queue) == 0 {
		p.last = true
		return nil, p.finish()
	}
	return p.settle(border, hi), nil
}

// finish gives back what is left over.
func (p *planner) finish() error {
	for _, k := range p.queue {
		k.release()
	}
	p.queue = nil
	return errEnd
}

// fill reads until the group that starts the queue is complete. border is the number of queued packets before the next
// keyframe, hi the time where the group ends; border 0 means that the limits were reached before any keyframe.
func (p *planner) fill() (border int, hi int64, err error) {
	bytes := int64(0)
	for i := 0; ; i++ {
		if i == len(p.queue) && !p.ended {
			if err := p.read(); err != nil {
				return 0, 0, err
			}
		}
		if i == len(p.queue) {
			p.last = true
			return len(p.queue), wire.End, nil
		}
		k := p.queue[i]
		bytes += int64(k.size)
		if border == 0 && i > 0 && k.key && usable(k.pts) && k.pts > p.lo {
			border = i
		}
		if border > 0 && complete(p.queue[border], k, i > border) {
			return border, p.queue[border].pts, nil
		}
		if border == 0 && (i+1 >= p.limits.packets || bytes >= p.limits.bytes) {
			return 0, p.cutOff(k), nil
		}
		if border > 0 && i-border > maxLeading {
			return border, p.queue[border].pts, nil
		}
	}
}

// complete says whether a packet shows that every leading picture of the next keyframe has been read.
func complete(next, k *packet, after bool) bool {
	if usable(k.dts) && k.dts >= next.pts {
		return true // nothing later can be shown earlier than it is decoded
	}
	return after && (k.pts > next.pts || !usable(k.pts))
}

// maxLeading is the most pictures that can follow a keyframe and be shown before it: decoders of H.264 and HEVC reorder
// within 16 pictures, and a picture may come as two fields.
const maxLeading = 32

// cutOff is where a group ends that is too long to be buffered: nothing that comes later is shown before the decoding
// time of the last packet read.
func (p *planner) cutOff(last *packet) int64 {
	if usable(last.dts) && last.dts > p.lo {
		return last.dts
	}
	return p.lo // no time to cut at: settle makes the group a loose one
}

func (p *planner) read() error {
	k, err := p.src.read()
	if err == nil {
		p.packets++
		p.queue = append(p.queue, k)
		return nil
	}
	if code := libavError(0); errors.As(err, &code) && code.memory() {
		return err
	}
	if !errors.Is(err, errEnd) {
		p.readErr = err // a damaged or shortened file: what was read so far counts
	}
	p.ended = true
	return nil
}

// settle decides for the group and takes its packets off the queue.
func (p *planner) settle(border int, hi int64) []*packet {
	if hi >= p.to {
		p.last = true
	}
	members := p.queue[:border]
	if border == 0 {
		members = p.queue
	}
	if p.isLoose(members, hi) {
		hi = p.loosen(members, hi, border == 0)
	} else {
		p.choose(hi)
		if border == 0 && !p.queue[0].settled { // nothing could be handed out: no packet may wait for ever
			p.lo = hi
			hi = p.loosen(members, hi, true)
		}
	}
	out := p.take(border)
	p.lo = hi
	return out
}

func (p *planner) isLoose(members []*packet, hi int64) bool {
	return hi <= p.lo || slices.ContainsFunc(members, func(k *packet) bool { return !usable(k.pts) })
}

// loosen marks a group as one to be sampled after decoding, and everything in it as needed.
func (p *planner) loosen(members []*packet, hi int64, open bool) int64 {
	if hi <= p.lo || open { // no keyframe bounds the group: its latest frame does
		for _, k := range members {
			if usable(k.pts) {
				hi = max(hi, k.pts+1)
			}
		}
	}
	s := span{lo: max(p.lo, p.from), hi: min(max(hi, p.lo), p.to), last: noTime}
	if s.lo != wire.Beginning {
		s.last = s.lo - 1
	}
	if s.hi > s.lo {
		p.loose = append(p.loose[max(0, len(p.loose)-maxLoose+1):], s)
	}
	for _, k := range members {
		k.settled, k.chosen, k.unneeded = true, true, false
	}
	return max(hi, p.lo)
}

// choose picks the wanted frames with lo <= pts < hi.
func (p *planner) choose(hi int64) {
	top := 0 // the highest temporal layer: pictures in lower ones may be needed by it
	for _, k := range p.queue {
		top = max(top, k.layer)
	}
	list := make([]*sampling.Packet, 0, len(p.queue))
	for _, k := range p.queue {
		c := &sampling.Packet{PTS: k.pts, NonRef: k.nonref && k.layer == top, Discard: k.discard || !usable(k.pts)}
		list = append(list, c)
	}
	p.grid.Choose(list, max(p.lo, p.from), min(hi, p.to))
	for i, k := range p.queue {
		if k.pts >= hi || k.settled {
			continue
		}
		k.settled = true
		k.chosen = list[i].Chosen
		k.unneeded = list[i].NonRef && !k.chosen && !p.sampledLater(k.pts)
		if k.chosen {
			p.wanted[k.pts] = true
		}
	}
}

// sampledLater says whether a frame belongs to a loose group, where it may be wanted when it comes out.
func (p *planner) sampledLater(time int64) bool {
	return slices.ContainsFunc(p.loose, func(s span) bool { return time >= s.lo && time < s.hi })
}

// take removes the group's packets from the queue and returns those that must be decoded.
func (p *planner) take(border int) []*packet {
	n := border
	if n == 0 { // cut off: leave what is not decided
		n = settledPrefix(p.queue)
	}
	closed := border > 0 && border < len(p.queue) && p.queue[border].closed
	if p.last {
		n, closed = len(p.queue), true // with the leading pictures of the next keyframe, which need it, too
	}
	out := p.queue[:n:n]
	p.queue = slices.Clone(p.queue[n:])
	if closed {
		out = dropTail(out)
	}
	return slices.DeleteFunc(out, func(k *packet) bool {
		if k.unneeded {
			k.release()
		}
		return k.unneeded
	})
}

func settledPrefix(queue []*packet) int {
	for i, k := range queue {
		if !k.settled {
			return i
		}
	}
	return len(queue)
}

// dropTail leaves out what follows the last wanted packet of a group that nothing later refers to.
func dropTail(group []*packet) []*packet {
	for i := len(group) - 1; i >= 0 && !group[i].chosen; i-- {
		group[i].unneeded = true
	}
	return group
}

// wants says whether a frame that came out is to be delivered, and forgets that it was wanted.
func (p *planner) wants(time int64) bool {
	if !usable(time) {
		return false
	}
	if p.wanted[time] {
		delete(p.wanted, time)
		return true
	}
	for i := range p.loose {
		s := &p.loose[i]
		if time < s.lo || time >= s.hi {
			continue
		}
		first := s.last == noTime
		if first || p.grid.All() || p.grid.Index(time) > p.grid.Index(s.last) {
			s.last = time
			return true
		}
		return false
	}
	return false
}

func usable(time int64) bool { return time != noTime }
