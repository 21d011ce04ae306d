package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

// Stats says how many tasks there are of each kind; every kind is in it.
type Stats map[service.TaskKind]Depth

// Depth is how many tasks there are.
type Depth struct {
	// Waiting tasks have not failed yet, Retrying ones have and wait to be tried again.
	Waiting, Running, Retrying int
	// OldestWaiting is when the longest waiting of the waiting ones was enqueued; zero without any.
	OldestWaiting time.Time
}

// Stats counts the tasks at this moment. It reads the whole table, which holds open tasks and those done lately: some
// milliseconds for thousands of them.
func (q *Queue) Stats(ctx context.Context) (Stats, error) {
	s := make(Stats, len(kinds()))
	for _, k := range kinds() {
		s[k] = Depth{}
	}
	if err := q.rows.count(ctx, s); err != nil {
		return nil, fmt.Errorf("count tasks: %w", err)
	}
	if err := q.rows.oldest(ctx, s); err != nil {
		return nil, fmt.Errorf("find the oldest task: %w", err)
	}
	return s, nil
}

// Open says which tasks of which jobs wait, run or are to be tried again. Like [Queue.Stats] it reads the whole table.
func (q *Queue) Open(ctx context.Context) (service.OpenTasks, error) {
	open := service.OpenTasks{}
	const query = `
SELECT kind, args ->> 'job', count(*) FROM river_job
WHERE state IN ('available', 'pending', 'retryable', 'running', 'scheduled') GROUP BY kind, args ->> 'job'`
	err := q.rows.each(ctx, query, func(rs *sql.Rows) error {
		var kind service.TaskKind
		var job service.JobID
		var n int
		if err := rs.Scan(&kind, &job, &n); err != nil {
			return err
		}
		if open[job] == nil {
			open[job] = map[service.TaskKind]int{}
		}
		open[job][kind] = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list open tasks: %w", err)
	}
	return open, nil
}

func (r rows) count(ctx context.Context, s Stats) error {
	const query = `
SELECT kind,
	count(CASE WHEN state = 'running' THEN 1 END),
	count(CASE WHEN state <> 'running' AND errors IS NULL THEN 1 END),
	count(CASE WHEN state <> 'running' AND errors IS NOT NULL THEN 1 END)
FROM river_job WHERE state IN ('available', 'pending', 'retryable', 'running', 'scheduled') GROUP BY kind`
	return r.each(ctx, query, func(rs *sql.Rows) error {
		var kind service.TaskKind
		var d Depth
		if err := rs.Scan(&kind, &d.Running, &d.Waiting, &d.Retrying); err != nil {
			return err
		}
		s[kind] = d
		return nil
	})
}

func (r rows) oldest(ctx context.Context, s Stats) error {
	const query = `
SELECT kind, created_at FROM river_job WHERE id IN (
	SELECT min(id) FROM river_job WHERE state IN ('available', 'pending', 'scheduled') AND errors IS NULL GROUP BY kind)`
	return r.each(ctx, query, func(rs *sql.Rows) error {
		var kind service.TaskKind
		var since time.Time
		if err := rs.Scan(&kind, &since); err != nil {
			return err
		}
		d := s[kind]
		d.OldestWaiting = since.UTC()
		s[kind] = d
		return nil
	})
}

func (r rows) each(ctx context.Context, query string, scan func(*sql.Rows) error, args ...any) (err error) {
	rs, err := r.db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rs.Close()) }()
	for rs.Next() {
		if err := scan(rs); err != nil {
			return err
		}
	}
	return rs.Err()
}
