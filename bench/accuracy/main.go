package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/spotter-video/spotter/bench/internal/evaluation"
)

type options struct {
	evaluation, spotter, models string
	threshold                   float64
	json, skipPairs             bool
	only                        string
	extra                       []string // further arguments of spotter search
}

// path is a file of the evaluation data.
func (o options) path(name string) string {
	return evaluation.Set(o.evaluation).Path(name)
}

var errMissed = errors.New("a goal was missed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, parse(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "accuracy:", err)
		os.Exit(1)
	}
}

func parse() options {
	var o options
	flag.StringVar(&o.evaluation, "evaluation", evaluation.Default(), "folder with the evaluation data")
	flag.StringVar(&o.spotter, "spotter", "bin/spotter", "the program to measure")
	flag.StringVar(&o.models, "models", "models/default", "model pack for the LFW pairs")
	flag.Float64Var(&o.threshold, "threshold", 80, "similarity from which a match counts")
	flag.BoolVar(&o.json, "json", false, "print one JSON document")
	flag.BoolVar(&o.skipPairs, "skip-pairs", false, "measure the clips only")
	flag.StringVar(&o.only, "only", "", "measure this clip only, or pairs, or small faces: small; or what each economy saves and costs: levers")
	flag.Parse()
	o.extra = flag.Args()
	return o
}

// report is everything measured in one run.
type report struct {
	Threshold float64              `json:"threshold"`
	Clips     []evaluation.Outcome `json:"clips"`
	// Rates are the hardest clip's scores at other rates of frames a second.
	Rates []evaluation.Outcome `json:"rates,omitempty"`
	// Naming is each clip's names and persons; Enrolled and Nobody are those of all clips together.
	Naming   []naming  `json:"naming,omitempty"`
	Enrolled wholeness `json:"enrolled"`
	Nobody   wholeness `json:"nobody"`
	Pairs    []pairing `json:"pairs,omitempty"`
	// Small are faces of few pixels, in clips made of LFW.
	Small []smallFaces `json:"small,omitempty"`
	// Levers are what each economy saves and what is found with it.
	Levers []pulled `json:"levers,omitempty"`
	Missed []string `json:"missed,omitempty"` // goals
}

// The goals that are not a clip's own.
const (
	recallGoal = 0.95 // of all clips' points together
	pairsGoal  = 0.97 // of the pairs of sightings with one index
	purityGoal = 0.98
	piecesGoal = 1.5 // indices a person
)

// measuring is one run under way.
type measuring struct {
	options
	report
	w io.Writer // for people; nothing where JSON is wanted
}

func run(ctx context.Context, o options, w io.Writer) error {
	if missing := evaluation.Set(o.evaluation).Missing(); missing != "" {
		fmt.Fprintln(w, missing)
		return nil
	}
	m := &measuring{options: o, report: report{Threshold: o.threshold}, w: w}
	if o.json {
		m.w = io.Discard
	}
	for _, step := range []func(context.Context) error{m.scoreClips, m.scoreRates, m.study, m.verifyPairs, m.measureSmall, m.pullLevers} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if o.json {
		if err := json.NewEncoder(w).Encode(m.report); err != nil {
			return err
		}
	}
	if len(m.Missed) > 0 {
		return fmt.Errorf("%w: %s", errMissed, strings.Join(m.Missed, ", "))
	}
	return nil
}

// wants says whether a part is to be measured.
func (m *measuring) wants(part string) bool { return m.only == "" || m.only == part }

func (m *measuring) miss(when bool, goal string) {
	if when {
		m.Missed = append(m.Missed, goal)
	}
}

