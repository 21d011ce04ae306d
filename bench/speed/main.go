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
	"path/filepath"
	"strconv"
	"time"

	"github.com/spotter-video/spotter/bench/internal/evaluation"
	"github.com/spotter-video/spotter/bench/internal/process"
)

type options struct {
	evaluation, spotter, work string
	seconds, rounds           int
	memory, profile, json     bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, parse(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "speed:", err)
		os.Exit(1)
	}
}

func parse() options {
	var o options
	flag.StringVar(&o.evaluation, "evaluation", evaluation.Default(), "folder with the evaluation data")
	flag.StringVar(&o.spotter, "spotter", "bin/spotter", "the program to measure")
	flag.StringVar(&o.work, "work", filepath.Join(os.TempDir(), "spotter-bench"), "folder for the clips it makes")
	flag.IntVar(&o.seconds, "seconds", 60, "length of each clip")
	flag.IntVar(&o.rounds, "rounds", 3, "how often everything is run")
	flag.BoolVar(&o.memory, "memory", false, "measure peak memory for 10 and 60 minutes instead")
	flag.BoolVar(&o.profile, "profile", false, "show where the time goes instead")
	flag.BoolVar(&o.json, "json", false, "print one JSON document")
	flag.Parse()
	return o
}

func run(ctx context.Context, o options, w io.Writer) error {
	if missing := evaluation.Set(o.evaluation).Missing(); missing != "" {
		fmt.Fprintln(w, missing)
		return nil
	}
	if o.seconds < 1 || o.rounds < 1 {
		return errors.New("clips have a second at least, and everything is run once at least")
	}
	if err := os.MkdirAll(o.work, 0o750); err != nil {
		return err
	}
	switch {
	case o.memory:
		return measureMemory(ctx, o, w)
	case o.profile:
		return measureProfile(ctx, o, w)
	default:
		return measureSpeed(ctx, o, w)
	}
}

// search runs spotter on a video and throws the answer away.
func search(ctx context.Context, o options, video string, workers int, extra ...string) (process.Cost, error) {
	args := []string{
		"search", "--json", "--faces", filepath.Join(o.evaluation, facesFor),
		"--workers", strconv.Itoa(workers), video,
	}
	return process.Spend(ctx, o.spotter, append(args, extra...)...)
}

// row is one clip's medians.
type row struct {
	Clip                string `json:"clip"`
	Decode, One, Two    process.Cost
	CPURatio, WallRatio float64 // of the search with one worker to plain decoding
	TwoWorkers          float64 // wall time of one worker to that of two
	Realtime            float64 // video seconds per wall second with two workers
}

func measureSpeed(ctx context.Context, o options, w io.Writer) error {
	var rows []row
	for _, c := range clips() {
		video, err := c.make(ctx, o)
		if err != nil {
			return err
		}
		r, err := measureClip(ctx, o, c.name, video)
		if err != nil {
			return err
		}
		rows = append(rows, r)
		if !o.json {
			fmt.Fprintf(w, "%-15s decode %5.1f s CPU, search %5.1f s CPU: CPU %.2f x, wall %.2f x (one worker), %.2f x (two);"+
				" two workers %.2f x one; %.1f x realtime; peak %d MB\n", r.Clip, r.Decode.CPU.Seconds(), r.One.CPU.Seconds(),
				r.CPURatio, r.WallRatio, r.WallRatio/r.TwoWorkers, r.TwoWorkers, r.Realtime, r.Two.Peak>>20)
		}
	}
	if o.json {
		return json.NewEncoder(w).Encode(rows)
	}
	return nil
}

func measureClip(ctx context.Context, o options, name, video string) (row, error) {
	var decode, one, two []process.Cost
	for range o.rounds {
		d, err := process.Spend(ctx, "ffmpeg", "-v", "error", "-nostdin", "-i", video, "-f", "null", "-")
		if err != nil {
			return row{}, err
		}
		s1, err := search(ctx, o, video, 1)
		if err != nil {
			return row{}, err
		}
		s2, err := search(ctx, o, video, 2)
		if err != nil {
			return row{}, err
		}
		decode, one, two = append(decode, d), append(one, s1), append(two, s2)
	}
	r := row{Clip: name, Decode: process.Typical(decode), One: process.Typical(one), Two: process.Typical(two)}
	r.CPURatio = process.Ratio(one, decode, func(c process.Cost) time.Duration { return c.CPU })
	r.WallRatio = process.Ratio(one, decode, func(c process.Cost) time.Duration { return c.Wall })
	r.TwoWorkers = process.Ratio(one, two, func(c process.Cost) time.Duration { return c.Wall })
	r.Realtime = float64(o.seconds) / r.Two.Wall.Seconds()
	return r, nil
}

func measureMemory(ctx context.Context, o options, w io.Writer) error {
	video, err := clips()[longFrom].make(ctx, o)
	if err != nil {
		return err
	}
	for _, minutes := range []int{10, 60} {
		long, err := repeat(ctx, o, video, minutes)
		if err != nil {
			return err
		}
		c, err := search(ctx, o, long, 2)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%2d minutes: peak %d MB, CPU %.0f s, %.1f x realtime\n", minutes, c.Peak>>20, c.CPU.Seconds(),
			float64(60*minutes)/c.Wall.Seconds())
	}
	return nil
}
