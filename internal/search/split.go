package search

import (
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// split pools a tracklet's samples; where those before and those after a moment are not one face, the tracker has run
// from one person into another, and each gets a tracklet of their own. What differs may also be one bad crop: a part
// with a lone sample has no embedding, so that it is seen and names nobody. samples are those of t.sampler.kept, in its
// order.
func split(t *followed, samples []face.Sample, scale *face.Scale, cohort *face.Cohort) []Tracklet {
	ends := []int{len(samples)}
	if whole, _ := pool(samples, scale); whole.Vector != nil {
		ends = append(changes(samples, scale, cohort.Impostors(whole.Vector)), len(samples))
	}
	parts := make([]Tracklet, 0, len(ends))
	rest, from := t.Observations, 0
	for _, to := range ends {
		part := Tracklet{Observations: rest}
		if to < len(samples) {
			n := seam(rest, t.sampler.kept[to-1].at, t.sampler.kept[to].at)
			part.Observations, rest = rest[:n:n], rest[n:]
		}
		if lone := to-from == 1 && len(ends) > 1; !lone {
			part.Embedding, part.Weight = pool(samples[from:to], scale)
		}
		parts = append(parts, part)
		from = to
	}
	if len(parts) == 1 { // a portrait of a mixed tracklet may show either person
		parts[0].Portrait, parts[0].PortraitQuality = t.Portrait, t.PortraitQuality
	}
	return parts
}

// changes lists, ascending, the samples at which another person begins: where the pooled samples before and after are
// least alike for how well they are seen, if that is too little, and again within both parts. Pools are compared and not neighbours, as a single
// sample of a small or turned face may look like anybody.
//
// What strangers score against the whole tracklet, impostors, is taken off: dark faces look a little like all other dark ones.
func changes(samples []face.Sample, scale *face.Scale, impostors face.Impostors) []int {
	at, worst := 0, 0.0
	for i := 1; i < len(samples); i++ {
		before, weight := pool(samples[:i], scale)
		after, other := pool(samples[i:], scale)
		if before.Vector == nil || after.Vector == nil {
			continue
		}
		least := scale.Split
		if min(weight, other) >= scale.Sure {
			least = scale.SplitSure
		}
		if z := impostors.Normalise(face.Score(face.Dot(before.Vector, after.Vector))); z-least < worst {
			at, worst = i, z-least
		}
	}
	if at == 0 {
		return nil
	}
	out := append(changes(samples[:at], scale, impostors), at)
	for _, i := range changes(samples[at:], scale, impostors) {
		out = append(out, at+i)
	}
	return out
}

// seam is the number of observations before the likeliest change of person after one sample and up to the next: where
// successive boxes overlap least.
func seam(obs []Observation, after, upTo time.Duration) int {
	best, least := 1, float32(2)
	for i := 1; i < len(obs); i++ {
		if obs[i-1].Time < after || obs[i].Time > upTo {
			continue
		}
		if iou := face.IoU(obs[i-1].Detection.Box, obs[i].Detection.Box); iou < least {
			best, least = i, iou
		}
	}
	return best
}
