package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

const collectionColumns = `serial, id, model, version, created, faces, users, changes, digest, changes - digested`

// CreateCollection implements [service.CollectionStore].
func (s *Store) CreateCollection(ctx context.Context, c *service.Collection) error {
	var serial service.Serial
	err := s.write(ctx, fmt.Sprintf("create collection %s", c.ID), func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `
			INSERT INTO collections (id, model, version, created) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO NOTHING RETURNING serial`,
			c.ID, c.Model, c.Version, millis(c.Created)).Scan(&serial)
		if err != nil {
			return orElse(err, service.Errorf(service.Exists, "there is a collection %s already", c.ID))
		}
		return putTags(ctx, tx, serial, c.Tags)
	})
	if err == nil {
		c.Serial = serial
	}
	return err
}

// Collection implements [service.CollectionStore].
func (s *Store) Collection(ctx context.Context, id service.CollectionID) (*service.Collection, error) {
	c := new(service.Collection)
	err := s.look(fmt.Sprintf("read collection %s", id), func(q statements) error {
		row := q.QueryRowContext(ctx, `SELECT `+collectionColumns+` FROM collections WHERE id = $1`, id)
		return orElse(scanCollection(row, c), noCollection(id))
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Collections implements [service.CollectionStore].
func (s *Store) Collections(ctx context.Context, after service.Serial, limit int) ([]service.Collection, error) {
	var list []service.Collection
	err := s.look("list collections", func(q statements) (err error) {
		list, err = collect(ctx, q, scanCollection, `SELECT `+collectionColumns+` FROM collections
			WHERE serial > $1 AND id IS NOT NULL ORDER BY serial LIMIT $2`, after, max(limit, 1))
		return err
	})
	return list, err
}

// DeleteCollection implements [service.CollectionStore]. The name is free at once; what the collection held is left to
// [Store.Sweep].
func (s *Store) DeleteCollection(ctx context.Context, id service.CollectionID) error {
	return s.write(ctx, fmt.Sprintf("delete collection %s", id), func(tx *sql.Tx) error {
		var serial service.Serial
		err := tx.QueryRowContext(ctx, `UPDATE collections SET id = NULL WHERE id = $1 RETURNING serial`, id).Scan(&serial)
		if err != nil {
			return orElse(err, noCollection(id))
		}
		return leave(ctx, tx, ofCollection, serial)
	})
}

func scanCollection(r row, c *service.Collection) error {
	return r.Scan(&c.Serial, &c.ID, &c.Model, &c.Version, (*millis)(&c.Created), &c.Faces, &c.Users, &c.Changes,
		(*digest)(&c.Digest.Faces), &c.Digest.Without)
}

// present fails with NotFound if the collection has been deleted.
func present(ctx context.Context, tx *sql.Tx, c service.Serial) error {
	var one int
	err := tx.QueryRowContext(ctx, `SELECT 1 FROM collections WHERE serial = $1 AND id IS NOT NULL`, c).Scan(&one)
	return orElse(err, goneCollection(c))
}

// counts is how many faces and users a collection has, how often its faces have been changed, and which they are.
type counts struct {
	faces, users, changes int64
	digest                face.Digest
}

// change adds to the counts of a collection and says what they are then, but for the digest. It locks the collection for the rest of the
// transaction, and fails with NotFound if it has been deleted.
func change(ctx context.Context, tx *sql.Tx, c service.Serial, by counts) (counts, error) {
	var now counts
	// SQLite has no XOR; this one cannot overflow.
	err := tx.QueryRowContext(ctx, `UPDATE collections SET faces = faces + $2, users = users + $3, changes = changes + $4,
		digested = digested + $4, digest = (digest | $5) - (digest & $5)
		WHERE serial = $1 AND id IS NOT NULL RETURNING faces, users, changes`,
		c, by.faces, by.users, by.changes, digest(by.digest),
	).Scan(&now.faces, &now.users, &now.changes)
	return now, orElse(err, goneCollection(c))
}

// lock keeps others from changing a collection for the rest of the transaction, and gives the number that its change of
// faces has, if it makes one: then it raises the collection's own, once (see [once]).
func lock(ctx context.Context, tx *sql.Tx, c service.Serial) (number int64, err error) {
	now, err := change(ctx, tx, c, counts{})
	return now.changes + 1, err
}

// once is by how much the number of changes is raised where so many faces have been changed.
func once(faces int64) int64 { return min(faces, 1) }

// digestOf is by what the digest of a collection changes where faces that are nobody's come or go.
func digestOf(ids []face.ID) (d face.Digest) {
	for _, id := range ids {
		d = d.Face(id)
	}
	return d
}

// digestOwned is by what it changes where faces become a user's, or nobody's.
func digestOwned(ids []face.ID, u service.UserID) (d face.Digest) {
	for _, id := range ids {
		d = d.Owner(id, string(u))
	}
	return d
}

func noCollection(id service.CollectionID) *service.Error {
	return service.Errorf(service.NotFound, "there is no collection %s", id)
}

func goneCollection(c service.Serial) *service.Error {
	return service.Errorf(service.NotFound, "the collection with the number %d has been deleted", c)
}
