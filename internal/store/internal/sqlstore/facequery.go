package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// Faces implements [service.FaceStore].
func (s *Store) Faces(ctx context.Context, c service.Serial, q service.FaceQuery) ([]service.Face, error) {
	list := []service.Face{}
	err := s.read(ctx, fmt.Sprintf("list faces of collection %d", c), func(tx *sql.Tx) (err error) {
		if err = present(ctx, tx, c); err != nil {
			return err
		}
		if len(q.IDs) == 0 {
			list, err = facePage(ctx, tx, c, q, list)
			return err
		}
		for batch := range slices.Chunk(sorted(q.IDs), batchIDs) {
			part := q
			part.IDs, part.Limit = batch, q.Limit-len(list)
			if list, err = facePage(ctx, tx, c, part, list); err != nil || len(list) >= q.Limit {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// facePage appends what a query selects; it names at most batchIDs ids.
func facePage(
	ctx context.Context, tx *sql.Tx, c service.Serial, q service.FaceQuery, list []service.Face,
) ([]service.Face, error) {
	query, args := faceQuery(c, q)
	page, err := collect(ctx, tx, scanFace, query, args...)
	return append(list, page...), err
}

func scanFace(r row, f *service.Face) error {
	return r.Scan((*uuid)(&f.ID), (*uuid)(&f.ImageID), &f.ExternalID, &f.Version, (*optional)(&f.User),
		(*detection)(&f.Detection))
}

func faceQuery(c service.Serial, q service.FaceQuery) (string, []any) {
	query := `SELECT id, image, external_id, version, owner, seen FROM faces WHERE collection = $1`
	args := []any{c}
	next := func(arg any) string {
		args = append(args, arg)
		return "$" + strconv.Itoa(len(args))
	}
	if q.User != "" {
		query += ` AND owner = ` + next(q.User)
	}
	if q.After != nil {
		query += ` AND id > ` + next(uuid(*q.After))
	}
	if len(q.IDs) > 0 {
		query += ` AND id IN (` + placeholders(len(args)+1, len(q.IDs)) + `)`
		args = with(args, q.IDs)
	}
	query += ` ORDER BY id LIMIT ` + next(max(q.Limit, 1))
	return query, args
}

// Vectors implements [service.FaceStore]. They are in the order of their ids.
func (s *Store) Vectors(ctx context.Context, c service.Serial, ids []face.ID) ([]service.Vector, error) {
	list := make([]service.Vector, 0, len(ids))
	err := s.read(ctx, fmt.Sprintf("read %d vectors of collection %d", len(ids), c), func(tx *sql.Tx) error {
		if err := present(ctx, tx, c); err != nil {
			return err
		}
		for batch := range slices.Chunk(sorted(ids), batchIDs) {
			found, err := collect(ctx, tx, scanVector, `SELECT id, owner, vector FROM faces WHERE collection = $1
				AND id IN (`+placeholders(2, len(batch))+`) ORDER BY id`, with([]any{c}, batch)...)
			if err != nil {
				return err
			}
			list = append(list, found...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// VectorsOf implements [service.FaceStore].
func (s *Store) VectorsOf(ctx context.Context, c service.Serial, u service.UserID) ([]service.Vector, error) {
	var list []service.Vector
	err := s.read(ctx, fmt.Sprintf("read the vectors of user %s of collection %d", u, c), func(tx *sql.Tx) (err error) {
		if err = present(ctx, tx, c); err != nil {
			return err
		}
		list, err = collect(ctx, tx, scanVector, `SELECT id, owner, vector FROM faces
			WHERE collection = $1 AND owner = $2 ORDER BY id`, c, u)
		return err
	})
	return list, err
}

// EachVector implements [service.FaceStore].
func (s *Store) EachVector(ctx context.Context, c service.Serial, do func(service.Vector) error) error {
	return s.eachVector(ctx, c, do, `SELECT id, owner, vector FROM faces WHERE collection = $1 ORDER BY id`)
}

// EachOwned implements [service.FaceStore].
func (s *Store) EachOwned(ctx context.Context, c service.Serial, do func(service.Vector) error) error {
	return s.eachVector(ctx, c, do, `SELECT id, owner, vector FROM faces
		WHERE collection = $1 AND owner IS NOT NULL ORDER BY owner, id`)
}

func (s *Store) eachVector(ctx context.Context, c service.Serial, do func(service.Vector) error, query string) error {
	return s.read(ctx, fmt.Sprintf("read the vectors of collection %d", c), func(tx *sql.Tx) error {
		if err := present(ctx, tx, c); err != nil {
			return err
		}
		var v service.Vector
		return each(ctx, tx, func(r row) error {
			if err := scanVector(r, &v); err != nil {
				return err
			}
			return do(v)
		}, query, c)
	})
}

func scanVector(r row, v *service.Vector) error {
	if err := r.Scan((*uuid)(&v.ID), (*optional)(&v.User), (*floats)(&v.Values)); err != nil {
		return fmt.Errorf("face %s: %w", v.ID, err)
	}
	return nil
}
