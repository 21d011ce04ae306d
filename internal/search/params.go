package search

import (
	"errors"
	"fmt"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/track"
)

// Params tune the pipeline. All of them change results: a face search keeps the ones it was started with.
type Params struct {
	// SampleRate is how many frames a second are analysed. Raising it finds shorter appearances at a proportional cost.
	SampleRate float64
	// Track tunes the tracker.
	Track track.Params
	// ShotChange is the mean difference of two successive frames' 32 x 18 thumbnails, in levels of 0..255, from which they
	// belong to different shots. Lowering it cuts tracklets in two at flashes and fast pans (they are joined again
	// as one person); raising it lets a tracklet run from one person's face into another's.
	ShotChange float64
	// Samples is how many crops of a tracklet are embedded at most. Raising it costs a run of the embedder each and steadies
	// the pooled embedding.
	Samples int
	// SampleEvery is the time that a tracklet lasts for each crop that is embedded beyond the first few. Lowering it
	// embeds more crops of short tracklets.
	SampleEvery time.Duration
	// SplitScore is the score of the samples before and after a moment, pooled, below which a tracklet is two people and is
	// split there.
	SplitScore face.Score
	// SamePerson is the normalised score of two tracklets from which they are one person of this video, at least; a video
	// of many tracklets asks for more.
	SamePerson float64
}

// DefaultParams are the measured ones (docs/decisions/0004-tracks.md).
func DefaultParams() Params {
	return Params{
		SampleRate: 5,
		Track:      track.DefaultParams(),
		ShotChange: 28,
		Samples:    10,

		SampleEvery: 400 * time.Millisecond,
		SplitScore:  0.25,
		SamePerson:  4.1,
	}
}

// Validate says which parameter is unusable; nil if none is.
func (p Params) Validate() error {
	var errs []error
	if !(p.SampleRate > 0 && p.SampleRate <= 240) {
		errs = append(errs, fmt.Errorf("sample rate %v is not above 0 and at most 240 per second", p.SampleRate))
	}
	if p.Samples < 1 || p.Samples > 64 {
		errs = append(errs, fmt.Errorf("samples per tracklet %d are not 1 to 64", p.Samples))
	}
	if p.SampleEvery <= 0 {
		errs = append(errs, fmt.Errorf("time per sample %v is not above 0", p.SampleEvery))
	}
	if !(p.ShotChange > 0) {
		errs = append(errs, fmt.Errorf("shot change %v is not above 0", p.ShotChange))
	}
	return errors.Join(errs...)
}

// leastSamples is how many crops of the shortest tracklets are embedded, if there are as many.
const leastSamples = 2

func (p Params) interval() time.Duration {
	return time.Duration(float64(time.Second) / p.SampleRate)
}
