package search

import (
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// split pools a tracklet's samples; where two successive samples are not one face, the tracker has run from one
// person into another, and each gets a tracklet of their own. samples are those of t.sampler.kept, in its order.
func split(t *followed, samples []face.Sample, least face.Score) []Tracklet {
	var parts []Tracklet
	rest, from := t.Observations, 0
	for i := 1; i <= len(samples); i++ {
		if i < len(samples) && score(samples[i-1], samples[i]) >= least {
			continue
		}
		part := Tracklet{Observations: rest}
		if i < len(samples) {
			n := seam(rest, t.sampler.kept[i-1].at, t.sampler.kept[i].at)
			part.Observations, rest = rest[:n:n], rest[n:]
		}
		part.Embedding, part.Weight = pool(samples[from:i])
		parts = append(parts, part)
		from = i
	}
	if len(parts) == 0 {
		parts = append(parts, Tracklet{Observations: rest})
	}
	if len(parts) == 1 { // a portrait of a mixed tracklet may show either person
		parts[0].Portrait, parts[0].PortraitQuality = t.Portrait, t.PortraitQuality
	}
	return parts
}

func score(a, b face.Sample) face.Score {
	return face.Score(face.Dot(a.Embedding.Vector, b.Embedding.Vector))
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
