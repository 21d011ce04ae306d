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
	"strings"
)

type options struct {
	evaluation, spotter, models string
	threshold                   float64
	json, skipPairs             bool
	only                        string
	extra                       []string // further arguments of spotter search
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
	def := os.Getenv("SPOTTER_EVALUATION")
	if def == "" {
		def = "../shared/evaluation"
	}
	flag.StringVar(&o.evaluation, "evaluation", def, "folder with the evaluation data")
	flag.StringVar(&o.spotter, "spotter", "bin/spotter", "the program to measure")
	flag.StringVar(&o.models, "models", "models/default", "model pack for the LFW pairs")
	flag.Float64Var(&o.threshold, "threshold", 80, "similarity from which a match counts")
	flag.BoolVar(&o.json, "json", false, "print one JSON document")
	flag.BoolVar(&o.skipPairs, "skip-pairs", false, "measure the clips only")
	flag.StringVar(&o.only, "only", "", "measure this clip only, or pairs")
	flag.Parse()
	o.extra = flag.Args()
	return o
}

// report is everything measured in one run.
type report struct {
	Threshold float64   `json:"threshold"`
	Clips     []outcome `json:"clips"`
	Pairs     []pairing `json:"pairs,omitempty"`
}

func run(ctx context.Context, o options, w io.Writer) error {
	if !exists(o.evaluation) {
		fmt.Fprintf(w, "skipped: no evaluation data in %s (name the folder with --evaluation)\n", o.evaluation)
		return nil
	}
	r := report{Threshold: o.threshold}
	var missed []string
	for _, c := range clips() {
		if o.only != "" && o.only != c.name {
			continue
		}
		s, err := c.measure(ctx, o)
		if err != nil {
			return err
		}
		r.Clips = append(r.Clips, s)
		if s.recall() < c.recall || s.precision() < c.precision {
			missed = append(missed, c.name)
		}
		if !o.json {
			printClip(w, c, s)
		}
	}
	if !o.skipPairs && (o.only == "" || o.only == "pairs") {
		pairs, err := verify(ctx, o)
		if err != nil {
			return err
		}
		r.Pairs = pairs
		for _, p := range pairs {
			if p.Accuracy < pairGoal {
				missed = append(missed, p.List)
			}
			if !o.json {
				fmt.Fprintln(w, p)
			}
		}
	}
	if o.json {
		if err := json.NewEncoder(w).Encode(r); err != nil {
			return err
		}
	}
	if len(missed) > 0 {
		return fmt.Errorf("%w: %s", errMissed, strings.Join(missed, ", "))
	}
	return nil
}

func printClip(w io.Writer, c clip, s outcome) {
	fmt.Fprintf(w, "%-18s recall %5.1f %% of %3d points (goal %2.0f), intervals %d of %d, precision %5.1f %% (%d true, %d false)\n",
		s.Clip, 100*s.recall(), s.Points, 100*c.recall, s.IntervalsFound, s.Intervals, 100*s.precision(), s.True, s.False)
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
