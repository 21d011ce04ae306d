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
	ctx context.Context, c service.Serial, u *service.User, ids []face.ID, most int, token *service.RequestToken,
) error {
	return s.write(ctx, fmt.Sprintf("associate faces with user %s of collection %d", u.ID, c), func(tx *sql.Tx) error {
		now, err := setOwner(ctx, tx, c, u, ids, associating, token)
		if err == nil && len(ids) > 0 && now > int64(most) {
			return service.Errorf(service.QuotaExceeded, "the user would have %d faces, and may have %d", now, most)
		}
		return err
	})
}

// Disassociate implements [service.UserStore].
func (s *Store) Disassociate(
	ctx context.Context, c service.Serial, u *service.User, ids []face.ID, token *service.RequestToken,
) error {
	return s.write(ctx, fmt.Sprintf("let go of faces of user %s of collection %d", u.ID, c), func(tx *sql.Tx) error {
		_, err := setOwner(ctx, tx, c, u, ids, disassociating, token)
		return err
	})
}

// association is a change of faces' owner: a statement that takes the collection as $1, the user as $2 and the change's number as
// $3, and how many faces the user has more for each that it has changed.
type association struct {
	statement string
	more      int64
}

func associating() association {
	return association{`UPDATE faces SET owner = $2, changed = $3 WHERE collection = $1 AND owner IS NULL`, 1}
}

func disassociating() association {
	return association{`UPDATE faces SET owner = NULL, changed = $3 WHERE collection = $1 AND owner = $2`, -1}
}

// setOwner keeps the token, locks the collection, checks that the user is as the caller knows them, and changes the owner of
// the faces: all of them or, with a conflict, none. It says how many faces the user has then.
func setOwner(
	ctx context.Context, tx *sql.Tx, c service.Serial, u *service.User, ids []face.ID, do func() association,
	token *service.RequestToken,
) (faces int64, err error) {
	if err = keepToken(ctx, tx, token); err != nil {
		return 0, err
	}
	number, err := lock(ctx, tx, c)
	if err != nil {
		return 0, err
	}
	if err = checkUser(ctx, tx, c, u); err != nil {
		return 0, err
	}
	each, a, n := sorted(ids), do(), int64(0)
	for batch := range slices.Chunk(each, batchIDs) {
		var changed int64
		changed, err = affected(tx.ExecContext(ctx, a.statement+` AND id IN (`+placeholders(4, len(batch))+`)`,
			with([]any{c, u.ID, number}, batch)...))
		if err != nil {
			return 0, err
		}
		n += changed
	}
	if n != int64(len(each)) {
		return 0, service.Errorf(service.Conflict, "some of the faces are gone or another user's by now")
	}
	if n == 0 {
		return 0, nil
	}
	err = tx.QueryRowContext(ctx, `UPDATE users SET faces = faces + $3, changed = $4 WHERE collection = $1 AND id = $2
		RETURNING faces`, c, u.ID, n*a.more, number).Scan(&faces)
	if err != nil {
		return 0, err
	}
	_, err = change(ctx, tx, c, counts{changes: once(n), digest: digestOwned(each, u.ID)})
	return faces, err
}

// checkUser fails with NotFound if there is no such user, and with a conflict if their faces are others than they were when
// the caller read them.
func checkUser(ctx context.Context, tx *sql.Tx, c service.Serial, u *service.User) error {
	var now service.User
	row := tx.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE collection = $1 AND id = $2`, c, u.ID)
	if err := scanUser(row, &now); err != nil {
		return orElse(err, noUser(u.ID))
	}
	if now.Changes != u.Changes { // one who was made anew has none, or others
		return service.Errorf(service.Conflict, "the user's faces are others by now")
	}
	return nil
}
