package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/spotter-video/spotter/internal/service"
)

// rows is what River's own methods cannot say about its table. The statements are common to its engines.
type rows struct{ db *sql.DB }

// takeBack makes running tasks available again and says how many there were. The dead process may have been River's
// leader, too, which looks after retries: unless it is deposed, the next one is elected only when its term has run out.
func (r rows) takeBack(ctx context.Context) (int64, error) {
	res, err := r.db.ExecContext(ctx, `UPDATE river_job SET state = 'available' WHERE state = 'running'`)
	if err != nil {
		return 0, err
	}
	if _, err := r.db.ExecContext(ctx, `DELETE FROM river_leader`); err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// expedite has a task that is running go before the fresh ones when it is started again.
func (r rows) expedite(ctx context.Context, id int64) error {
	_, err := r.db.ExecContext(ctx, `UPDATE river_job SET priority = $1 WHERE id = $2`, priorityAgain, id)
	if err != nil {
		return fmt.Errorf("put task %d first: %w", id, err)
	}
	return nil
}

// began is when the job of the first segment task was enqueued; zero if there is none, or its plan's row is gone.
func (q *QueueOf[T]) began(ctx context.Context, tx T, tasks []service.Task) (time.Time, error) {
	var job service.JobID
	for _, t := range tasks {
		if t.Kind == service.SegmentTask {
			job = t.Job
			break
		}
	}
	if job == "" {
		return time.Time{}, nil
	}
	var since time.Time
	const query = `SELECT created_at FROM river_job WHERE kind = $1 AND args ->> 'job' = $2 ORDER BY id LIMIT 1`
	err := q.client.Driver().UnwrapExecutor(tx).QueryRow(ctx, query, string(service.PlanTask), string(job)).Scan(&since)
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, rivertype.ErrNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("look up when job %s began: %w", job, err)
	}
	return since, nil
}
