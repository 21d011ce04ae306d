package search

import (
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// Observation is one detection of a tracklet.
type Observation struct {
	Time      time.Duration
	Detection face.Detection
	// Attributes are what the face looked like, where that was asked for.
	Attributes *face.Attributes
}

// Tracklet is one face followed over time within one shot of one stretch.
type Tracklet struct {
	// Observations ascend in time; there is at least one.
	Observations []Observation
	// Track numbers the tracker's tracks of a stretch; the parts of one that was split share its number.
	Track int
	// Embedding is pooled from the tracklet's samples. It has no vector when none could be embedded; such a tracklet
	// is seen and never matches.
	Embedding face.Embedding
	// Weight is the sum of the samples' weights: how much the embedding says.
	Weight float64
	// Portrait is the best view as an encoded image, where portraits were asked for.
	Portrait []byte
	// PortraitQuality ranks portraits of one person.
	PortraitQuality float32
}

// Start is the time of the first observation.
func (t *Tracklet) Start() time.Duration { return t.Observations[0].Time }

// End is the time of the last observation.
func (t *Tracklet) End() time.Duration { return t.Observations[len(t.Observations)-1].Time }

// Tracklets is what [Analyze] makes of one stretch: plain data, to be kept in memory or stored until [Finish].
type Tracklets struct {
	// Stretch is the stretch's place in the video, from 0.
	Stretch int
	// List ascends by start; ties keep the detector's order.
	List []Tracklet
	// First and Last are thumbnails of the first and the last frame, their shape and 32 x 18 cells of luma and both colour differences: they tell
	// whether the next stretch goes on with the same shot. Nil without frames.
	First, Last []byte
	// Frames is how many frames were analysed, Faces how many detections they had.
	Frames, Faces int
	// Upright is how many of a few pictures are upright as they are, and when they are turned clockwise by one, two and
	// three quarters; those of which that is known.
	Upright [turns]int
}

// poolWeight is how much a sample counts: the square of what its norm has above the pack's floor. Measured best against plain
// mean, median and the single best frame on television, talk-show and film clips (docs/decisions/0004-tracks.md).
func poolWeight(norm float32, scale *face.Scale) float64 {
	w := float64(max(norm-scale.PoolFloor, scale.PoolLeast))
	return w * w
}

// pool is the weighted mean of the samples as a unit vector. No samples, or samples that cancel out, give no vector.
func pool(samples []face.Sample, scale *face.Scale) (e face.Embedding, weight float64) {
	if len(samples) == 0 {
		return face.Embedding{}, 0
	}
	sum := make([]float64, len(samples[0].Embedding.Vector))
	for _, s := range samples {
		w := poolWeight(s.Norm, scale)
		weight += w
		for i, x := range s.Embedding.Vector {
			sum[i] += w * float64(x)
		}
	}
	v := make([]float32, len(sum))
	for i, x := range sum {
		v[i] = float32(x)
	}
	if _, err := face.Normalize(v); err != nil {
		return face.Embedding{}, 0
	}
	return face.Embedding{Model: samples[0].Embedding.Model, Vector: v}, weight
}
