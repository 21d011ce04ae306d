package service

import (
	"context"
	"log/slog"
	"time"
)

// lookEvery is how often the jobs whose tasks are running are looked at: as late can it be noticed that another process, such as
// an operator's command, has ended one. Each look is one statement for all of them.
const lookEvery = time.Second

// watch stops the tasks of jobs that another process has ended. What it returns ends the watch, and waits for that.
func (s *Service) watch() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.watchOver(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// watchOver looks until ctx is done. A look that fails says nothing: what is wrong with the store is told by the tasks themselves.
func (s *Service) watchOver(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		ended, err := s.ports.Store.Ended(ctx, s.running.ids())
		if err != nil {
			continue
		}
		for _, id := range ended {
			if !s.running.stop(id) {
				continue
			}
			s.ports.Log.LogAttrs(ctx, slog.LevelInfo, "task stopped, as its job has ended", slog.String("job_id", string(id)))
			s.ports.Wake() // whoever ended it may have left a notice
		}
	}
}
