package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// sweeper calls Sweep at once and then periodically. It is no task of the queue: it needs no row, every process may do it,
// and it must not depend on the queue's being in order.
type sweeper struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func startSweeper(ctx context.Context, w Worker, every time.Duration, log *slog.Logger) *sweeper {
	ctx, cancel := context.WithCancel(ctx)
	s := &sweeper{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			if err := sweep(ctx, w); err != nil && ctx.Err() == nil {
				log.LogAttrs(ctx, slog.LevelWarn, "sweeping failed and is tried again", slog.Any("error", err))
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return s
}

func sweep(ctx context.Context, w Worker) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("sweep: panic: %v", p)
		}
	}()
	return w.Sweep(ctx)
}

// wait waits for a sweeper that was cancelled.
func (s *sweeper) wait(ctx context.Context) error {
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop sweeping: %w", ctx.Err())
	}
}
