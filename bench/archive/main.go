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
	"runtime"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spotter-video/spotter/internal/archive"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/engine"
)

// settings are what the flags say.
type settings struct {
	clips, tracklets, questions, checked int
	keep                                 string
	json                                 bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "archive:", err)
		os.Exit(1)
	}
}

func parse(args []string) (*settings, error) {
	s := new(settings)
	flags := flag.NewFlagSet("archive", flag.ContinueOnError)
	flags.IntVar(&s.clips, "clips", 2000, "clips to make")
	flags.IntVar(&s.tracklets, "tracklets", 1_000_000, "faces followed in all clips together, about")
	flags.IntVar(&s.questions, "questions", 200, "times that somebody is looked for")
	flags.IntVar(&s.checked, "check", 40, "clips that are also searched one by one")
	flags.StringVar(&s.keep, "keep", "", "keep the archive in this `file`, and use it if it is there")
	flags.BoolVar(&s.json, "json", false, "print JSON")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if s.clips < 1 || s.tracklets < s.clips || s.questions < 1 || s.checked < 0 {
		return nil, errors.New("at least a clip, a tracklet for each and a question are needed")
	}
	return s, nil
}

// report is everything measured in one run. Times are in milliseconds, sizes in bytes.
type report struct {
	Clips     int     `json:"clips"`
	Hours     float64 `json:"hours"` // of video, all clips together
	Tracklets int     `json:"tracklets"`
	// Disk and Memory are bytes for each tracklet: of the archive, portraits and all, and of what questions are answered from.
	Disk   float64 `json:"disk_per_tracklet"`
	Memory float64 `json:"memory_per_tracklet"`
	// Load is how long it takes to read what tracklets are looked through by.
	Load float64 `json:"load_ms"`
	// Look is looking a person up among all tracklets, Best finishing the ten best clips, Read a plain read of as much memory as Look scans.
	Look spread  `json:"look_ms"`
	Best spread  `json:"best_ms"`
	Read float64 `json:"read_ms"`
	// Clip is finishing one clip, Candidates how many clips are to be finished for a question, Found in how many somebody is.
	Clip       float64 `json:"clip_ms"`
	Candidates float64 `json:"candidates"`
	Found      float64 `json:"found"`
	Checked    int     `json:"checked"`
}

type spread struct {
	Median float64 `json:"p50"`
	Worst  float64 `json:"p99"`
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	s, err := parse(args)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "spotter-archive-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	c := config.Default()
	c.Helper, c.Models, c.PhotoCache = "bin/spotter-decode", "models/default", config.Off
	e, err := engine.New(c, time.Now, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	path := s.keep
	if path == "" {
		path = filepath.Join(folder, "archive.spotter")
	}
	if sizeOf(path) == 0 {
		if err = s.make(ctx, c, e, folder, path); err != nil {
			return err
		}
	}
	a, err := archive.Read(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	q := &questions{settings: s, engine: e, archive: a, folder: folder}
	r, err := q.run(ctx)
	if err != nil {
		return err
	}
	r.Disk = float64(sizeOf(path)) / float64(max(r.Tracklets, 1))
	if s.json {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	return r.print(out)
}

// make makes the archive.
func (s *settings) make(ctx context.Context, c config.Config, e *engine.Engine, folder, path string) (err error) {
	p, err := film(ctx, c, folder)
	if err != nil {
		return err
	}
	to, err := archive.Open(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	began := time.Now()
	m := &maker{settings: s, pattern: p, engine: e, to: to}
	return m.run(ctx, func(n int) {
		if n%100 == 0 {
			fmt.Fprintf(os.Stderr, "\rmaking clip %d of %d, %s ", n, s.clips, time.Since(began).Round(time.Second))
		}
	})
}

func (r *report) print(out io.Writer) error {
	fmt.Fprintf(out, "\n%d clips, %.0f hours, %d faces followed; %s/%s, %d CPUs\n\n", r.Clips, r.Hours, r.Tracklets, runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, l := range []struct {
		what  string
		value string
	}{
		{"memory for each face followed", fmt.Sprintf("%.0f B", r.Memory)},
		{"disk for each face followed, portrait and times included", fmt.Sprintf("%.0f B", r.Disk)},
		{"start: reading what is looked through", fmt.Sprintf("%.0f ms", r.Load)},
		{"looking a person up among all, p50", fmt.Sprintf("%.1f ms", r.Look.Median)},
		{"p99", fmt.Sprintf("%.1f ms", r.Look.Worst)},
		{"the same memory, plainly read", fmt.Sprintf("%.1f ms", r.Read)},
		{"and the ten best clips with all times, p50", fmt.Sprintf("%.1f ms", r.Best.Median)},
		{"p99", fmt.Sprintf("%.1f ms", r.Best.Worst)},
		{"finishing one clip", fmt.Sprintf("%.1f ms", r.Clip)},
		{"clips that a person may be in", fmt.Sprintf("%.1f", r.Candidates)},
		{"clips that a person is in", fmt.Sprintf("%.1f", r.Found)},
		{"clips searched one by one, with the same answer", strconv.Itoa(r.Checked)},
	} {
		fmt.Fprintf(w, "%s\t%s\t\n", l.what, l.value)
	}
	return w.Flush()
}
