package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// Associate implements [service.UserStore].
func (s *Store) Associate(
	ctx context.Context, c service.Serial, u service.UserID, ids []face.ID, most int, token *service.RequestToken,
) error {
	return s.write(ctx, fmt.Sprintf("associate faces with user %s of collection %d", u, c), func(tx *sql.Tx) error {
		each := sorted(ids)
		n, err := setOwner(ctx, tx, c, u, each, associating, token)
		if err != nil {
			return err
		}
		if n != int64(len(each)) {
			return service.Errorf(service.Conflict, "some of the faces are gone or associated by now")
		}
		now, err := countFaces(ctx, tx, c, u, n)
		if err == nil && n > 0 && now > int64(most) {
			return service.Errorf(service.QuotaExceeded, "the user would have %d faces, and may have %d", now, most)
		}
		return err
	})
}

// Disassociate implements [service.UserStore].
func (s *Store) Disassociate(
	ctx context.Context, c service.Serial, u service.UserID, ids []face.ID, token *service.RequestToken,
) error {
	return s.write(ctx, fmt.Sprintf("let go of faces of user %s of collection %d", u, c), func(tx *sql.Tx) error {
		n, err := setOwner(ctx, tx, c, u, sorted(ids), disassociating, token)
		if err != nil {
			return err
		}
		_, err = countFaces(ctx, tx, c, u, -n)
		return err
	})
}

// Both take the collection as $1 and the user as $2.
const (
	associating    = `UPDATE faces SET owner = $2 WHERE collection = $1 AND owner IS NULL`
	disassociating = `UPDATE faces SET owner = NULL WHERE collection = $1 AND owner = $2`
)

// setOwner keeps the token, locks the collection, checks that the user is there, and runs the statement for the faces. It
// says how many of them it has changed.
func setOwner(
	ctx context.Context, tx *sql.Tx, c service.Serial, u service.UserID, ids []face.ID, statement string,
	token *service.RequestToken,
) (changed int64, err error) {
	if err = keepToken(ctx, tx, token); err != nil {
		return 0, err
	}
	if err = lock(ctx, tx, c); err != nil {
		return 0, err
	}
	if _, err = countFaces(ctx, tx, c, u, 0); err != nil {
		return 0, err
	}
	for batch := range slices.Chunk(ids, batchIDs) {
		n, err := affected(tx.ExecContext(ctx, statement+` AND id IN (`+placeholders(3, len(batch))+`)`,
			with([]any{c, u}, batch)...))
		if err != nil {
			return 0, err
		}
		changed += n
	}
	return changed, nil
}

// countFaces adds to the number of a user's faces and says what it is then; NotFound if there is no such user.
func countFaces(
	ctx context.Context, tx *sql.Tx, c service.Serial, u service.UserID, by int64,
) (now int64, err error) {
	err = tx.QueryRowContext(ctx, `UPDATE users SET faces = faces + $3 WHERE collection = $1 AND id = $2
		RETURNING faces`, c, u, by).Scan(&now)
	return now, orElse(err, noUser(u))
}
