package search

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// looking is what is known of where to look for faces.
type looking struct {
	whole time.Duration // when the whole of a frame was last looked at
	// What was detected last, when, and in what picture.
	faces    []face.Detection
	detected time.Duration
	sight    thumbnail
}

const (
	// mostFollowed is how many faces are followed one by one. A look at the place of each costs a fifteenth of a look at the whole.
	mostFollowed = 8
	// nearHeight is the height of a face in pixels of the small picture below which it is looked for where it was: some more
	// than what the small picture hardly shows, so that a face that grows is not lost on the way.
	nearHeight = face.HardlyShown + 4
	// longestRest is how long a picture that stands still is not looked at.
	longestRest = time.Second
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
	l.faces = append(l.faces[:0], dets...)
	l.detected, l.sight = f.Time, a.shots.last
	return l.faces, err
}

// stands says whether the picture is still the one in which faces were last detected.
func (a *analysis) stands(at time.Duration) bool {
	l := &a.looking
	return a.out.Frames > 0 && at-l.detected < longestRest && l.sight.still(&a.shots.last)
}

// look says where to look at a frame: at the whole at the beginning of a shot and every so often, and in between only where
// faces were.
func (a *analysis) look(f *face.Frame, cut bool) face.Look {
	switch {
	case cut || a.out.Frames == 0:
		a.looking.whole = f.Time
		return face.Look{}
	case f.Time-a.looking.whole+a.Params.interval()/2 < a.Params.WholeEvery:
		if follow := a.follow(); len(follow) > 0 {
			return face.Look{Follow: follow}
		}
	}
	return a.lookAround(f)
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
