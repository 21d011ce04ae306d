package app

import (
	"context"
	"time"

	"github.com/spotter-video/spotter/internal/metrics"
	"github.com/spotter-video/spotter/internal/service"
)

// newMetrics makes metrics that ask the server's rooms what only they know.
func (s *server) newMetrics() *metrics.Metrics {
	return metrics.New(metrics.Config{
		Version: s.request.Version, Revision: s.request.Revision, Now: s.request.Now, Log: s.log,
		Sources: metrics.Sources{
			OpenJobs:    s.openJobs,
			Analyses:    s.store.Analyses,
			Queue:       s.tasks,
			Notices:     func() metrics.Notices { return metrics.Notices(s.notices.Stats()) },
			Downloads:   s.downloads,
			Connections: s.connections,
		},
	})
}

// openJobs counts the jobs in progress, and says since when the oldest is.
func (s *server) openJobs(ctx context.Context) (n int, oldest time.Time, err error) {
	list, err := s.store.OpenJobs(ctx)
	for i := range list {
		if n += list[i].Jobs; oldest.IsZero() || list[i].Oldest.Before(oldest) {
			oldest = list[i].Oldest
		}
	}
	return n, oldest, err
}

func (s *server) downloads() metrics.Downloads {
	u := s.buckets.Usage()
	return metrics.Downloads{Files: u.Files, Bytes: u.Bytes, InUse: u.InUse, Fetched: s.buckets.Fetched()}
}

// tasks counts the queue's tasks.
func (s *server) tasks(ctx context.Context) (map[service.TaskKind]metrics.Tasks, error) {
	depths, err := s.queue.Stats(ctx)
	if err != nil {
		return nil, err
	}
	all := make(map[service.TaskKind]metrics.Tasks, len(depths))
	for kind, d := range depths {
		all[kind] = metrics.Tasks(d)
	}
	return all, nil
}
