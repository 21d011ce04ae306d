package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spotter-video/spotter/internal/testkit/pgserver"
)

type options struct {
	lasting   time.Duration
	seed      uint64
	spotter   string
	keep      bool
	undamaged bool
}

func main() {
	o := options{}
	flag.DurationVar(&o.lasting, "for", 3*time.Minute, "how long to break things")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()%1_000_000), "what to break, and when")
	flag.StringVar(&o.spotter, "spotter", "bin/spotter", "the program")
	flag.BoolVar(&o.keep, "keep", false, "keep the folder with logs also where all is well")
	flag.BoolVar(&o.undamaged, "undamaged", false, "break nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, o)
	if errors.Is(err, pgserver.ErrUnavailable) {
		fmt.Println("skipped:", err)
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// run breaks things and says what did not hold.
func run(ctx context.Context, o options) (err error) {
	w, err := newWorld(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close(err != nil || o.keep)) }()
	w.tell("seed %d, for %v", o.seed, o.lasting)
	if err = w.prepare(ctx); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(o.seed, 1)) //nolint:gosec // G404: to be repeated
	l := newLoad(w)
	working, end := context.WithTimeout(ctx, o.lasting)
	defer end()
	l.begin(working, o.seed)
	if !o.undamaged {
		newNemesis(w, random).rage(working)
	}
	<-working.Done()
	l.wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.tell("what was broken is mended; waiting for what is under way")
	if err = w.mend(ctx); err != nil {
		return err
	}
	return l.check(ctx)
}
