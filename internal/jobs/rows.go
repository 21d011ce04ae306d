package jobs

import (
	"context"
	"database/sql"
	"fmt"
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
