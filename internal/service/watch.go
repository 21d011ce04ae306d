package service

import (
	"context"
	"log/slog"
	"time"
)

// lookEvery is how often a job whose task is running is looked at: as late can it be noticed that another process, such as
// an operator's command, has ended the job. Each look reads one row.
const lookEvery = time.Second

// watch stops the tasks of a job that another process has ended. What it returns ends the watch, and waits for that.
func (s *Service) watch(ctx context.Context, id JobID) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.untilEnded(ctx, id)
	}()
	return func() {
		cancel()
		<-done
	}
}

// untilEnded returns when the job has ended or ctx is done. A look that fails says nothing: what is wrong with the store is
// told by the task itself.
func (s *Service) untilEnded(ctx context.Context, id JobID) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if ended, err := s.ports.Store.Ended(ctx, id); err == nil && ended {
			s.ports.Log.LogAttrs(ctx, slog.LevelInfo, "task stopped, as its job has ended", slog.String("job_id", string(id)))
			s.running.stop(id)
			s.ports.Wake() // whoever ended it may have left a notice
			return
		}
	}
}
