package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

// Sweep implements [service.JobStore]. It also forgets which faces were deleted long ago, and removes all that deleted collections
// and ended or deleted jobs have left behind, which is not counted, in transactions of some milliseconds each; a million faces take
// minutes, and a context that ends in between does no harm.
func (s *Store) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	var tokens, jobs, analyses int64
	err := s.write(ctx, "sweep", func(tx *sql.Tx) (err error) {
		if tokens, err = sweepTokens(ctx, tx, now, limit); err != nil {
			return err
		}
		if jobs, err = sweepJobs(ctx, tx, now, limit); err != nil {
			return err
		}
		if analyses, err = sweepAnalyses(ctx, tx, now, limit); err != nil {
			return err
		}
		return sweepMarks(ctx, tx, now, limit)
	})
	if err != nil {
		return 0, err
	}
	if err = s.sweepGone(ctx, now); err != nil {
		return 0, err
	}
	return int(tokens + jobs + analyses), s.clearLeftovers(ctx)
}

func sweepTokens(ctx context.Context, tx *sql.Tx, now time.Time, limit int) (int64, error) {
	return affected(tx.ExecContext(ctx, `DELETE FROM tokens WHERE (scope, token) IN
		(SELECT scope, token FROM tokens WHERE expires <= $1 ORDER BY expires LIMIT $2)`, millis(now), max(limit, 1)))
}

func sweepJobs(ctx context.Context, tx *sql.Tx, now time.Time, limit int) (int64, error) {
	expired, err := collect(ctx, tx, scanSerial, `UPDATE jobs SET id = NULL, expires = 0 WHERE serial IN
		(SELECT serial FROM jobs WHERE expires > 0 AND expires <= $1 AND state <> 'in-progress'
		ORDER BY expires LIMIT $2) AND expires > 0 RETURNING serial`, millis(now), max(limit, 1)) // unless another process was quicker
	if err != nil {
		return 0, err
	}
	for _, serial := range expired {
		left, err := withdraw(ctx, tx, serial, false)
		if err == nil {
			err = leave(ctx, tx, left, serial)
		}
		if err != nil {
			return 0, err
		}
	}
	return int64(len(expired)), nil
}

func scanSerial(r row, n *service.Serial) error { return r.Scan(n) }

// residue says what there is to clear away.
type residue string

const (
	ofCollection residue = "collection"
	ofSegments   residue = "segments" // and the chunks of attempts that have not ended the job
	ofAttempts   residue = "attempts" // those chunks only
	ofResults    residue = "results"  // all chunks
	ofJob        residue = "job"
)

type leftover struct {
	kind   residue
	serial service.Serial
}

func scanLeftover(r row, l *leftover) error { return r.Scan(&l.kind, &l.serial) }

// leave makes a note of what is to be cleared away.
func leave(ctx context.Context, tx *sql.Tx, kind residue, serial service.Serial) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO leftovers (kind, serial) VALUES ($1, $2)
		ON CONFLICT (kind, serial) DO NOTHING`, kind, serial)
	return err
}

// clearLeftovers clears away one after another until nothing is left.
func (s *Store) clearLeftovers(ctx context.Context) error {
	for {
		var l leftover
		err := s.look("look for leftovers", func(q statements) error {
			row := q.QueryRowContext(ctx, `SELECT kind, serial FROM leftovers ORDER BY kind, serial LIMIT 1`)
			return scanLeftover(row, &l)
		})
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.clear(ctx, l); err != nil {
			return err
		}
	}
}

// clear clears away all of it, unless another process is done first. For each batch it locks the note: where two deleted the same rows, the
// second would count none, and go on to rows that others still refer to.
func (s *Store) clear(ctx context.Context, l leftover) error {
	what := fmt.Sprintf("clear away what is left of %s %d", l.kind, l.serial)
	for _, step := range steps(l.kind) {
		for more := true; more; {
			err := s.write(ctx, what, func(tx *sql.Tx) error {
				there, err := affected(tx.ExecContext(ctx, `UPDATE leftovers SET kind = kind WHERE kind = $1 AND serial = $2`, l.kind, l.serial))
				if more = there > 0; err != nil || !more {
					return err
				}
				n, err := affected(tx.ExecContext(ctx, step.statement, l.serial, step.batch))
				more = n == step.batch
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return s.write(ctx, what, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM leftovers WHERE kind = $1 AND serial = $2`, l.kind, l.serial)
		return err
	})
}

// step deletes rows that belong to the serial $1, at most $2 of them, which is batch: about a megabyte, so that nobody has
// to wait long.
type step struct {
	statement string
	batch     int64
}

// steps deletes rows before those that they refer to.
func steps(kind residue) []step {
	const (
		faces = `DELETE FROM faces WHERE (collection, id) IN
			(SELECT collection, id FROM faces WHERE collection = $1 LIMIT $2)`
		gone = `DELETE FROM gone WHERE (collection, changed, id) IN
			(SELECT collection, changed, id FROM gone WHERE collection = $1 LIMIT $2)`
		marks       = `DELETE FROM marks WHERE (collection, mark) IN (SELECT collection, mark FROM marks WHERE collection = $1 LIMIT $2)`
		users       = `DELETE FROM users WHERE serial IN (SELECT serial FROM users WHERE collection = $1 LIMIT $2)`
		tags        = `DELETE FROM tags WHERE (collection, tag) IN (SELECT collection, tag FROM tags WHERE collection = $1 LIMIT $2)`
		collections = `DELETE FROM collections WHERE serial IN (SELECT serial FROM collections WHERE serial = $1 LIMIT $2)`
		segments    = `DELETE FROM segments WHERE (job, number) IN (SELECT job, number FROM segments WHERE job = $1 LIMIT $2)`
		chunks      = `DELETE FROM chunks WHERE (job, attempt, kind, number) IN
			(SELECT job, attempt, kind, number FROM chunks WHERE job = $1 LIMIT $2)`
		others = `DELETE FROM chunks WHERE (job, attempt, kind, number) IN
			(SELECT c.job, c.attempt, c.kind, c.number FROM chunks c JOIN jobs j ON j.serial = c.job
			WHERE c.job = $1 AND c.attempt <> j.attempt LIMIT $2)`
		plans = `DELETE FROM plans WHERE job IN (SELECT job FROM plans WHERE job = $1 LIMIT $2)`
		jobs  = `DELETE FROM jobs WHERE serial IN (SELECT serial FROM jobs WHERE serial = $1 LIMIT $2)`
	)
	switch kind {
	case ofCollection:
		return []step{{faces, 500}, {gone, 500}, {marks, 500}, {users, 500}, {tags, 500}, {collections, 2}}
	case ofSegments:
		return []step{{segments, 16}, {others, 16}}
	case ofAttempts:
		return []step{{others, 16}}
	case ofResults:
		return []step{{chunks, 16}}
	case ofJob:
		return []step{{segments, 16}, {chunks, 16}, {plans, 2}, {jobs, 2}}
	default:
		return nil
	}
}
