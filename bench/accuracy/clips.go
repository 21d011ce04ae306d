package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// clip is one measurement: a video, the people enrolled for it, and what must be reached.
type clip struct {
	name      string
	video     string // below the evaluation folder, like the rest
	truth     string
	faces     string
	recall    float64
	precision float64
}

// clips are the evaluation set's, with the goals that the project sets itself. In opera-crowd nobody is enrolled: the 40
// people of the synthetic clip are searched there, and every match is false.
func clips() []clip {
	const synth = "synthetic/synth-dev-720p"
	filmed := func(name string, recall float64) clip {
		return clip{name, "clips/" + name + ".mp4", "clips/" + name + ".gt.json", "enrol/" + name, recall, 0.99}
	}
	return []clip{
		filmed("friends-apartment", 0.90),
		filmed("hamilton", 0.97),
		filmed("koffee", 0.97),
		filmed("obama-podium", 0.97),
		{"opera-crowd", "clips/opera-crowd.mp4", "clips/opera-crowd.gt.json", synth + "-enrol", 1, 1},
		{"synth-dev", synth + ".mp4", synth + ".gt.json", synth + "-enrol", 0.90, 0.99},
	}
}

// measure searches the clip as a user would and scores the answer.
func (c clip) measure(ctx context.Context, o options) (outcome, error) {
	gt, err := readTruth(filepath.Join(o.evaluation, c.truth))
	if err != nil {
		return outcome{}, err
	}
	//nolint:gosec // the program under test, named by the person who runs the measurement
	cmd := exec.CommandContext(ctx, o.spotter, "search", "--json", "--faces", filepath.Join(o.evaluation, c.faces),
		"--threshold", strconv.FormatFloat(o.threshold, 'g', -1, 64), filepath.Join(o.evaluation, c.video))
	cmd.Args = append(cmd.Args, o.extra...)
	cmd.Stderr = os.Stderr
	raw, err := cmd.Output()
	if err != nil {
		return outcome{}, fmt.Errorf("search %s: %w", c.name, err)
	}
	var doc document
	if err := json.Unmarshal(raw, &doc); err != nil {
		return outcome{}, fmt.Errorf("read the answer for %s: %w", c.name, err)
	}
	if doc.JobStatus != "SUCCEEDED" {
		return outcome{}, fmt.Errorf("search %s: %s %s", c.name, doc.JobStatus, doc.StatusMessage)
	}
	s := score(&doc, gt, o.threshold)
	s.Clip = c.name
	return s, nil
}
