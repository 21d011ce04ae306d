package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

// Token implements [service.Store]. A token that has expired is forgotten on the spot, so that it can be used anew before
// the next [Store.Sweep].
func (s *Store) Token(ctx context.Context, scope, token string, now time.Time) (*service.RequestToken, error) {
	t := &service.RequestToken{Scope: scope, Token: token}
	what := "read a request token of " + scope
	err := s.look(what, func(q statements) error {
		var input []byte
		err := q.QueryRowContext(ctx, `SELECT input, result, expires FROM tokens WHERE scope = $1 AND token = $2`,
			scope, token).Scan(&input, (*blob)(&t.Result), (*millis)(&t.Expires))
		if err == nil && copy(t.Input[:], input) != len(t.Input) {
			return fmt.Errorf("the input's hash has %d bytes", len(input))
		}
		return err
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil //nolint:nilnil // the port says nil for none
	case err != nil:
		return nil, err
	case t.Expires.After(now):
		return t, nil
	}
	return nil, s.write(service.WithTrail(ctx, nil), what, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM tokens WHERE scope = $1 AND token = $2 AND expires <= $3`,
			scope, token, millis(now))
		return err
	})
}

// keepToken keeps a token, if there is one to keep. It comes before everything else that a transaction does: of two with
// one token the second waits here, and then does nothing.
func keepToken(ctx context.Context, tx *sql.Tx, t *service.RequestToken) error {
	if t == nil {
		return nil
	}
	n, err := affected(tx.ExecContext(ctx, `INSERT INTO tokens (scope, token, input, result, expires)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT (scope, token) DO NOTHING`,
		t.Scope, t.Token, blob(t.Input[:]), blob(t.Result), millis(t.Expires)))
	if err == nil && n == 0 {
		return service.Errorf(service.TokenReused, "the request token has been used before")
	}
	return err
}
