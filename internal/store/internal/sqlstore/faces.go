package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// batchFaces is how many faces a statement inserts: 8 columns each, see batchIDs.
const batchFaces = 60

var errOwned = errors.New("a face that is added cannot be a user's already: associate it afterwards")

// AddFaces implements [service.FaceStore]. Those that were added are in the order of the request.
func (s *Store) AddFaces(
	ctx context.Context, c service.Serial, faces []service.NewFace, most int64,
) (added []face.ID, err error) {
	if slices.ContainsFunc(faces, func(f service.NewFace) bool { return f.User != "" }) {
		return nil, errOwned
	}
	err = s.write(ctx, fmt.Sprintf("add %d faces to collection %d", len(faces), c), func(tx *sql.Tx) (err error) {
		number, err := lock(ctx, tx, c)
		if err != nil {
			return err
		}
		fresh, err := insertFaces(ctx, tx, c, number, faces)
		if err != nil {
			return err
		}
		if err = putCodes(ctx, tx, c, codesOf(faces, fresh)); err != nil {
			return err
		}
		added = inOrder(faces, fresh)
		n := int64(len(added))
		now, err := change(ctx, tx, c, counts{faces: n, changes: once(n), digest: digestOf(added)})
		if err != nil {
			return err
		}
		if n > 0 && now.faces > most {
			return service.Errorf(service.QuotaExceeded,
				"the collection would have %d faces, and may have %d", now.faces, most)
		}
		return auditFaces(ctx, tx, c, service.FacesEnrolled, added)
	})
	if err != nil {
		return nil, err
	}
	return added, nil
}

// insertFaces keeps the faces that are not there yet. They are written by id, so that neighbours share a page.
func insertFaces(
	ctx context.Context, tx *sql.Tx, c service.Serial, number int64, faces []service.NewFace,
) (map[face.ID]bool, error) {
	byID := make([]*service.NewFace, len(faces))
	for i := range faces {
		byID[i] = &faces[i]
	}
	// Stable: of two faces with one id the first is meant.
	slices.SortStableFunc(byID, func(a, b *service.NewFace) int { return compareIDs(a.ID, b.ID) })
	const columns = 8
	fresh := make(map[face.ID]bool, len(faces))
	p := preparing{tx: tx}
	defer p.close()
	for batch := range slices.Chunk(byID, batchFaces) {
		args := make([]any, 0, columns*len(batch))
		for _, f := range batch {
			args = append(args, c, uuid(f.ID), uuid(f.ImageID), f.ExternalID, f.Version,
				detection(f.Detection), floats(f.Vector), number)
		}
		ids, err := collect(ctx, &p, scanID, `INSERT INTO faces
			(collection, id, image, external_id, version, seen, vector, changed) VALUES `+tuples(len(batch), columns)+`
			ON CONFLICT (collection, id) DO NOTHING RETURNING id`, args...)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			fresh[id] = true
		}
	}
	return fresh, nil
}

// inOrder is the ids of the set in the order of the faces, each once.
func inOrder(faces []service.NewFace, set map[face.ID]bool) []face.ID {
	ids := make([]face.ID, 0, len(set))
	for i := range faces {
		if set[faces[i].ID] {
			ids = append(ids, faces[i].ID)
			delete(set, faces[i].ID)
		}
	}
	return ids
}

// DeleteFaces implements [service.FaceStore]. Those that were deleted are in the order of the request.
func (s *Store) DeleteFaces(
	ctx context.Context, c service.Serial, ids []face.ID, now time.Time,
) (deleted []face.ID, associated map[face.ID]service.UserID, err error) {
	associated = map[face.ID]service.UserID{}
	err = s.write(ctx, fmt.Sprintf("delete %d faces of collection %d", len(ids), c), func(tx *sql.Tx) (err error) {
		number, err := lock(ctx, tx, c)
		if err != nil {
			return err
		}
		gone := make(map[face.ID]bool, len(ids))
		for batch := range slices.Chunk(sorted(ids), batchIDs) {
			if err = deleteFaces(ctx, tx, c, batch, gone); err != nil {
				return err
			}
			if err = owners(ctx, tx, c, batch, associated); err != nil {
				return err
			}
		}
		for _, id := range ids {
			if gone[id] {
				deleted = append(deleted, id)
				delete(gone, id)
			}
		}
		if err = noteGone(ctx, tx, c, number, deleted, now); err != nil {
			return err
		}
		n := int64(len(deleted))
		if _, err = change(ctx, tx, c, counts{faces: -n, changes: once(n), digest: digestOf(deleted)}); err != nil {
			return err
		}
		return auditFaces(ctx, tx, c, service.FacesDeleted, deleted)
	})
	if err != nil {
		return nil, nil, err
	}
	return deleted, associated, nil
}

// deleteFaces deletes those of a batch that are nobody's.
func deleteFaces(ctx context.Context, tx *sql.Tx, c service.Serial, ids []face.ID, gone map[face.ID]bool) error {
	return each(ctx, tx, func(r row) error {
		var id face.ID
		err := scanID(r, &id)
		gone[id] = true
		return err
	}, `DELETE FROM faces WHERE collection = $1 AND owner IS NULL
		AND id IN (`+placeholders(2, len(ids))+`) RETURNING id`, with([]any{c}, ids)...)
}

// owners says whose those of a batch are that are left: somebody's.
func owners(
	ctx context.Context, tx *sql.Tx, c service.Serial, ids []face.ID, into map[face.ID]service.UserID,
) error {
	return each(ctx, tx, func(r row) error {
		var id uuid
		var owner service.UserID
		err := r.Scan(&id, &owner)
		into[face.ID(id)] = owner
		return err
	}, `SELECT id, owner FROM faces WHERE collection = $1
		AND id IN (`+placeholders(2, len(ids))+`)`, with([]any{c}, ids)...)
}

func scanID(r row, id *face.ID) error { return r.Scan((*uuid)(id)) }
