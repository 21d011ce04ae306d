package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// OpenAt makes a database whose tables are those of an earlier version.
func OpenAt(ctx context.Context, path string, version int64) (*DB, error) {
	if err := errors.Join(create(path), claim(ctx, path)); err != nil {
		return nil, err
	}
	db := &DB{release: func() error { return nil }}
	err := db.connect(ctx, path, func(ctx context.Context, w *sql.DB) error {
		p, _, _, err := versions(ctx, w)
		if err == nil {
			_, err = p.UpTo(ctx, version)
		}
		return err
	})
	return db, err
}
