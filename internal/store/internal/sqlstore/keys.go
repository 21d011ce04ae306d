package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"errors"

	"github.com/spotter-video/spotter/internal/service"
)

const keyColumns = `id, sealed, name, policy, disabled, created, background`

// CreateKey implements [service.KeyStore].
func (s *Store) CreateKey(ctx context.Context, k *service.AccessKey) error {
	return s.write(ctx, "create access key "+k.ID, func(tx *sql.Tx) error {
		if err := sealedBy(ctx, tx, k.Sealer); err != nil {
			return err
		}
		n, err := affected(tx.ExecContext(ctx, `INSERT INTO access_keys (`+keyColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (id) DO NOTHING`, k.ID, blob(k.Sealed), k.Name, k.Policy, k.Disabled, millis(k.Created), k.Background))
		if err == nil && n == 0 {
			return service.Errorf(service.Exists, "there is an access key %s already", k.ID)
		}
		return err
	})
}

// sealedBy keeps what the secrets are sealed with, as long as there are none, and refuses another one.
func sealedBy(ctx context.Context, tx *sql.Tx, sealer []byte) error {
	if len(sealer) == 0 {
		return nil
	}
	var kept []byte
	// Once the row is locked, who else has made keys is seen by the next statement, not by this one.
	err := tx.QueryRowContext(ctx, `INSERT INTO sealer (one, print) VALUES (1, $1) ON CONFLICT (one) DO UPDATE
		SET print = sealer.print RETURNING print`, blob(sealer)).Scan(&kept)
	if err != nil || bytes.Equal(kept, sealer) {
		return err
	}
	n, err := affected(tx.ExecContext(ctx, `UPDATE sealer SET print = $1 WHERE one = 1 AND NOT EXISTS (SELECT 1 FROM access_keys)`, blob(sealer)))
	if err == nil && n == 0 {
		err = service.Errorf(service.Conflict, "the secrets of other access keys are sealed with another key")
	}
	return err
}

// Sealer implements [service.KeyStore].
func (s *Store) Sealer(ctx context.Context) ([]byte, error) {
	var sealer []byte
	err := s.look("read what access keys are sealed with", func(q statements) error {
		err := q.QueryRowContext(ctx, `SELECT print FROM sealer WHERE EXISTS (SELECT 1 FROM access_keys)`).Scan(&sealer)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return sealer, err
}

// Key implements [service.KeyStore].
func (s *Store) Key(ctx context.Context, id string) (*service.AccessKey, error) {
	k := new(service.AccessKey)
	err := s.look("read access key "+id, func(q statements) error {
		row := q.QueryRowContext(ctx, `SELECT `+keyColumns+` FROM access_keys WHERE id = $1`, id)
		return orElse(scanKey(row, k), noKey(id))
	})
	if err != nil {
		return nil, err
	}
	return k, nil
}

// Keys implements [service.KeyStore].
func (s *Store) Keys(ctx context.Context) ([]service.AccessKey, error) {
	var list []service.AccessKey
	err := s.look("list access keys", func(q statements) (err error) {
		list, err = collect(ctx, q, scanKey, `SELECT `+keyColumns+` FROM access_keys ORDER BY created, serial`)
		return err
	})
	return list, err
}

// SetKey implements [service.KeyStore].
func (s *Store) SetKey(ctx context.Context, k *service.AccessKey) error {
	return s.changeKey(ctx, "change", k.ID, `UPDATE access_keys SET name = $2, policy = $3, disabled = $4, background = $5 WHERE id = $1`,
		k.Name, k.Policy, k.Disabled, k.Background)
}

// DeleteKey implements [service.KeyStore].
func (s *Store) DeleteKey(ctx context.Context, id string) error {
	return s.changeKey(ctx, "delete", id, `DELETE FROM access_keys WHERE id = $1`)
}

// changeKey runs a statement that takes the id as $1.
func (s *Store) changeKey(ctx context.Context, verb, id, statement string, args ...any) error {
	return s.write(ctx, verb+" access key "+id, func(tx *sql.Tx) error {
		n, err := affected(tx.ExecContext(ctx, statement, append([]any{id}, args...)...))
		if err == nil && n == 0 {
			return noKey(id)
		}
		return err
	})
}

func scanKey(r row, k *service.AccessKey) error {
	return r.Scan(&k.ID, (*blob)(&k.Sealed), &k.Name, &k.Policy, &k.Disabled, (*millis)(&k.Created), &k.Background)
}

func noKey(id string) *service.Error {
	return service.Errorf(service.NotFound, "there is no access key %s", id)
}
