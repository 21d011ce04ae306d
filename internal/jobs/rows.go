package jobs

import (
	"context"
	"database/sql"
	"fmt"

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

// expedite has a task that is running go before the fresh ones of its kind of job when it is started again.
func (r rows) expedite(ctx context.Context, id int64) error {
	// 2 and 4 are fresh, 1 and 3 are not.
	_, err := r.db.ExecContext(ctx, `UPDATE river_job SET priority = CASE WHEN priority > 2 THEN 3 ELSE 1 END WHERE id = $1`, id)
	if err != nil {
		return fmt.Errorf("put task %d first: %w", id, err)
	}
	return nil
}

// giveTurns has segments without a turn, which an older program has enqueued, go before all that have one: by their times they would come
// after them, however long there are any. (No clock of a session is so far off that it mattered.)
func (r rows) giveTurns(ctx context.Context) error {
	_, err := r.db.ExecContext(ctx, `UPDATE river_job SET scheduled_at = '1999-01-01 00:00:00.000'
		WHERE state = 'available' AND queue = $1 AND priority IN (2, 4) AND scheduled_at > '2020-01-01 00:00:00.000'`, string(service.SegmentTask))
	if err != nil {
		return fmt.Errorf("give turns to tasks: %w", err)
	}
	return nil
}
