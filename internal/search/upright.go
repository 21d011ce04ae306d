package search

import (
	"context"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// A camera that lay on its side and did not say so films people of whom a detector finds many, but whom nobody can tell by
// what it finds. So a few small pictures of a stretch are kept, and where no face was seen beyond doubt, these are looked at
// in quarter turns.

// turns are the ways that a picture may be up: as it is, and turned by one, two and three quarters.
const turns = 4

// keepAt are the times from the stretch's first frame at which pictures are kept: two for the shortest clips, and one well
// apart.
func keepAt() [3]time.Duration { return [3]time.Duration{0, time.Second, 6 * time.Second} }

// beyondDoubt is how many times as much as a sure sight a tracklet weighs that is not of a face on its side: of 11 videos on
// their side none had one of a weight above 4, and upright the best of most stretches weighs 37 and more.
const beyondDoubt = 8

// keepPicture keeps a copy of the frame's small picture if it is time for one.
func (a *analysis) keepPicture(f *face.Frame) {
	at := keepAt()
	if a.Upright == nil || len(a.kept) == len(at) {
		return
	}
	if a.out.Frames == 0 {
		a.began = f.Time
	}
	if f.Time-a.began >= at[len(a.kept)] {
		p := f.Small
		for i := range p.Planes {
			p.Planes[i] = slices.Clone(p.Planes[i])
		}
		a.kept = append(a.kept, p)
	}
}

// lookUpright finds out which way the kept pictures are up. Two that are so as they are say enough.
func (a *analysis) lookUpright(ctx context.Context) error {
	const enough = 2
	if slices.ContainsFunc(a.done, func(t Tracklet) bool { return t.Weight >= beyondDoubt*a.Params.Scale.Sure }) {
		a.out.Upright[0] = len(a.kept)
		return nil
	}
	for i := range a.kept {
		turn, known, err := a.Upright(ctx, &a.kept[i])
		if err != nil {
			return err
		}
		if known {
			a.out.Upright[turn]++
		}
		if a.out.Upright[0] == enough {
			return nil
		}
	}
	return nil
}

// turnOf is by how many quarters clockwise a video has to be turned for its people to be upright; 0 if it is upright, or if
// nobody can tell. People may lie in bed: so there must be few pictures that are upright in another turn or as they are.
func turnOf(stretches []*Tracklets) (best int) {
	const least, few = 2, 3 // pictures; what is few: one of so many
	var pictures [turns]int
	for _, s := range stretches {
		for turn, n := range s.Upright {
			pictures[turn] += n
		}
	}
	others := 0
	for turn, n := range pictures {
		if others += n; n > pictures[best] {
			best = turn
		}
	}
	others -= pictures[best]
	if pictures[best] < least || few*others > pictures[best] {
		return 0
	}
	return best
}
