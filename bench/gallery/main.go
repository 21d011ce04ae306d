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
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spotter-video/spotter/internal/gallery"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, time.Now)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "gallery:", err)
		os.Exit(1)
	}
}

// settings are what the flags say.
type settings struct {
	faces, dim, rounds int
	batches            []int
	kernels            []string
	threads            []int
	lean, json         bool
}

func run(ctx context.Context, args []string, out io.Writer, now func() time.Time) error {
	s, err := parse(args)
	if err != nil {
		return err
	}
	r, err := measure(ctx, s, now)
	if err != nil {
		return err
	}
	if s.lean {
		if r.Lean, err = measureLean(ctx, s, now); err != nil {
			return fmt.Errorf("without originals: %w", err)
		}
	}
	if s.json {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	return r.print(out)
}

func parse(args []string) (*settings, error) {
	s := &settings{threads: []int{1}}
	if n := runtime.GOMAXPROCS(0); n > 1 {
		s.threads = append(s.threads, n)
	}
	flags := flag.NewFlagSet("gallery", flag.ContinueOnError)
	flags.IntVar(&s.faces, "faces", 1_000_000, "faces to enrol")
	flags.IntVar(&s.dim, "dim", 512, "values of a vector")
	flags.IntVar(&s.rounds, "rounds", 7, "times everything is measured")
	flags.BoolVar(&s.lean, "lean", true, "also measure a gallery without originals in memory")
	flags.BoolVar(&s.json, "json", false, "print JSON")
	batches := flags.String("batch", "1,8,64", "probes of one search, comma-separated")
	kernels := flags.String("kernels", strings.Join(gallery.Kernels(), ","), "kernels to measure, comma-separated")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	s.kernels = strings.Split(*kernels, ",")
	for field := range strings.SplitSeq(*batches, ",") {
		n, err := strconv.Atoi(field)
		if err != nil || n < 1 || n > 4096 {
			return nil, fmt.Errorf("--batch: %q is not a number of probes within 1..4096", field)
		}
		s.batches = append(s.batches, n)
	}
	if s.faces < 16 || s.rounds < 1 {
		return nil, errors.New("at least 16 faces and 1 round are needed")
	}
	return s, nil
}

// print writes the report as tables.
func (r *report) print(out io.Writer) error {
	fmt.Fprintf(out, "%d faces of %d dimensions, %s; a search reads %.0f MB; %s/%s, %d CPUs\n\n",
		r.Faces, r.Dim, "scores of "+strconv.FormatFloat(minScore, 'g', -1, 64)+" or more",
		float64(r.ScanBytes)/1e6, runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "read limit\tthreads\tGB/s\t")
	for _, l := range r.Limits {
		fmt.Fprintf(w, "%s\t%d\t%.1f\t\n", l.Method, l.Threads, l.GBPerSecond)
	}
	fmt.Fprintln(w, "\t\t\t")
	fmt.Fprintln(w, "kernel\tthreads\tbatch\tms/probe\tM faces/s\tGB/s read\tof limit\tmedian\thits/probe\t")
	for _, m := range r.Searches {
		fmt.Fprintf(w, "%s\t%d\t%d\t%.2f\t%.0f\t%.1f\t%.0f %%\t%.0f %%\t%.1f\t\n", m.Kernel, m.Threads, m.Batch,
			m.MillisecondsPerProbe, m.FacesPerSecond/1e6, m.GBPerSecond, 100*m.ShareOfLimit, 100*m.MedianShare,
			m.HitsPerProbe)
	}
	if err := w.Flush(); err != nil || r.Lean == nil {
		return err
	}
	return r.Lean.print(out)
}
