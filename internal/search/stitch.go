package search

import (
	"cmp"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// stitch lists the tracklets of all stretches, with those that a border between stretches cut in two made whole again:
// so that what is matched does not depend on where a video was cut. Tracks are numbered through. The stretches must be in
// order. Stretches begin at keyframes, and those are often cuts, behind which nothing continues.
func stitch(stretches []*Tracklets, p Params, cohort *face.Cohort) []Tracklet {
	var list []Tracklet
	var open []int // tracklets of the stretch before
	gap := max(p.Track.MaxGap, time.Duration(p.Track.MaxGapSamples*float64(p.interval())))
	tracks := 0
	var last []byte
	for _, s := range stretches {
		if !goesOn(last, s.First, &p) {
			open = nil
		}
		last = s.Last
		into := make([]int, len(s.List))
		for i := range into {
			into[i] = -1
		}
		for _, j := range joints(list, open, s.List, gap, p, cohort) {
			if into[j.b] < 0 && slices.Contains(open, j.a) {
				into[j.b] = j.a
				open = slices.DeleteFunc(open, func(a int) bool { return a == j.a })
			}
		}
		open = nil
		before, track := tracks, map[int]int{} // the stretch's numbers of tracks to the video's
		for i, t := range s.List {
			if into[i] >= 0 {
				track[t.Track] = list[into[i]].Track
			}
		}
		for i, t := range s.List {
			tracks = max(tracks, before+t.Track+1)
			if n, ok := track[t.Track]; ok {
				t.Track = n
			} else {
				t.Track += before
			}
			if into[i] < 0 {
				into[i] = len(list)
				list = append(list, t)
			} else {
				list[into[i]] = whole(list[into[i]], t)
			}
			open = append(open, into[i])
		}
	}
	return list
}

// goesOn says whether a stretch begins within the shot in which the one before it ended.
func goesOn(last, first []byte, p *Params) bool {
	a, ok := thumbnailOf(last)
	b, also := thumbnailOf(first)
	return ok && also && !p.cut(a, b)
}

// joint is one way to continue a tracklet beyond a border.
type joint struct {
	iou  float32
	a, b int
}

func joints(list []Tracklet, open []int, next []Tracklet, gap time.Duration, p Params, cohort *face.Cohort) []joint {
	var out []joint
	for _, a := range open {
		for b := range next {
			x, y := &list[a], &next[b]
			if between := y.Start() - x.End(); between <= 0 || between > gap {
				continue
			}
			iou := face.IoU(x.Observations[len(x.Observations)-1].Detection.Box, y.Observations[0].Detection.Box)
			if iou >= p.Track.MinIoU && !apart(x, y, &p.Scale, cohort) {
				out = append(out, joint{iou, a, b})
			}
		}
	}
	slices.SortFunc(out, func(x, y joint) int {
		return cmp.Or(cmp.Compare(y.iou, x.iou), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	return out
}

// apart says whether two tracklets in one place are two people: by the rule by which a tracklet within a stretch is split.
func apart(x, y *Tracklet, scale *face.Scale, cohort *face.Cohort) bool {
	a, b := x.Embedding.Vector, y.Embedding.Vector
	if a == nil || b == nil {
		return false
	}
	least := scale.Split
	if min(x.Weight, y.Weight) >= scale.Sure {
		least = scale.SplitSure
	}
	s := face.Score(face.Dot32(a, b))
	return (cohort.Impostors(a).Normalise(s)+cohort.Impostors(b).Normalise(s))/2 < least
}

// whole is two parts as one tracklet, the embeddings pooled by their weights.
func whole(a, b Tracklet) Tracklet {
	out := Tracklet{
		Observations: slices.Concat(a.Observations, b.Observations), Track: a.Track, Embedding: a.Embedding, Weight: a.Weight + b.Weight,
		Portrait: a.Portrait, PortraitQuality: a.PortraitQuality,
	}
	if b.PortraitQuality > a.PortraitQuality {
		out.Portrait, out.PortraitQuality = b.Portrait, b.PortraitQuality
	}
	if b.Embedding.Vector == nil {
		return out
	}
	if a.Embedding.Vector == nil {
		out.Embedding = b.Embedding
		return out
	}
	v := make([]float32, len(a.Embedding.Vector))
	for i := range v {
		v[i] = float32(a.Weight*float64(a.Embedding.Vector[i]) + b.Weight*float64(b.Embedding.Vector[i]))
	}
	if _, err := face.Normalize(v); err == nil {
		out.Embedding.Vector = v
	}
	return out
}
