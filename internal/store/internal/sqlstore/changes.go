package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// Changes implements [service.FaceStore]. A page ends with a whole number, so that whoever goes on from there has missed nothing.
func (s *Store) Changes(ctx context.Context, c service.Serial, after int64, limit int) (*service.Changes, error) {
	out := &service.Changes{}
	err := s.read(ctx, fmt.Sprintf("read changes of collection %d", c), func(tx *sql.Tx) (err error) {
		var swept int64
		err = tx.QueryRowContext(ctx, `SELECT changes, swept, faces, digest, changes - digested
			FROM collections WHERE serial = $1 AND id IS NOT NULL`, c,
		).Scan(&out.Latest, &swept, &out.Total, (*digest)(&out.Digest.Faces), &out.Digest.Without)
		if err != nil {
			return orElse(err, goneCollection(c))
		}
		if out.Lost = after < swept || after > out.Latest; out.Lost || after == out.Latest {
			out.To = out.Latest
			return nil
		}
		if out.To, err = endOfPage(ctx, tx, c, after, out.Latest, max(limit, 1)); err != nil {
			return err
		}
		out.Faces, err = collect(ctx, tx, scanChange, `SELECT f.id, f.owner, k.code
			FROM faces AS f LEFT JOIN codes AS k ON k.collection = f.collection AND k.id = f.id
			WHERE f.collection = $1 AND f.changed > $2 AND f.changed <= $3`, c, after, out.To)
		if err != nil {
			return err
		}
		out.Gone, err = collect(ctx, tx, scanID, `SELECT id FROM gone WHERE collection = $1 AND changed > $2 AND changed <= $3`,
			c, after, out.To)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func scanChange(r row, f *service.ChangedFace) error {
	return r.Scan((*uuid)(&f.ID), (*optional)(&f.User), (*blob)(&f.Code))
}

// endOfPage is the number up to which there are about so many changes after another one: at least the next number's.
func endOfPage(ctx context.Context, tx *sql.Tx, c service.Serial, after, latest int64, limit int) (int64, error) {
	to := latest
	if latest == after+1 { // mostly
		return to, nil
	}
	for _, query := range []string{
		`SELECT changed FROM faces WHERE collection = $1 AND changed > $2 ORDER BY changed LIMIT 1 OFFSET $3`,
		`SELECT changed FROM gone WHERE collection = $1 AND changed > $2 ORDER BY changed LIMIT 1 OFFSET $3`,
	} {
		var beyond int64
		switch err := tx.QueryRowContext(ctx, query, c, after, limit).Scan(&beyond); {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return 0, err
		default:
			to = min(to, max(beyond-1, after+1))
		}
	}
	return to, nil
}

// noteGone keeps which faces a change has deleted.
func noteGone(
	ctx context.Context, tx *sql.Tx, c service.Serial, number int64, ids []face.ID, now time.Time,
) error {
	const columns = 4
	for batch := range slices.Chunk(sorted(ids), batchIDs/columns) {
		args := make([]any, 0, columns*len(batch))
		for _, id := range batch {
			args = append(args, c, number, uuid(id), millis(now))
		}
		// Nothing is returned; a query runs all the same.
		err := each(ctx, tx, func(row) error { return nil }, `INSERT INTO gone (collection, changed, id, deleted)
			VALUES `+tuples(len(batch), columns), args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// keepGone is how long it is kept which faces were deleted. A process has them in memory for no longer than its next look at the
// collection; one that has not looked for a day reads the collection anew.
const keepGone = 24 * time.Hour

// sweepGone forgets which faces were deleted long ago, in several transactions if they are many. The collection says up to which
// number it was forgotten.
func (s *Store) sweepGone(ctx context.Context, now time.Time) error {
	const batch = 500
	for more := true; more; {
		err := s.write(ctx, "forget deleted faces", func(tx *sql.Tx) error {
			old, err := collect(ctx, tx, scanGone, `SELECT collection, changed FROM gone WHERE deleted <= $1
				ORDER BY deleted LIMIT $2`, millis(now.Add(-keepGone)), batch)
			if err != nil {
				return err
			}
			more = len(old) == batch
			last := map[service.Serial]int64{}
			for _, g := range old {
				last[g.collection] = max(last[g.collection], g.changed)
			}
			return forget(ctx, tx, last)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

type goneFace struct {
	collection service.Serial
	changed    int64
}

func scanGone(r row, g *goneFace) error { return r.Scan(&g.collection, &g.changed) }

// forget removes what collections have deleted up to a number each.
func forget(ctx context.Context, tx *sql.Tx, last map[service.Serial]int64) error {
	for _, c := range slices.Sorted(maps.Keys(last)) {
		_, err := tx.ExecContext(ctx, `UPDATE collections SET swept = $2 WHERE serial = $1 AND swept < $2`, c, last[c])
		if err != nil {
			return err
		}
		if _, err = tx.ExecContext(ctx, `DELETE FROM gone WHERE collection = $1 AND changed <= $2`, c, last[c]); err != nil {
			return err
		}
	}
	return nil
}
