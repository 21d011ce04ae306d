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
}

// sampler keeps the few crops of one tracklet that say most: of good quality, and spread over its time, because a
// face turns and lights change, and ten crops of one second say little more than one.
type sampler struct {
	most int
	kept []candidate // ascending in time
}

// wants says whether a candidate would be kept: so that only crops which matter are cut.
func (s *sampler) wants(at time.Duration, quality float32) bool {
	if len(s.kept) < s.most {
		return true
	}
	kept := append(slices.Clone(s.kept), candidate{at: at, quality: quality})
	return weakest(kept) != len(kept)-1
}

// add keeps a candidate and returns the crop that it replaces, if any.
func (s *sampler) add(c candidate) *face.Crop {
	s.kept = append(s.kept, c)
	if len(s.kept) <= s.most {
		return nil
	}
	i := weakest(s.kept)
	crop := s.kept[i].crop
	s.kept = slices.Delete(s.kept, i, i+1)
	return crop
}

// weakest is the candidate that is missed least: the worse one of the two that lie closest together in time, where a
// pair of poor quality counts as closer than it is.
func weakest(kept []candidate) int {
	if len(kept) == 1 {
		return 0
	}
	worst, least := 0, math.Inf(1)
	for i := range len(kept) - 1 {
		a, b := kept[i], kept[i+1]
		low := min(a.quality, b.quality)
		if d := (b.at - a.at).Seconds() * float64(low); d < least {
			least = d
			worst = i
			if b.quality < a.quality {
				worst = i + 1
			}
		}
	}
	return worst
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
