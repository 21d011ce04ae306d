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

	"github.com/spotter-video/spotter/bench/internal/evaluation"
)

type options struct {
	evaluation, spotter, models, node string
	clips                             []string
	rounds                            int
	json                              bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := start(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// start is the program or, as a child of it, the loop.
func start(ctx context.Context) error {
	if len(os.Args) > 1 && os.Args[1] == "loop" {
		return runLoop(ctx, os.Args[2:], os.Stdout)
	}
	return run(ctx, parse(), os.Stdout)
}

func parse() options {
	var o options
	var clips string
	flag.StringVar(&o.evaluation, "evaluation", evaluation.Default(), "folder with the evaluation data")
	flag.StringVar(&o.spotter, "spotter", "bin/spotter", "the program to measure")
	flag.StringVar(&o.models, "models", "models/default", "model pack for the loop")
	flag.StringVar(&o.node, "node", "bench/peers", "folder of the program that runs under Node")
	flag.StringVar(&clips, "clips", "", "measure these clips only, with commas between")
	flag.IntVar(&o.rounds, "rounds", 1, "how often everything is run")
	flag.BoolVar(&o.json, "json", false, "print one JSON document")
	flag.Parse()
	if clips != "" {
		o.clips = strings.Split(clips, ",")
	}
	return o
}

func run(ctx context.Context, o options, w io.Writer) error {
	set := evaluation.Set(o.evaluation)
	if missing := set.Missing(); missing != "" {
		fmt.Fprintln(w, missing)
		return nil
	}
	if o.rounds < 1 {
		return errors.New("everything is run once at least")
	}
	clips, err := evaluation.Named(o.clips)
	if err != nil {
		return err
	}
	m := &measuring{w: w}
	if o.json {
		m.w = io.Discard
	}
	if m.peers, m.Skipped, err = gather(ctx, o); err != nil {
		return err
	}
	for _, s := range m.Skipped {
		fmt.Fprintln(m.w, "skipped:", s)
	}
	if err := m.measure(ctx, set, clips, o.rounds); err != nil {
		return err
	}
	m.sum()
	if o.json {
		return json.NewEncoder(w).Encode(m.report)
	}
	m.print()
	return nil
}
