package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/spotter-video/spotter/internal/service"
)

const userColumns = `serial, id, faces, changed`

// CreateUser implements [service.UserStore].
func (s *Store) CreateUser(
	ctx context.Context, c service.Serial, u service.UserID, most int64, token *service.RequestToken,
) error {
	return s.write(ctx, fmt.Sprintf("create user %s of collection %d", u, c), func(tx *sql.Tx) error {
		if err := keepToken(ctx, tx, token); err != nil {
			return err
		}
		now, err := change(ctx, tx, c, counts{users: 1})
		if err != nil {
			return err
		}
		n, err := affected(tx.ExecContext(ctx, `INSERT INTO users (collection, id) VALUES ($1, $2)
			ON CONFLICT (collection, id) DO NOTHING`, c, u))
		switch {
		case err != nil:
			return err
		case n == 0:
			return service.Errorf(service.Conflict, "there is a user %s already", u)
		case now.users > most:
			return service.Errorf(service.QuotaExceeded,
				"the collection would have %d users, and may have %d", now.users, most)
		}
		return nil
	})
}

// User implements [service.UserStore].
func (s *Store) User(ctx context.Context, c service.Serial, u service.UserID) (*service.User, error) {
	user := new(service.User)
	err := s.read(ctx, fmt.Sprintf("read user %s of collection %d", u, c), func(tx *sql.Tx) error {
		if err := present(ctx, tx, c); err != nil {
			return err
		}
		row := tx.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE collection = $1 AND id = $2`, c, u)
		return orElse(scanUser(row, user), noUser(u))
	})
	if err != nil {
		return nil, err
	}
	return user, nil
}

// Users implements [service.UserStore].
func (s *Store) Users(
	ctx context.Context, c service.Serial, after service.Serial, limit int,
) ([]service.User, error) {
	var list []service.User
	err := s.read(ctx, fmt.Sprintf("list users of collection %d", c), func(tx *sql.Tx) (err error) {
		if err = present(ctx, tx, c); err != nil {
			return err
		}
		list, err = collect(ctx, tx, scanUser, `SELECT `+userColumns+` FROM users
			WHERE collection = $1 AND serial > $2 ORDER BY serial LIMIT $3`, c, after, max(limit, 1))
		return err
	})
	return list, err
}

// DeleteUser implements [service.UserStore].
func (s *Store) DeleteUser(
	ctx context.Context, c service.Serial, u service.UserID, token *service.RequestToken,
) error {
	return s.write(ctx, fmt.Sprintf("delete user %s of collection %d", u, c), func(tx *sql.Tx) error {
		if err := keepToken(ctx, tx, token); err != nil {
			return err
		}
		number, err := lock(ctx, tx, c)
		if err != nil {
			return err
		}
		faces, err := collect(ctx, tx, scanID, `UPDATE faces SET owner = NULL, changed = $3 WHERE collection = $1
			AND id IN (SELECT id FROM faces WHERE collection = $1 AND owner = $2) RETURNING id`, c, u, number)
		if err != nil {
			return err
		}
		n, err := affected(tx.ExecContext(ctx, `DELETE FROM users WHERE collection = $1 AND id = $2`, c, u))
		if err != nil {
			return err
		}
		if n == 0 {
			return noUser(u)
		}
		_, err = change(ctx, tx, c, counts{users: -1, changes: once(int64(len(faces))), digest: digestOwned(faces, u)})
		return err
	})
}

// scanUser reads a user, who is active as long as they have faces.
func scanUser(r row, u *service.User) error {
	var faces int64
	err := r.Scan(&u.Serial, &u.ID, &faces, &u.Changes)
	u.Status = service.UserCreated
	if faces > 0 {
		u.Status = service.UserActive
	}
	return err
}

func noUser(u service.UserID) *service.Error {
	return service.Errorf(service.NotFound, "there is no user %s", u)
}
