package sqlitefile

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// shrinkPages is how many pages are given back in a transaction: others wait no longer than for these.
const shrinkPages = 1024

// Shrink gives the pages that nothing uses any more back to the file system: others are moved to their places, and the file
// is cut. It does nothing for a file whose kind does not shrink. What it has done when it is stopped stays done.
func (db *DB) Shrink(ctx context.Context) error {
	for {
		var unused int64
		if err := db.writer.QueryRowContext(ctx, `PRAGMA freelist_count`).Scan(&unused); err != nil {
			return fmt.Errorf("shrink %s: %w", db.kind.Noun, err)
		}
		if unused == 0 || !db.kind.Shrinks {
			return nil
		}
		if err := db.cut(ctx); err != nil {
			return fmt.Errorf("shrink %s: %w", db.kind.Noun, err)
		}
	}
}

// cut gives some pages back. Each is a row of the statement, whose end is that of the transaction.
func (db *DB) cut(ctx context.Context) (err error) {
	rows, err := db.writer.QueryContext(ctx, `PRAGMA incremental_vacuum(`+strconv.Itoa(shrinkPages)+`)`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
	}
	return rows.Err()
}
