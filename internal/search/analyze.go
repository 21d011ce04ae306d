package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/track"
)

// Stretch is one part of a video and what to analyse it with.
type Stretch struct {
	// Index is the stretch's place in the video, from 0.
	Index    int
	Frames   Frames
	Detector Detector
	Embedder Embedder
	Params   Params
	// Cohort is that of the model pack that the embedder is of.
	Cohort *face.Cohort
	// Portrait, if set, encodes a view of a face for people to look at.
	Portrait func(*face.Picture, *face.Detection) []byte
	// Attributes, if set, says what a face looks like. It is called for every face of every frame, which made an analysis 15
	// to 65 % longer (talk show, situation comedy).
	Attributes func(context.Context, *face.Picture, *face.Detection) (*face.Attributes, error)
	// Progress, if set, is called after each frame with its time and the number of faces in it.
	Progress func(at time.Duration, faces int)
}

// Analyze follows the faces of one stretch and embeds the best samples of each tracklet. It holds as many crops as the
// faces that are followed at one time need, whatever the length of the stretch.
//
// An error of Frames, Detector or Embedder ends the analysis and is returned wrapped, with the tracklets as far as
// they are finished.
func Analyze(ctx context.Context, in Stretch) (*Tracklets, error) {
	if err := in.Params.Validate(); err != nil {
		return nil, err
	}
	a := &analysis{
		Stretch: in,
		tracker: track.New(in.Params.Track, in.Params.interval()),
		live:    map[int]*followed{},
		out:     &Tracklets{Stretch: in.Index},
	}
	a.shots.params = &a.Params
	err := a.run(ctx)
	slices.SortStableFunc(a.done, func(x, y Tracklet) int {
		return cmp.Or(cmp.Compare(x.Start(), y.Start()), cmp.Compare(x.Track, y.Track))
	})
	a.out.List = a.done
	if a.shots.seen {
		a.out.Last = a.shots.last.bytes()
	}
	return a.out, err
}

// analysis is the state of one [Analyze].
type analysis struct {
	Stretch
	tracker *track.Tracker
	shots   shots
	live    map[int]*followed
	done    []Tracklet
	free    []*face.Crop  // crops to be used again
	at      time.Duration // of the last frame
	whole   time.Duration // when the whole of a frame was last looked at
	looked  time.Duration // when that was last done closely
	pause   time.Duration // until it is done closely again
	// What was detected last, when, and in what picture.
	faces    []face.Detection
	detected time.Duration
	sight    thumbnail
	out      *Tracklets
}

// followed is a tracklet that has not ended.
type followed struct {
	Tracklet
	sampler sampler
	sight   patch // of the last observation
}

func (a *analysis) run(ctx context.Context) error {
	for {
		f, err := a.Frames.Next(ctx)
		if errors.Is(err, io.EOF) {
			return a.finish(ctx, a.tracker.End())
		}
		if err != nil {
			return errors.Join(err, a.finish(ctx, a.tracker.End()))
		}
		if err := a.frame(ctx, f); err != nil {
			return fmt.Errorf("analyse frame at %v: %w", f.Time, err)
		}
	}
}

func (a *analysis) frame(ctx context.Context, f *face.Frame) error {
	cut := a.shots.next(&f.Small)
	if a.out.First == nil {
		a.out.First = a.shots.last.bytes()
	}
	dets, err := a.detect(ctx, f, cut)
	if err != nil {
		return err
	}
	ids, ended := a.tracker.Update(f.Time, cut, dets)
	if err := a.finish(ctx, ended); err != nil {
		return err
	}
	faces := 0
	for i, id := range ids {
		if id != track.None {
			if err := a.observe(ctx, id, f, &dets[i]); err != nil {
				return err
			}
			faces++
		}
	}
	a.at = f.Time
	a.out.Frames++
	a.out.Faces += faces
	if a.Progress != nil {
		a.Progress(f.Time, faces)
	}
	return nil
}

// detect finds the faces of a frame. Between two looks at the whole picture, faces are followed from where they were; the
// whole is looked at again as soon as one is not found there. A picture that stands still is looked at now and then.
func (a *analysis) detect(ctx context.Context, f *face.Frame, cut bool) ([]face.Detection, error) {
	if !cut && a.stands(f.Time) {
		return a.faces, nil
	}
	look := a.look(f, cut)
	dets, err := a.Detector.Detect(ctx, f, look)
	if err == nil && len(dets) < len(look.Follow) {
		dets, err = a.Detector.Detect(ctx, f, a.lookAround(f))
	}
	if look.Closely {
		a.closely(f, cut, dets)
	}
	a.faces = append(a.faces[:0], dets...)
	a.detected, a.sight = f.Time, a.shots.last
	return a.faces, err
}

// stands says whether the picture is still the one in which faces were last detected.
func (a *analysis) stands(at time.Duration) bool {
	return a.out.Frames > 0 && at-a.detected < a.Params.LookEvery && a.sight.still(&a.shots.last)
}

// look says where and how closely to look at a frame: closely at the first of a shot and every so often, at the whole every
// other time, and in between only where faces were.
func (a *analysis) look(f *face.Frame, cut bool) face.Look {
	if cut || a.out.Frames == 0 || f.Time-a.looked >= a.pause {
		a.looked, a.whole = f.Time, f.Time
		return face.Look{Closely: true}
	}
	if f.Time-a.whole+a.Params.interval()/2 < a.Params.WholeEvery {
		if follow := a.follow(); len(follow) > 0 {
			return face.Look{Follow: follow}
		}
	}
	return a.lookAround(f)
}

