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
	"syscall"
	"time"

	"github.com/spotter-video/spotter/internal/testkit/media"
	"github.com/spotter-video/spotter/internal/testkit/program"
)

// options are where things are.
type options struct {
	spotter, photos, python string
	temp                    string // empty: the system's
	film                    media.Film
	out                     io.Writer
	now                     func() time.Time
}

func main() {
	o := options{film: media.Party(), out: os.Stdout, now: time.Now}
	flag.StringVar(&o.spotter, "spotter", "bin/spotter", "the program to show")
	flag.StringVar(&o.photos, "photos", media.Folder, "folder with sample1.jpg to sample6.jpg")
	flag.StringVar(&o.python, "python", "", "Python that has boto3; empty: the first one found")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := walkthrough(ctx, o); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		fmt.Fprintln(os.Stderr, "walkthrough:", err)
		os.Exit(1) //nolint:gocritic // nothing is deferred but the signals
	}
}

func walkthrough(ctx context.Context, o options) (err error) {
	root, err := program.Root()
	if err != nil {
		return err
	}
	python, err := findPython(ctx, o.python)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp(o.temp, "spotter-walkthrough-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()

	s := &stage{options: o, folder: folder, began: o.now()}
	defer s.takeDown()
	if err := s.build(ctx); err != nil {
		return err
	}
	s.line("")
	s.tell("%s bench/walkthrough/walkthrough.py", python)
	s.line("")
	return s.perform(ctx, python, filepath.Join(root, "bench", "walkthrough", "walkthrough.py"))
}
