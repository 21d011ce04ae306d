package track

import (
	"cmp"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// None is what [Tracker.Update] answers for a detection that belongs to no tracklet.
const None = -1

// Params tune a [Tracker].
type Params struct {
	// Confident is the confidence, 0..100, from which a detection may start a tracklet. Raising it refuses more
	// detections that are no faces, and starts tracklets of faint faces later or never.
	Confident float32
	// MinIoU is the overlap of prediction and detection, 0..1, from which they can be one face. Lowering it follows faster
	// motion and swaps more faces that pass each other.
	MinIoU float32
	// MinIoUDoubtful is the same for detections below Confident: higher, as they have less to say.
	MinIoUDoubtful float32
	// Reach is how far, in widths and heights, boxes grow on each side when what is left over is compared once more: a face
	// that moves faster than its own width from one frame to the next overlaps nothing. Raising it follows still faster ones
	// and takes more people who pass each other for one.
	Reach float32
	// MaxGap is how long a face may go undetected and still be the same tracklet. Raising it bridges longer
	// occlusions, and joins more people who take each other's place.
	MaxGap time.Duration
	// MaxGapSamples is the same as a number of sample intervals, for videos with few frames a second; the longer of the
	// two holds.
	MaxGapSamples float64
}

// DefaultParams were measured on the clips of the evaluation set (docs/decisions/0004-tracks.md).
func DefaultParams() Params {
	return Params{
		Confident: 60, MinIoU: 0.25, MinIoUDoubtful: 0.5, Reach: 0.5,
		MaxGap: 450 * time.Millisecond, MaxGapSamples: 2.25,
	}
}

// Tracker gives detections to tracklets, frame by frame.
type Tracker struct {
	params   Params
	interval time.Duration // what lies between two frames, nominally
	live     []liveTrack
	next     int
	last     time.Duration
}

type liveTrack struct {
	id     int
	seen   time.Duration // when it was last detected
	motion motion
	box    face.Box // predicted for the present frame
	taken  bool
}

// New makes a tracker for frames that come about every interval.
func New(p Params, interval time.Duration) *Tracker {
	return &Tracker{params: p, interval: interval}
}

// Update takes the detections of the next frame, whose time must not lie before the last one's. cut says that a new
// shot begins with this frame: nothing before it continues.
//
// It returns the tracklet of each detection, in their order: a number that counts from 0, or [None] for a doubtful
// detection that continues nothing; and the tracklets that ended before this frame, in ascending order.
func (t *Tracker) Update(at time.Duration, cut bool, dets []face.Detection) (ids, ended []int) {
	ended = t.expire(at, cut)
	for i := range t.live {
		t.live[i].box = t.live[i].motion.predict(at)
		t.live[i].taken = false
	}
	ids = make([]int, len(dets))
	for i := range ids {
		ids[i] = None
	}
	confident := func(d face.Detection) bool { return d.Confidence >= t.params.Confident }
	t.associate(at, dets, ids, matching{least: t.params.MinIoU, admit: confident})
	t.associate(at, dets, ids, matching{
		least: t.params.MinIoUDoubtful, admit: func(d face.Detection) bool { return !confident(d) },
	})
	t.associate(at, dets, ids, matching{least: t.params.MinIoU, admit: confident, reach: t.params.Reach})
	for i, d := range dets {
		if ids[i] == None && confident(d) && d.Box.Finite() && d.Box.Area() > 0 {
			ids[i] = t.start(at, d.Box)
		}
	}
	t.last = at
	return ids, ended
}

// End ends every live tracklet and returns them in ascending order.
func (t *Tracker) End() []int { return t.expire(t.last, true) }

func (t *Tracker) expire(at time.Duration, cut bool) (ended []int) {
	gap := max(t.params.MaxGap, time.Duration(t.params.MaxGapSamples*float64(t.interval)))
	t.live = slices.DeleteFunc(t.live, func(l liveTrack) bool {
		over := cut || at-l.seen > gap
		if over {
			ended = append(ended, l.id)
		}
		return over
	})
	return ended
}

func (t *Tracker) start(at time.Duration, b face.Box) int {
	id := t.next
	t.next++
	t.live = append(t.live, liveTrack{id: id, seen: at, motion: newMotion(b, at), taken: true})
	return id
}

// pair is one way to continue a track.
type pair struct {
	iou        float32
	track, det int
}

// matching says which detections are given to which tracks in one round.
type matching struct {
	least float32 // overlap
	admit func(face.Detection) bool
	reach float32 // by which boxes grow on each side before they are compared
}

// associate gives the admitted detections to free tracks, greatest overlap first. Faces seldom overlap each other, so
// that the greedy choice is the optimal assignment in all but crowded crossings, and it cannot trade a sure pair away.
func (t *Tracker) associate(at time.Duration, dets []face.Detection, ids []int, m matching) {
	var pairs []pair
	for di, d := range dets {
		if ids[di] != None || !m.admit(d) {
			continue
		}
		for ti := range t.live {
			if t.live[ti].taken {
				continue
			}
			if iou := face.IoU(grown(t.live[ti].box, m.reach), grown(d.Box, m.reach)); iou >= m.least {
				pairs = append(pairs, pair{iou, ti, di})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(b.iou, a.iou), cmp.Compare(a.track, b.track), cmp.Compare(a.det, b.det))
	})
	for _, p := range pairs {
		l := &t.live[p.track]
		if l.taken || ids[p.det] != None {
			continue
		}
		l.taken, l.seen = true, at
		l.motion.correct(dets[p.det].Box)
		ids[p.det] = l.id
	}
}

func grown(b face.Box, reach float32) face.Box {
	return face.Box{
		Left: b.Left - reach*b.Width, Top: b.Top - reach*b.Height, Width: b.Width * (1 + 2*reach), Height: b.Height * (1 + 2*reach),
	}
}
