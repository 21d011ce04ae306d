package search

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// looking is what is known of where to look for faces, and how closely.
type looking struct {
	whole time.Duration // when the whole of a frame was last looked at
	views []*view       // the latest last
	view  *view         // the present one
	// What was detected last, when, and in what picture.
	faces    []face.Detection
	detected time.Duration
	sight    thumbnail
}

// view is what the camera shows in one place: a talk goes back and forth between a few.
type view struct {
	sight  thumbnail
	looked time.Duration // when it was last looked at closely
	pause  time.Duration // until that is done again
}

const (
	// mostViews is how many views are known at a time.
	mostViews = 8
	// sameView is the mean difference of two thumbnails, in levels, up to which they are one view. Somebody who speaks makes 2 to
	// 6; two views of one studio differ by more than 15.
	sameView = 8
	// longestPause is the longest time between two close looks at a view, in times of the shortest.
	longestPause = 4
	// mostFollowed is how many faces are followed one by one. A look at the place of each costs a fifteenth of a look at the whole.
	mostFollowed = 8
	// nearHeight is the height of a face in pixels of the small picture below which it is looked for where it was: some more
	// than what is found without.
	nearHeight = 32
)

// detect finds the faces of a frame. Between two looks at the whole picture, faces are followed from where they were; the
// whole is looked at again as soon as one is not found there. A picture that stands still is looked at now and then.
func (a *analysis) detect(ctx context.Context, f *face.Frame, cut bool) ([]face.Detection, error) {
	l := &a.looking
	if !cut && a.stands(f.Time) {
		return l.faces, nil
	}
	look := a.look(f, cut)
	dets, err := a.Detector.Detect(ctx, f, look)
	if err == nil && len(dets) < len(look.Follow) {
		dets, err = a.Detector.Detect(ctx, f, a.lookAround(f))
	}
	if look.Closely {
		l.view.rest(dets, f, a.Params.LookEvery)
	}
	l.faces = append(l.faces[:0], dets...)
	l.detected, l.sight = f.Time, a.shots.last
	return l.faces, err
}

// stands says whether the picture is still the one in which faces were last detected.
func (a *analysis) stands(at time.Duration) bool {
	l := &a.looking
	return a.out.Frames > 0 && at-l.detected < a.Params.LookEvery && l.sight.still(&a.shots.last)
}

// look says where and how closely to look at a frame: closely at the first of a new view and every so often, at the whole
// every other time, and in between only where faces were.
func (a *analysis) look(f *face.Frame, cut bool) face.Look {
	l := &a.looking
	if cut || l.view == nil {
		l.see(&a.shots.last)
	}
	if l.view.pause == 0 || f.Time-l.view.looked >= l.view.pause {
		l.view.looked, l.view.sight, l.whole = f.Time, a.shots.last, f.Time
		return face.Look{Closely: true}
	}
	if !cut && f.Time-l.whole+a.Params.interval()/2 < a.Params.WholeEvery {
		if follow := a.follow(); len(follow) > 0 {
			return face.Look{Follow: follow}
		}
	}
	if cut {
		l.whole = f.Time
		return face.Look{}
	}
	return a.lookAround(f)
}

// see makes the view of a thumbnail the present one: a known one, or a new one.
func (l *looking) see(now *thumbnail) {
	i := slices.IndexFunc(l.views, func(v *view) bool {
		return !reshaped(v.sight.shape, now.shape) && difference(&v.sight.cells, &now.cells, 0) <= sameView
	})
	switch {
	case i >= 0:
		l.view = l.views[i]
		l.views = slices.Delete(l.views, i, i+1)
	case len(l.views) == mostViews:
		l.views = slices.Delete(l.views, 0, 1)
		fallthrough
	default:
		l.view = &view{sight: *now}
	}
	l.views = append(l.views, l.view)
}

// rest sets when to look closely again: twice as long after each look that found no small face.
func (v *view) rest(found []face.Detection, f *face.Frame, shortest time.Duration) {
	small := func(d face.Detection) bool { return d.Box.Height*float32(f.Small.Height) < nearHeight }
	if slices.ContainsFunc(found, small) {
		v.pause = shortest
	} else {
		v.pause = min(2*max(v.pause, shortest), longestPause*shortest)
	}
}

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

// lookAround is a look at the whole picture, and closely where small faces were.
func (a *analysis) lookAround(f *face.Frame) (look face.Look) {
	a.looking.whole = f.Time
	for _, id := range slices.Sorted(maps.Keys(a.live)) {
		seen := a.live[id].Observations
		if box := seen[len(seen)-1].Detection.Box; box.Height*float32(f.Small.Height) < nearHeight {
			look.Near = append(look.Near, box)
		}
	}
	return look
}
