package search

import (
	"math"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// candidate is a crop of a tracklet that may be embedded when the tracklet has ended.
type candidate struct {
	at      time.Duration
	quality float32
	crop    *face.Crop
	run     int // of the tracklet that it is of: see sampler
}

// sampler keeps the few crops of one tracklet that say most: of good quality, and spread over its time, because a
// face turns and lights change, and ten crops of one second say little more than one. Where the sight of the face has
// suddenly changed a new run begins, which may be another person: each run keeps two crops as long as there is room, so that
// the embeddings can tell.
type sampler struct {
	most int
	runs int         // how many there are, less one
	kept []candidate // ascending in time
}

// runCrops is how many crops each run keeps: one alone names nobody.
const runCrops = 2

// wants says whether a candidate would be kept: so that only crops which matter are cut.
func (s *sampler) wants(at time.Duration, quality float32) bool {
	if len(s.kept) < s.most {
		return true
	}
	kept := append(s.kept, candidate{at: at, quality: quality, run: s.runs}) // s.kept itself stays as long as it is
	return weakest(kept) != len(kept)-1
}

// add keeps a candidate and returns the crop that it replaces, if any.
func (s *sampler) add(c candidate) *face.Crop {
	c.run = s.runs
	s.kept = append(s.kept, c)
	if len(s.kept) <= s.most {
		return nil
	}
	i := weakest(s.kept)
	crop := s.kept[i].crop
	s.kept = slices.Delete(s.kept, i, i+1)
	return crop
}

// thin drops the candidates that are missed least until at most n are left, or two of each run, and returns their crops.
func (s *sampler) thin(n int) (dropped []*face.Crop) {
	n = max(n, min(runCrops*(s.runs+1), s.most))
	for len(s.kept) > n {
		i := weakest(s.kept)
		dropped = append(dropped, s.kept[i].crop)
		s.kept = slices.Delete(s.kept, i, i+1)
	}
	return dropped
}

// weakest is the candidate that is missed least: the one whose absence leaves the shortest time without a sample, where
// a poor crop stands for less time than a good one. Of equals the latest goes, so that the first ones are not used up. Runs
// that have crops to spare go first.
func weakest(kept []candidate) int {
	spare := runCrops + 1
	for spare > 1 && !slices.ContainsFunc(kept, func(c candidate) bool { return inRun(kept, c.run) >= spare }) {
		spare--
	}
	worst, least := 0, math.Inf(1)
	for i, c := range kept {
		if inRun(kept, c.run) < spare {
			continue
		}
		if d := alone(kept, i).Seconds() * float64(c.quality); d <= least {
			worst, least = i, d
		}
	}
	return worst
}

// inRun is how many candidates are of a run.
func inRun(kept []candidate, run int) (n int) {
	for _, c := range kept {
		if c.run == run {
			n++
		}
	}
	return n
}

// alone is the time between the neighbours of a candidate; at either end, twice the time to the only neighbour.
func alone(kept []candidate, i int) time.Duration {
	switch {
	case len(kept) == 1:
		return 0
	case i == 0:
		return 2 * (kept[1].at - kept[0].at)
	case i == len(kept)-1:
		return 2 * (kept[i].at - kept[i-1].at)
	default:
		return kept[i+1].at - kept[i-1].at
	}
}

// Faces smaller than fullDetail pixels lose detail in the crop; above it they only shrink.
const fullDetail = face.CropSide

// sampleQuality ranks the crops of one tracklet against each other, 0..1: large, frontal and sharp is good. It only has to
// order them: how much each sample counts is then up to the embedder's norm.
func sampleQuality(d *face.Detection, height int) float32 {
	size := min(d.Box.Height*float32(height)/fullDetail, 1)
	turned := math.Cos(radians(d.Pose.Yaw)) * math.Cos(radians(d.Pose.Pitch))
	sharp := 0.3 + 0.7*min(max(d.Quality.Sharpness/100, 0), 1)
	return max(size*float32(max(turned, 0))*sharp*d.Confidence/100, 1e-4)
}

func radians(degrees float32) float64 { return float64(degrees) * math.Pi / 180 }
