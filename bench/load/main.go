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
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are what the flags say.
type options struct {
	spotter, models, photos, work, profile string
	parts                                  []string
	clients                                int
	length, pause, idle, soak              time.Duration
	sizes                                  []int
	sightings                              int
	json                                   bool
	// log says how far the measuring is.
	log io.Writer
}

func main() {
	if code, served := serveProfiled(context.Background()); served {
		os.Exit(code)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// errFailures says that the server gave errors, which the report names.
var errFailures = errors.New("some requests failed")

func run(ctx context.Context, args []string, out, log io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	o.log = log
	r, err := measure(ctx, o)
	if err != nil {
		return err
	}
	if o.json {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(r)
	} else {
		err = r.print(out)
	}
	if err != nil {
		return err
	}
	if r.failures() > 0 {
		err = errFailures
	}
	if r.Soak != nil && slices.ContainsFunc(r.Soak.Growth, func(g growth) bool { return g.unbounded() }) {
		err = errors.Join(err, errGrowth)
	}
	return err
}

// partNames are the parts in the order in which they are measured.
func partNames() []string { return append(usualParts(), "soak") }

// usualParts are those that are measured where nobody says otherwise.
func usualParts() []string { return []string{"idle", "photos", "jobs", "galleries", "results"} }

func parse(args []string) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("load", flag.ContinueOnError)
	f.StringVar(&o.spotter, "spotter", "bin/spotter", "the program to measure")
	f.StringVar(&o.models, "models", "models/default", "its model pack")
	f.StringVar(&o.photos, "photos", "node_modules/@vladmandic/face-api/demo", "folder with sample1.jpg to sample6.jpg")
	f.StringVar(&o.work, "work", "", "folder to make data folders in, with 4.5 GB for a million faces; empty: a temporary one")
	f.StringVar(&o.profile, "profile", "", "write processor profiles of the server to this folder")
	parts := f.String("parts", strings.Join(usualParts(), ","), "what to measure; soak as well")
	f.IntVar(&o.clients, "clients", 200, "clients at the same time")
	f.DurationVar(&o.length, "for", 2*time.Minute, "how long they ask; a quarter of it without them and without pauses")
	f.DurationVar(&o.pause, "pause", time.Second, "between two questions of one client")
	f.DurationVar(&o.idle, "idle", 30*time.Second, "how long the idle server is watched")
	f.DurationVar(&o.soak, "soak", time.Hour, "how long the soaked server is worked, after a tenth of it to warm up")
	sizes := f.String("sizes", "10000,100000,1000000", "faces of the collections, ascending")
	f.IntVar(&o.sightings, "sightings", 1_000_000, "of the large job")
	f.BoolVar(&o.json, "json", false, "print JSON")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	o.parts = strings.Split(*parts, ",")
	for field := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("--sizes: %q is not a number", field)
		}
		o.sizes = append(o.sizes, n)
	}
	return o, o.check(f.Args())
}

func (o *options) check(rest []string) error {
	for _, p := range o.parts {
		if !slices.Contains(partNames(), p) {
			return fmt.Errorf("--parts: there is no part %q, only %s", p, strings.Join(partNames(), ", "))
		}
	}
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%q is not a flag", rest[0])
	case o.clients < 1 || o.clients > maxClients:
		return fmt.Errorf("--clients: %d is not within 1..%d", o.clients, maxClients)
	case o.length < time.Second || o.idle < time.Second || o.pause < 0:
		return errors.New("--for and --idle must be at least a second, and --pause not negative")
	case o.soak < time.Minute:
		return errors.New("--soak must be at least a minute")
	case !slices.IsSorted(o.sizes) || o.sizes[0] < leastFaces:
		return fmt.Errorf("--sizes: give ascending numbers from %d", leastFaces)
	case o.sightings < 20*pageSize:
		return fmt.Errorf("--sightings: give at least %d", 20*pageSize)
	}
	return nil
}

const (
	// maxClients is how many a machine has ports and descriptors for.
	maxClients = 10_000
	// leastFaces is how many faces the searches choose from.
	leastFaces = 100
)

// measure runs the parts that are asked for.
func measure(ctx context.Context, o *options) (_ *report, err error) {
	o.work, err = workFolder(o.work)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.work)) }() //nolint:gosec // made just now
	r := &report{Machine: describeMachine(ctx, o), LoadBefore: loadAverage()}
	parts := map[string]func(context.Context, *options, *report) error{
		"idle": measureIdle, "photos": measurePhotos, "jobs": measureJobs, "galleries": measureGalleries, "results": measureResults,
		"soak": measureSoak,
	}
	for _, name := range partNames() {
		if !slices.Contains(o.parts, name) {
			continue
		}
		o.say("measuring " + name)
		if err := parts[name](ctx, o, r); err != nil {
			return nil, fmt.Errorf("measure %s: %w", name, err)
		}
	}
	r.LoadAfter = loadAverage()
	return r, nil
}

// workFolder is a new folder, in another one or among the temporary ones.
func workFolder(in string) (string, error) {
	if in != "" {
		if err := os.MkdirAll(in, 0o750); err != nil {
			return "", err
		}
	}
	folder, err := os.MkdirTemp(in, "spotter-load-")
	if err != nil {
		return "", err
	}
	return filepath.Abs(folder)
}

func (o *options) say(what string) { fmt.Fprintln(o.log, time.Now().Format(time.TimeOnly), what) }
