package main

import "context"

// clip is one measurement: a video, the people enrolled for it, and what must be reached.
type clip struct {
	name      string
	video     string // below the evaluation folder, like the rest
	truth     string
	faces     string
	recall    float64
	precision float64
	// frames has whose face is where in every frame; empty where that is not known.
	frames string
	// strangersOnly says that nobody who is enrolled is in the clip.
	strangersOnly bool
}

// clips are the evaluation set's, with the goals that the project sets itself. In opera-crowd nobody is enrolled: the 40
// people of the synthetic clip are searched there, and every match is false.
func clips() []clip {
	const synth = "synthetic/synth-dev-720p"
	filmed := func(name string, recall float64) clip {
		return clip{
			name: name, video: "clips/" + name + ".mp4", truth: "clips/" + name + ".gt.json", faces: "enrol/" + name,
			recall: recall, precision: 1,
		}
	}
	return []clip{
		filmed("friends-apartment", 0.85),
		filmed("hamilton", 0.97),
		filmed("koffee", 0.97),
		filmed("obama-podium", 0.97),
		{
			name: "opera-crowd", video: "clips/opera-crowd.mp4", truth: "clips/opera-crowd.gt.json", faces: synth + "-enrol",
			recall: 1, precision: 1, strangersOnly: true,
		},
		{
			name: "synth-dev", video: synth + ".mp4", truth: synth + ".gt.json", faces: synth + "-enrol",
			recall: 0.90, precision: 1, frames: synth + ".frames.json.gz",
		},
	}
}

// measure searches the clip as a user would and scores the answer.
func (c clip) measure(ctx context.Context, o options) (outcome, error) {
	gt, err := readTruth(o.path(c.truth))
	if err != nil {
		return outcome{}, err
	}
	doc, err := searchClip(ctx, o, o.path(c.video), o.path(c.faces))
	if err != nil {
		return outcome{}, err
	}
	s := score(doc, gt, o.threshold)
	s.Clip = c.name
	return s, nil
}
