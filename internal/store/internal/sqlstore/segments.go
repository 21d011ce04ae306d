package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/spotter-video/spotter/internal/service"
)

// SavePlan implements [service.JobStore]. [service.NotFound] if there is no such job.
func (s *Store) SavePlan(
	ctx context.Context, id service.JobID, p *service.JobPlan, next []service.Task,
) (saved bool, err error) {
	err = s.write(ctx, fmt.Sprintf("save the plan of job %s", id), func(tx *sql.Tx) (err error) {
		var serial service.Serial
		err = tx.QueryRowContext(ctx, `UPDATE jobs SET segments = $2
			WHERE id = $1 AND state = 'in-progress' AND segments IS NULL RETURNING serial`, id, p.Segments).Scan(&serial)
		if errors.Is(err, sql.ErrNoRows) {
			return jobExists(ctx, tx, id)
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO plans (job, about, data) VALUES ($1, $2, $3)`,
			serial, document{planRecordOf(p)}, blob(p.Data))
		if err != nil {
			return err
		}
		saved = true
		return s.enqueue(ctx, tx, next...)
	})
	return saved && err == nil, err
}

// SaveSegment implements [service.JobStore]. [service.NotFound] if there is no such job.
func (s *Store) SaveSegment(
	ctx context.Context, id service.JobID, segment int, data []byte, next []service.Task, last service.Task,
) (saved bool, err error) {
	err = s.write(ctx, fmt.Sprintf("save segment %d of job %s", segment, id), func(tx *sql.Tx) (err error) {
		j, err := lockOpenJob(ctx, tx, id)
		if err != nil || j == nil {
			return err
		}
		if segment < 0 || int64(segment) >= j.segments.Int64 {
			return fmt.Errorf("the plan has %d segments", j.segments.Int64)
		}
		saved = true
		return s.putSegment(ctx, tx, j.serial, segment, data, next, last)
	})
	return saved && err == nil, err
}

type openJob struct {
	serial   service.Serial
	segments sql.NullInt64 // NULL before the plan is there
}

// lockOpenJob is a job in progress, which nobody else changes for the rest of the transaction; nil if it has ended, NotFound
// if it is not there.
func lockOpenJob(ctx context.Context, tx *sql.Tx, id service.JobID) (*openJob, error) {
	var j openJob
	err := tx.QueryRowContext(ctx, `UPDATE jobs SET segments = segments WHERE id = $1 AND state = 'in-progress'
		RETURNING serial, segments`, id).Scan(&j.serial, &j.segments)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, jobExists(ctx, tx, id)
	}
	return &j, err
}

// putSegment writes a segment. If it was not there it is counted, and what is to come next is enqueued.
func (s *Store) putSegment(
	ctx context.Context, tx *sql.Tx, job service.Serial, segment int, data []byte, next []service.Task, last service.Task,
) error {
	n, err := affected(tx.ExecContext(ctx, `UPDATE segments SET data = $3 WHERE job = $1 AND number = $2`,
		job, segment, blob(data)))
	if err != nil || n > 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO segments (job, number, data) VALUES ($1, $2, $3)`, job, segment, blob(data))
	if err != nil {
		return err
	}
	var all, done int
	err = tx.QueryRowContext(ctx, `UPDATE jobs SET segments_done = segments_done + 1 WHERE serial = $1
		RETURNING segments, segments_done`, job).Scan(&all, &done)
	if err != nil {
		return err
	}
	if done == all {
		next = append(slices.Clip(next), last)
	}
	return s.enqueue(ctx, tx, next...)
}

// Segment implements [service.JobStore]. Once the job has ended there is nothing.
func (s *Store) Segment(ctx context.Context, id service.JobID, segment int) ([]byte, error) {
	var data blob
	err := s.read(ctx, fmt.Sprintf("read segment %d of job %s", segment, id), func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT s.data FROM segments s JOIN jobs j ON j.serial = s.job
			WHERE j.id = $1 AND j.state = 'in-progress' AND s.number = $2`, id, segment).Scan(&data)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return data, err
}
