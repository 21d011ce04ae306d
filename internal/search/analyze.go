package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
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
	// Upright, if set, says by how many quarters clockwise a picture has to be turned for its people to be upright, if that
	// can be known.
	Upright func(context.Context, *face.Picture) (quarters int, known bool, err error)
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
	if err == nil && a.Upright != nil {
		err = a.lookUpright(ctx)
	}
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
	looking looking
	out     *Tracklets
	kept    []face.Picture // to be looked at in quarter turns
	began   time.Duration  // when the first of them was seen
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
	a.keepPicture(f)
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
		crops := len(t.sampler.kept)
		samples, err := a.embed(ctx, &t.sampler)
		if err != nil {
			return err
		}
		for _, part := range split(t, samples, &a.Params.Scale, a.Cohort) {
			part.Track = id
			part.Weight *= float64(crops) / float64(max(len(samples), 1)) // those that are left out would say the same
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
