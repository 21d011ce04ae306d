package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/spotter-video/spotter/internal/service"
)

// Tags implements [service.CollectionStore].
func (s *Store) Tags(ctx context.Context, id service.CollectionID) (map[string]string, error) {
	tags := map[string]string{}
	err := s.read(ctx, fmt.Sprintf("read the tags of collection %s", id), func(tx *sql.Tx) error {
		var serial service.Serial
		err := tx.QueryRowContext(ctx, `SELECT serial FROM collections WHERE id = $1`, id).Scan(&serial)
		if err != nil {
			return orElse(err, noCollection(id))
		}
		return each(ctx, tx, func(r row) error {
			var tag, value string
			err := r.Scan(&tag, &value)
			tags[tag] = value
			return err
		}, `SELECT tag, value FROM tags WHERE collection = $1`, serial)
	})
	if err != nil {
		return nil, err
	}
	return tags, nil
}

// SetTags implements [service.CollectionStore].
func (s *Store) SetTags(ctx context.Context, id service.CollectionID, tags map[string]string, most int) error {
	return s.write(ctx, fmt.Sprintf("tag collection %s", id), func(tx *sql.Tx) error {
		serial, err := lockNamed(ctx, tx, id)
		if err != nil {
			return err
		}
		if err = putTags(ctx, tx, serial, tags); err != nil {
			return err
		}
		var n int
		err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM tags WHERE collection = $1`, serial).Scan(&n)
		if err == nil && n > most {
			return service.Errorf(service.QuotaExceeded, "the collection would have %d tags, and may have %d", n, most)
		}
		return err
	})
}

// DeleteTags implements [service.CollectionStore].
func (s *Store) DeleteTags(ctx context.Context, id service.CollectionID, keys []string) error {
	return s.write(ctx, fmt.Sprintf("delete tags of collection %s", id), func(tx *sql.Tx) error {
		serial, err := lockNamed(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, key := range keys {
			_, err := tx.ExecContext(ctx, `DELETE FROM tags WHERE collection = $1 AND tag = $2`, serial, key)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// lockNamed is the number of the collection of a name, which nobody else changes for the rest of the transaction.
func lockNamed(ctx context.Context, tx *sql.Tx, id service.CollectionID) (service.Serial, error) {
	var serial service.Serial
	err := tx.QueryRowContext(ctx, `UPDATE collections SET faces = faces WHERE id = $1 RETURNING serial`, id).Scan(&serial)
	return serial, orElse(err, noCollection(id))
}

// putTags adds and overwrites tags, in order, so that two transactions do not wait for each other.
func putTags(ctx context.Context, tx *sql.Tx, c service.Serial, tags map[string]string) error {
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		_, err := tx.ExecContext(ctx, `INSERT INTO tags (collection, tag, value) VALUES ($1, $2, $3)
			ON CONFLICT (collection, tag) DO UPDATE SET value = excluded.value`, c, tag, tags[tag])
		if err != nil {
			return err
		}
	}
	return nil
}