// scoreClips searches each clip as a user would.
func (m *measuring) scoreClips(ctx context.Context) error {
	var all evaluation.Outcome
	for _, c := range clips() {
		if !m.wants(c.Name) {
			continue
		}
		s, err := c.measure(ctx, m.options)
		if err != nil {
			return err
		}
		m.Clips = append(m.Clips, s)
		all.Points, all.Hits = all.Points+s.Points, all.Hits+s.Hits
		m.miss(s.Recall() < c.recall || s.Precision() < c.precision, c.Name)
		printClip(m.w, c, s)
	}
	if m.only == "" {
		fmt.Fprintf(m.w, "all clips          recall %5.1f %% of %3d points (goal %2.0f)\n", 100*all.Recall(), all.Points, 100*recallGoal)
		m.miss(all.Recall() < recallGoal, "recall of all clips")
	}
	return nil
}

// scoreRates searches the hardest clip at other rates, whose frames show other moments of the same faces.
func (m *measuring) scoreRates(ctx context.Context) error {
	c := clips()[0]
	if !m.wants(c.Name) {
		return nil
	}
	for _, rate := range []string{"4", "6", "7"} {
		o := m.options
		o.extra = append(slices.Clip(o.extra), "--sample-rate", rate)
		s, err := c.measure(ctx, o)
		if err != nil {
			return err
		}
		s.Clip += " at " + rate
		m.Rates = append(m.Rates, s)
		fmt.Fprintf(m.w, "%-18s recall %5.1f %% at %s frames a second, %d false\n", c.Name, 100*s.Recall(), rate, s.False)
		m.miss(s.Recall() < c.recall || s.Precision() < c.precision, s.Clip)
	}
	return nil
}

// study measures names and persons with every choice of who is enrolled.
func (m *measuring) study(ctx context.Context) (err error) {
	if m.only == "pairs" || m.only == "small" || m.only == "levers" {
		return nil
	}
	l, err := newLaboratory(m.options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	for _, c := range clips() {
		if !m.wants(c.Name) {
			continue
		}
		n, err := c.study(ctx, l, m.options)
		if err != nil {
			return err
		}
		m.Naming = append(m.Naming, n)
		m.Enrolled.add(n.Enrolled)
		m.Nobody.add(n.Nobody)
		m.miss(n.LeftOut > 0, "wrong names in "+c.Name)
		m.miss(n.Differing > 0, "thresholds in "+c.Name)
		fmt.Fprint(m.w, n)
	}
	for what, w := range map[string]wholeness{"everybody": m.Enrolled, "nobody": m.Nobody} {
		if w.Sightings == 0 {
			continue
		}
		fmt.Fprintf(m.w, "all clips, %-9s %v (goals %.0f, %.0f, %.2f)\n", what+":", w, 100*pairsGoal, 100*purityGoal, piecesGoal)
		m.miss(w.pairs() < pairsGoal || w.purity() < purityGoal || w.pieces() > piecesGoal, "persons with "+what+" enrolled")
	}
	return nil
}

// verifyPairs judges LFW's development pairs.
func (m *measuring) verifyPairs(ctx context.Context) error {
	if m.skipPairs || !m.wants("pairs") {
		return nil
	}
	var err error
	if m.Pairs, err = verify(ctx, m.options); err != nil {
		return err
	}
	for _, p := range m.Pairs {
		m.miss(p.Accuracy < pairGoal, p.List)
		fmt.Fprintln(m.w, p)
	}
	return nil
}

func printClip(w io.Writer, c clip, s evaluation.Outcome) {
	fmt.Fprintf(w, "%-18s recall %5.1f %% of %3d points (goal %2.0f), intervals %d of %d, precision %5.1f %% (%d true, %d false)\n",
		s.Clip, 100*s.Recall(), s.Points, 100*c.recall, s.IntervalsFound, s.Intervals, 100*s.Precision(), s.True, s.False)
	for _, m := range s.Missed {
		fmt.Fprintf(w, "    missed %-24s at %6d ms\n", m.Identity, m.At)
	}
	for _, m := range s.Wrong {
		fmt.Fprintf(w, "    false  %-24s at %6d ms, similarity %.1f\n", m.Identity, m.At, m.Similarity)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