// closely sets when to look closely again: twice as long after each look within a shot that found no small face.
func (a *analysis) closely(f *face.Frame, cut bool, dets []face.Detection) {
	small := func(d face.Detection) bool { return d.Box.Height*float32(f.Small.Height) < nearHeight }
	if cut || a.pause == 0 || slices.ContainsFunc(dets, small) {
		a.pause = a.Params.LookEvery
	} else {
		a.pause = min(2*a.pause, longestPause*a.Params.LookEvery)
	}
}

// longestPause is the longest time between two close looks, in times of the shortest.
const longestPause = 4

// follow lists where the faces of the last frame were; nothing if one is missing, or if there are so many that a look at the
// whole costs no more.
func (a *analysis) follow() (boxes []face.Box) {
	if len(a.live) > mostFollowed {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(a.live)) {
		seen := a.live[id].Observations
		if last := &seen[len(seen)-1]; last.Time == a.at {
			boxes = append(boxes, last.Detection.Box)
		} else {
			return nil
		}
	}
	return boxes
}

// mostFollowed is how many faces are followed one by one. A look at the place of each costs a fifteenth of a look at the whole.
const mostFollowed = 8

// lookAround is a look at the whole picture, and closely where small faces were.
func (a *analysis) lookAround(f *face.Frame) (look face.Look) {
	a.whole = f.Time
	for _, id := range slices.Sorted(maps.Keys(a.live)) {
		seen := a.live[id].Observations
		if box := seen[len(seen)-1].Detection.Box; box.Height*float32(f.Small.Height) < nearHeight {
			look.Near = append(look.Near, box)
		}
	}
	return look
}

// nearHeight is the height of a face in pixels of the small picture below which it is looked for where it was: some more
// than what is found without.
const nearHeight = 32

// observe adds a detection to its tracklet.
func (a *analysis) observe(ctx context.Context, id int, f *face.Frame, d *face.Detection) error {
	t := a.live[id]
	if t == nil {
		t = &followed{sampler: sampler{most: a.Params.Samples}}
		a.live[id] = t
	}
	seen := Observation{Time: f.Time, Detection: *d}
	if a.Attributes != nil {
		var err error
		if seen.Attributes, err = a.Attributes(ctx, &f.Full, d); err != nil {
			return fmt.Errorf("attributes of a face: %w", err)
		}
	}
	sight := patchOf(&f.Small, d.Box)
	if len(t.Observations) > 0 && sight.like(&t.sight) < otherSight {
		t.sampler.runs++
	}
	t.sight = sight
	t.Observations = append(t.Observations, seen)
	quality := sampleQuality(d, f.Full.Height)
	if t.sampler.wants(f.Time, quality) {
		crop := a.crop()
		a.Embedder.Align(&f.Full, d, crop)
		if old := t.sampler.add(candidate{at: f.Time, quality: quality, crop: crop}); old != nil {
			a.free = append(a.free, old)
		}
	}
	// A view has to be clearly better to be worth encoding again.
	if a.Portrait != nil && quality > 1.1*t.PortraitQuality {
		t.Portrait, t.PortraitQuality = a.Portrait(&f.Full, d), quality
	}
	return nil
}

func (a *analysis) crop() *face.Crop {
	if n := len(a.free); n > 0 {
		c := a.free[n-1]
		a.free = a.free[:n-1]
		return c
	}
	return new(face.Crop)
}

// finish embeds the samples of tracklets that ended.
func (a *analysis) finish(ctx context.Context, ids []int) error {
	for _, id := range ids {
		t := a.live[id]
		delete(a.live, id)
		a.free = append(a.free, t.sampler.thin(a.samples(&t.Tracklet))...)
		samples, err := a.embed(ctx, &t.sampler)
		if err != nil {
			return err
		}
		for _, part := range split(t, samples, &a.Params.Scale, a.Cohort) {
			part.Track = id
			a.done = append(a.done, part)
		}
	}
	return nil
}

// samples is how many crops of a tracklet are worth embedding: more the longer it lasts, as those of one moment are alike.
func (a *analysis) samples(t *Tracklet) int {
	return min(leastSamples+int((t.End()-t.Start())/a.Params.SampleEvery), a.Params.Samples)
}

// embed embeds the crops that are kept, those that say most first, until the others would change little, and drops these: a
// lone one from both sides, of several every other one mirrored, which averages the sides as well. The samples are in the
// order of the crops that are left.
func (a *analysis) embed(ctx context.Context, from *sampler) ([]face.Sample, error) {
	order := from.order()
	samples := make([]face.Sample, 0, len(order))
	for i, k := range order {
		c := from.kept[k]
		if i >= max(leastPooled, runCrops*(from.runs+1)) && settled(samples, len(order), a.Params.Settled, a.Cohort) {
			break
		}
		var s face.Sample
		var err error
		if len(order) == 1 {
			s, err = a.Embedder.Embed(ctx, c.crop)
		} else {
			s, err = a.Embedder.EmbedView(ctx, c.crop, i%2 == 1)
		}
		if err != nil {
			return nil, fmt.Errorf("embed a face seen at %v: %w", c.at, err)
		}
		samples = append(samples, s)
	}
	for _, c := range from.kept {
		a.free = append(a.free, c.crop)
	}
	return from.keep(order[:len(samples)], samples), nil
}
