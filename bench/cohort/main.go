package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"

	"github.com/spotter-video/spotter/internal/recognizer"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "cohort:", err)
		}
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("cohort", flag.ContinueOnError)
	lfw := flags.String("lfw", "", "the tar `file` of LFW")
	models := flags.String("models", filepath.Join("models", "default"), "the model pack's `folder`")
	out := flags.String("out", filepath.Join("internal", "recognizer", "packbuild"), "where to write cohort.bin and figures.json")
	workers := flags.Int("workers", runtime.NumCPU(), "how many photos are worked on at once")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *lfw == "" {
		return errors.New("--lfw says which tar file of LFW to read")
	}
	pack, err := recognizer.LoadUncalibrated(*models)
	if err != nil {
		return err
	}
	people, err := embedAll(ctx, pack, *lfw, *workers, true)
	if err != nil {
		return err
	}
	figures, err := compute(people, filepath.Base(*lfw))
	if err != nil {
		return err
	}
	fmt.Fprint(stdout, figures.report())
	return figures.write(*out, stdout)
}
