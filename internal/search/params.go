package search

import (
	"errors"
	"fmt"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/track"
)

// Revision is raised with every change of this room, of track or of recognizer after which the same parameters give other results:
// what one revision has begun no other one may end.
const Revision = 2

// Params tune the pipeline. All of them change results: a face search keeps the ones it was started with.
type Params struct {
	// SampleRate is how many frames a second are analysed. Raising it finds shorter appearances at a proportional cost.
	SampleRate float64
	// WholeEvery is how long it may be between two looks at the whole picture while faces are followed from frame to frame.
	// Raising it saves detector runs, and finds who appears within a shot that much later.
	WholeEvery time.Duration
	// Track tunes the tracker.
	Track track.Params
	// ShotChange is the mean difference of two successive frames' 32 x 18 thumbnails, in levels of 0..255, from which they
	// belong to different shots. Lowering it cuts tracklets in two at flashes and fast pans (they are joined again
	// as one person); raising it lets a tracklet run from one person's face into another's.
	ShotChange float64
	// ShotContrast is the same as a share of both thumbnails' contrasts added up (standard deviations of the luma). Two
	// pictures that have nothing in common differ by 0.56 of it, two of one shot by less than 0.35, however dark they are.
	ShotContrast float64
	// Samples is how many crops of a tracklet are embedded at most. Raising it costs a run of the embedder each and steadies
	// the pooled embedding.
	Samples int
	// SampleEvery is the time that a tracklet lasts for each crop that is embedded beyond the first few. Lowering it
	// embeds more crops of short tracklets.
	SampleEvery time.Duration
	// Settled is from which part of the reliability of all of a tracklet's samples on fewer of them will do, 0..1. Raising it
	// embeds more crops of a tracklet whose crops are alike; 1 embeds all.
	Settled float64
	// Scale is the model pack's.
	Scale face.Scale
}

// DefaultParams are the measured ones (docs/decisions/0004-tracks.md), for a model pack's scale.
func DefaultParams(scale face.Scale) Params {
	return Params{
		SampleRate: 5,
		WholeEvery: 400 * time.Millisecond,
		Track:      track.DefaultParams(),
		ShotChange: 28, ShotContrast: 0.38,
		Samples: 10,

		SampleEvery: 400 * time.Millisecond,
		Settled:     0.94,
		Scale:       scale,
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
	if !(p.Settled >= 0 && p.Settled <= 1) {
		errs = append(errs, fmt.Errorf("part of the reliability of all samples %v is not 0 to 1", p.Settled))
	}
	if p.WholeEvery <= 0 {
		errs = append(errs, fmt.Errorf("time from one look at the whole picture to the next %v is not above 0", p.WholeEvery))
	}
	if !(p.ShotChange > 0) {
		errs = append(errs, fmt.Errorf("shot change %v is not above 0", p.ShotChange))
	}
	if !(p.ShotContrast > 0) {
		errs = append(errs, fmt.Errorf("shot contrast %v is not above 0", p.ShotContrast))
	}
	return errors.Join(append(errs, p.Scale.Check())...)
}

// leastSamples is how many crops of the shortest tracklets are embedded, if there are as many.
const leastSamples = 2

func (p Params) interval() time.Duration {
	return time.Duration(float64(time.Second) / p.SampleRate)
}
