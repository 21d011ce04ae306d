package main

import (
	"context"

	"github.com/spotter-video/spotter/bench/internal/evaluation"
)

// clip is one measurement: what is searched, and what must be reached.
type clip struct {
	evaluation.Clip
	recall    float64
	precision float64
}

// clips are the evaluation set's, with the goals that the project sets itself.
func clips() []clip {
	goals := map[string]float64{"friends-apartment": 0.85, "synth-dev": 0.90, "opera-crowd": 1}
	var out []clip
	for _, c := range evaluation.Clips() {
		goal, special := goals[c.Name]
		if !special {
			goal = 0.97
		}
		out = append(out, clip{Clip: c, recall: goal, precision: 1})
	}
	return out
}

// measure searches the clip as a user would and scores the answer.
func (c clip) measure(ctx context.Context, o options) (evaluation.Outcome, error) {
	gt, err := evaluation.ReadTruth(o.path(c.Truth))
	if err != nil {
		return evaluation.Outcome{}, err
	}
	doc, err := searchClip(ctx, o, o.path(c.Video), o.path(c.Faces))
	if err != nil {
		return evaluation.Outcome{}, err
	}
	s := evaluation.Score(doc, gt, o.threshold)
	s.Clip = c.Name
	return s, nil
}
