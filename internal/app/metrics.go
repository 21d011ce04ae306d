package app

import (
	"context"

	"github.com/spotter-video/spotter/internal/metrics"
	"github.com/spotter-video/spotter/internal/service"
)

// newMetrics makes metrics that ask the server's rooms what only they know.
func (s *server) newMetrics() *metrics.Metrics {
	return metrics.New(metrics.Config{
		Version: s.request.Version, Revision: s.request.Revision, Now: s.request.Now, Log: s.log,
		Sources: metrics.Sources{
			OpenJobs:    s.store.OpenJobs,
			Queue:       s.tasks,
			Notices:     func() metrics.Notices { return metrics.Notices(s.notices.Stats()) },
			Downloads:   s.downloads,
			Connections: s.connections,
		},
	})
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
