package search

import (
	"cmp"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// stitchScore is the score from which a tracklet that reaches the end of one stretch and one at the same place at the
// start of the next are one: what one pair of strangers in a thousand reaches (docs/decisions/0003-default-pack.md), of
// the few that are in the same place at the same time. Stretches begin at keyframes, and those are often cuts, so
// place alone says little.
const stitchScore = 0.35

// stitch lists the tracklets of all stretches, with those that a border between stretches cut in two made whole again:
// so that what is matched does not depend on where a video was cut. The stretches must be in order.
func stitch(stretches []*Tracklets, p Params) []Tracklet {
	var list []Tracklet
	var open []int // tracklets of the stretch before
	gap := max(p.Track.MaxGap, time.Duration(p.Track.MaxGapSamples*float64(p.interval())))
	for _, s := range stretches {
		into := make([]int, len(s.List))
		for i := range into {
			into[i] = -1
		}
		for _, j := range joints(list, open, s.List, gap, p.Track.MinIoU) {
			if into[j.b] < 0 && slices.Contains(open, j.a) {
				into[j.b] = j.a
				open = slices.DeleteFunc(open, func(a int) bool { return a == j.a })
			}
		}
		open = nil
		for i, t := range s.List {
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

// joint is one way to continue a tracklet beyond a border.
type joint struct {
	iou  float32
	a, b int
}

func joints(list []Tracklet, open []int, next []Tracklet, gap time.Duration, leastIoU float32) []joint {
	var out []joint
	for _, a := range open {
		for b := range next {
			x, y := &list[a], &next[b]
			if between := y.Start() - x.End(); between <= 0 || between > gap ||
				x.Embedding.Vector == nil || y.Embedding.Vector == nil {
				continue
			}
			iou := face.IoU(x.Observations[len(x.Observations)-1].Detection.Box, y.Observations[0].Detection.Box)
			if iou >= leastIoU && dot(x.Embedding.Vector, y.Embedding.Vector) >= stitchScore {
				out = append(out, joint{iou, a, b})
			}
		}
	}
	slices.SortFunc(out, func(x, y joint) int {
		return cmp.Or(cmp.Compare(y.iou, x.iou), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	return out
}

// whole is two parts as one tracklet, the embeddings pooled by their weights.
func whole(a, b Tracklet) Tracklet {
	out := Tracklet{
		Observations: slices.Concat(a.Observations, b.Observations), Embedding: a.Embedding, Weight: a.Weight + b.Weight,
		Portrait: a.Portrait, PortraitQuality: a.PortraitQuality,
	}
	v := make([]float32, len(a.Embedding.Vector))
	for i := range v {
		v[i] = float32(a.Weight*float64(a.Embedding.Vector[i]) + b.Weight*float64(b.Embedding.Vector[i]))
	}
	if _, err := face.Normalize(v); err == nil {
		out.Embedding.Vector = v
	}
	if b.PortraitQuality > a.PortraitQuality {
		out.Portrait, out.PortraitQuality = b.Portrait, b.PortraitQuality
	}
	return out
}
