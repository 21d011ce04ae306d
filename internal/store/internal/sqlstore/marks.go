package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

// keepMarks is how long a file is known after it was written or read last.
const keepMarks = 30 * 24 * time.Hour

// Mark implements [service.FaceStore].
func (s *Store) Mark(ctx context.Context, c service.Serial, mark service.Mark, now time.Time) error {
	return s.write(ctx, fmt.Sprintf("mark a file of collection %d", c), func(tx *sql.Tx) error {
		if _, err := lock(ctx, tx, c); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO marks (collection, mark, seen) VALUES ($1, $2, $3)
			ON CONFLICT (collection, mark) DO UPDATE SET seen = excluded.seen`, c, mark[:], millis(now))
		return err
	})
}

// Marked implements [service.FaceStore].
func (s *Store) Marked(ctx context.Context, c service.Serial, mark service.Mark, now time.Time) (there bool, err error) {
	err = s.write(ctx, fmt.Sprintf("look for the mark of a file of collection %d", c), func(tx *sql.Tx) error {
		if gone := present(ctx, tx, c); gone != nil {
			return gone
		}
		var one int
		found := tx.QueryRowContext(ctx, `UPDATE marks SET seen = CASE WHEN seen < $3 THEN $3 ELSE seen END
			WHERE collection = $1 AND mark = $2 RETURNING 1`, c, mark[:], millis(now)).Scan(&one)
		there = found == nil
		if errors.Is(found, sql.ErrNoRows) {
			return nil
		}
		return found
	})
	return there, err
}

// sweepMarks forgets files that nobody has used for long.
func sweepMarks(ctx context.Context, tx *sql.Tx, now time.Time, limit int) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM marks WHERE (collection, mark) IN
		(SELECT collection, mark FROM marks WHERE seen <= $1 ORDER BY seen LIMIT $2)`, millis(now.Add(-keepMarks)), max(limit, 1))
	return err
}
