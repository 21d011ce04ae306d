package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// Codes implements [service.FaceStore]. The database puts them together: to hand over one row after another would take
// twice as long.
func (s *Store) Codes(
	ctx context.Context, c service.Serial, after *face.ID, size, limit int,
) (codes []byte, last *face.ID, err error) {
	err = s.read(ctx, fmt.Sprintf("read codes of collection %d", c), func(tx *sql.Tx) (err error) {
		if err = present(ctx, tx, c); err != nil {
			return err
		}
		query, args := firstCodes, []any{c, size, max(limit, 1)}
		if after != nil {
			query, args = nextCodes, append(args, uuid(*after))
		}
		var ids whole
		if err = tx.QueryRowContext(ctx, query, args...).Scan(&ids, (*whole)(&codes)); err != nil {
			return err
		}
		for id := range slices.Chunk(ids, len(face.ID{})) { // in their order, though nobody promises that
			if last == nil {
				last = new(face.ID)
			}
			copy(last[:], slices.MaxFunc([][]byte{id, last[:]}, bytes.Compare))
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return codes, last, nil
}

const (
	firstCodes = `SELECT string_agg(id, ''), string_agg(CASE WHEN length(code) = $2 THEN code END, '')
		FROM (SELECT id, code FROM codes WHERE collection = $1 ORDER BY id LIMIT $3) AS page`
	nextCodes = `SELECT string_agg(id, ''), string_agg(CASE WHEN length(code) = $2 THEN code END, '')
		FROM (SELECT id, code FROM codes WHERE collection = $1 AND id > $4 ORDER BY id LIMIT $3) AS page`
)

// whole is bytes that blobs have been put together to. SQLite calls the result a text, and leaves every byte as it is.
type whole []byte

// Scan copies the bytes, once: there are many.
func (w *whole) Scan(src any) error {
	b, err := bytesOf(src)
	if _, lent := src.([]byte); lent {
		b = bytes.Clone(b)
	}
	*w = b
	return err
}

// SetCodes implements [service.FaceStore].
func (s *Store) SetCodes(ctx context.Context, c service.Serial, codes []service.Code) error {
	return s.write(ctx, fmt.Sprintf("keep %d codes of collection %d", len(codes), c), func(tx *sql.Tx) error {
		if _, err := lock(ctx, tx, c); err != nil {
			return err
		}
		ids := make([]face.ID, len(codes))
		for i := range codes {
			ids[i] = codes[i].ID
		}
		there := make(map[face.ID]bool, len(ids))
		for batch := range slices.Chunk(sorted(ids), batchIDs) {
			err := each(ctx, tx, func(r row) error {
				var id face.ID
				err := scanID(r, &id)
				there[id] = true
				return err
			}, `SELECT id FROM faces WHERE collection = $1 AND id IN (`+placeholders(2, len(batch))+`)`,
				with([]any{c}, batch)...)
			if err != nil {
				return err
			}
		}
		return putCodes(ctx, tx, c, slices.DeleteFunc(slices.Clone(codes), func(x service.Code) bool { return !there[x.ID] }))
	})
}

// putCodes keeps codes of faces that are there, by id, instead of earlier ones; of two for one face the last.
func putCodes(ctx context.Context, tx *sql.Tx, c service.Serial, codes []service.Code) error {
	const columns = 3
	slices.Reverse(codes)
	slices.SortStableFunc(codes, func(a, b service.Code) int { return compareIDs(a.ID, b.ID) })
	codes = slices.CompactFunc(codes, func(a, b service.Code) bool { return a.ID == b.ID }) // which no statement may meet twice
	p := preparing{tx: tx}
	defer p.close()
	for batch := range slices.Chunk(codes, batchIDs/columns) {
		args := make([]any, 0, columns*len(batch))
		for _, x := range batch {
			args = append(args, c, uuid(x.ID), blob(x.Data))
		}
		// Nothing is returned; a query runs all the same.
		err := each(ctx, &p, func(row) error { return nil }, `INSERT INTO codes (collection, id, code)
			VALUES `+tuples(len(batch), columns)+` ON CONFLICT (collection, id) DO UPDATE SET code = excluded.code`, args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// codesOf is the codes of those of the faces that are in the set and have one, each once.
func codesOf(faces []service.NewFace, set map[face.ID]bool) []service.Code {
	codes, taken := make([]service.Code, 0, len(set)), make(map[face.ID]bool, len(set))
	for i := range faces {
		if f := &faces[i]; set[f.ID] && !taken[f.ID] && len(f.Code) > 0 {
			codes = append(codes, service.Code{ID: f.ID, Data: f.Code})
			taken[f.ID] = true
		}
	}
	return codes
}
