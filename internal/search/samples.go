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

// order lists the candidates, those that say most first: good ones, each as far in time from all before it as may be. Each run
// has its crops among the first.
func (s *sampler) order() []int {
	order := make([]int, 0, len(s.kept))
	for len(order) < len(s.kept) {
		best, most := -1, -1.0
		for i, c := range s.kept {
			if slices.Contains(order, i) {
				continue
			}
			worth := float64(c.quality)
			inRun := 0
			for _, k := range order {
				worth = min(worth, float64(c.quality)*(c.at-s.kept[k].at).Abs().Seconds())
				if s.kept[k].run == c.run {
					inRun++
				}
			}
			if inRun < runCrops {
				worth += float64(runCrops-inRun) * math.MaxInt32 // before those of runs that have enough
			}
			if worth > most {
				best, most = i, worth
			}
		}
		order = append(order, best)
	}
	return order
}

// keep keeps some of the candidates, and gives their samples the order that they have in time.
func (s *sampler) keep(which []int, samples []face.Sample) []face.Sample {
	sorted := make([]face.Sample, 0, len(which))
	var kept []candidate
	for i, c := range s.kept {
		if k := slices.Index(which, i); k >= 0 {
			kept, sorted = append(kept, c), append(sorted, samples[k])
		}
	}
	s.kept = kept
	return sorted
}

// leastPooled is how many samples must be there before they can do for the others: their likeness has to be seen, over the
// whole time of the tracklet.
const leastPooled = 3

// settled says whether the mean of some samples is nearly what the mean of n would be: as reliable, up to a factor. How
// reliable a mean is follows from how alike its members are (Spearman and Brown, 1910), beyond what they have in common with
// strangers.
func settled(samples []face.Sample, n int, factor float64, cohort *face.Cohort) bool {
	sum, common, pairs := 0.0, 0.0, 0
	for i := range samples {
		common += face.Dot(samples[i].Embedding.Vector, cohort.Mean) / float64(len(samples))
		for k := range i {
			sum += face.Dot(samples[i].Embedding.Vector, samples[k].Embedding.Vector)
			pairs++
		}
	}
	alike := (sum/float64(pairs) - common) / (1 - common)
	return alike > 0 && reliability(len(samples), alike) >= factor*reliability(n, alike)
}

// reliability of the mean of n unit vectors of which any two have this cosine on the mean: the square of the cosine that it
// has with the mean of ever so many.
func reliability(n int, alike float64) float64 {
	return float64(n) * alike / (1 + float64(n-1)*alike)
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
