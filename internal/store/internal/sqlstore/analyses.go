package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

// An analysis is the plan and the segments of a job, its owner, which other jobs may use as well. It outlives the owner's results, and its
// row in jobs, without an id then, goes with it.

// ShareAnalysis implements [service.JobStore].
func (s *Store) ShareAnalysis(ctx context.Context, id service.JobID, how *service.Sharing) (bool, error) {
	var shared bool
	err := s.write(ctx, fmt.Sprintf("look for an analysis for job %s", id), func(tx *sql.Tx) (err error) {
		j, err := lockOpenJob(ctx, tx, id)
		if err != nil || j == nil || j.segments.Valid {
			return err
		}
		shared, err = s.share(ctx, tx, id, j, how)
		return err
	})
	return shared && err == nil, err
}

// share has a job that is locked use an analysis, if there is one. It has nothing to do itself then, but the finish.
func (s *Store) share(ctx context.Context, tx *sql.Tx, id service.JobID, j *openJob, how *service.Sharing) (bool, error) {
	owner, complete, err := useAnalysis(ctx, tx, how, j.background)
	if err != nil || owner == 0 {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE jobs SET source = $2, frozen = $3, segments = o.segments, segments_queued = o.segments,
		segments_done = o.segments FROM (SELECT segments FROM jobs WHERE serial = $2) AS o WHERE serial = $1`, j.serial, owner, terms{&how.Terms})
	if err != nil {
		return false, err
	}
	// What the video is remains to be told when the analysis is gone.
	_, err = tx.ExecContext(ctx, `INSERT INTO plans (job, about, data) SELECT $2, about, $3 FROM plans WHERE job = $1`, owner, j.serial, blob(nil))
	if err != nil || !complete {
		return true, err
	}
	return true, s.enqueue(ctx, tx, j.own([]service.Task{{Kind: service.FinishTask, Job: id}})...)
}

// offerOrShare has others use what the segments of a job will give, or it those of another one that was quicker.
func (s *Store) offerOrShare(ctx context.Context, tx *sql.Tx, id service.JobID, j *openJob, how *service.Sharing) (shares bool, err error) {
	if how == nil {
		return false, nil
	}
	n, err := affected(tx.ExecContext(ctx, `INSERT INTO analyses (job, key, background) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		j.serial, blob(how.Key[:]), j.background))
	if err != nil || n > 0 {
		return false, err
	}
	return s.share(ctx, tx, id, j, how)
}

// useAnalysis finds whose an analysis is, and has it kept from now on; 0 if there is none. Who waits in the foreground does not wait for work in
// the background. The row is locked, so that whoever completes it afterwards finds the job that uses it.
func useAnalysis(
	ctx context.Context, tx *sql.Tx, how *service.Sharing, background bool,
) (owner service.Serial, complete bool, err error) {
	err = tx.QueryRowContext(ctx, `UPDATE analyses SET expires = CASE WHEN expires > 0 AND expires < $3 THEN $3 ELSE expires END
		WHERE key = $1 AND (complete OR $4 OR NOT background) AND (expires > $2
			OR expires = 0 AND EXISTS (SELECT 1 FROM jobs WHERE serial = analyses.job AND state = 'in-progress'))
		RETURNING job, complete`, blob(how.Key[:]), millis(how.Now), millis(how.Until), background).Scan(&owner, &complete)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil || !complete {
		return owner, false, err
	}
	// A process of an older version may have removed the segments, of which it does not know that they are used.
	var there bool
	err = tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM segments WHERE job = $1) = segments
			AND NOT EXISTS (SELECT 1 FROM leftovers WHERE serial = $1 AND kind IN ('segments', 'job')) FROM jobs WHERE serial = $1`, owner).Scan(&there)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, false, err
	}
	if !there {
		_, err = tx.ExecContext(ctx, `DELETE FROM analyses WHERE job = $1`, owner)
		return 0, false, err
	}
	return owner, true, nil
}

// complete says that all segments are saved, and gives the finishes of the jobs that have waited for that.
func (j *openJob) complete(ctx context.Context, tx *sql.Tx) ([]service.Task, error) {
	n, err := affected(tx.ExecContext(ctx, `UPDATE analyses SET complete = (1 = 1),
		bytes = (SELECT segment_bytes FROM jobs WHERE serial = $1) WHERE job = $1`, j.serial))
	if err != nil || n == 0 {
		return nil, err
	}
	return collect(ctx, tx, scanTask(service.FinishTask), `SELECT id, background FROM jobs
		WHERE source = $1 AND state = 'in-progress' ORDER BY serial`, j.serial)
}

// scanTask makes a task of a job.
func scanTask(kind service.TaskKind) func(row, *service.Task) error {
	return func(r row, t *service.Task) error {
		t.Kind = kind
		return r.Scan(&t.Job, &t.Background)
	}
}

// endAnalysis keeps what the segments of a job have given from its end on, if others may use it. It gives the plans of those that were
// waiting for what did not come, and what is to be cleared away of the job.
func endAnalysis(ctx context.Context, tx *sql.Tx, owner service.Serial, complete bool, until time.Time) ([]service.Task, residue, error) {
	if complete {
		n, err := affected(tx.ExecContext(ctx, `UPDATE analyses SET expires = $2 WHERE job = $1`, owner, millis(until)))
		if err == nil && n > 0 {
			return nil, ofAttempts, nil
		}
		return nil, ofSegments, err
	}
	n, err := affected(tx.ExecContext(ctx, `DELETE FROM analyses WHERE job = $1`, owner))
	if err != nil || n == 0 {
		return nil, ofSegments, err
	}
	plans, err := again(ctx, tx, `source = $1 AND state = 'in-progress'`, owner)
	return plans, ofSegments, err
}

// again has jobs that use what does not come begin anew: their plans are to be enqueued.
func again(ctx context.Context, tx *sql.Tx, which string, serial service.Serial) ([]service.Task, error) {
	_, err := tx.ExecContext(ctx, `DELETE FROM plans WHERE job IN (SELECT serial FROM jobs WHERE `+which+`)`, serial) //nolint:gosec // G202: one of two texts
	if err != nil {
		return nil, err
	}
	return collect(ctx, tx, scanTask(service.PlanTask), `UPDATE jobs SET source = NULL, segments = NULL, segments_queued = 0, segments_done = 0
		WHERE `+which+` RETURNING id, background`, serial)
}

// awaits says whether a job waits for what another one has not done yet, and whether that comes: an older program may have ended the other
// one without a word to those who wait.
func (j *openJob) awaits(ctx context.Context, tx *sql.Tx) (waits, comes bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT segments_done < segments, state = 'in-progress' FROM jobs WHERE serial = $1`, j.source).Scan(&waits, &comes)
	if errors.Is(err, sql.ErrNoRows) {
		return true, false, nil
	}
	return waits, comes, err
}

// withdraw has nobody begin to use the analysis of a job that goes away, and says what is to be cleared away of the job now: the analysis goes
// when nobody uses it any more, and at once if others must not find it.
func withdraw(ctx context.Context, tx *sql.Tx, owner service.Serial, hide bool) (residue, error) {
	set := `expires = expires`
	if hide {
		set = `key = NULL, expires = 1`
	}
	n, err := affected(tx.ExecContext(ctx, `UPDATE analyses SET `+set+` WHERE job = $1`, owner))
	if err != nil || n == 0 {
		return ofJob, err
	}
	return ofResults, nil
}

// sweepAnalyses removes those that have expired and are not being used, and those of which an older program has removed the segments.
func sweepAnalyses(ctx context.Context, tx *sql.Tx, now time.Time, limit int) (int64, error) {
	gone, err := collect(ctx, tx, scanSerial, `DELETE FROM analyses WHERE job IN
			(SELECT job FROM analyses a WHERE expires <= $1
			AND NOT EXISTS (SELECT 1 FROM jobs o WHERE o.state = 'in-progress' AND o.serial = a.job)
			AND NOT EXISTS (SELECT 1 FROM jobs o WHERE o.state = 'in-progress' AND o.source = a.job)
			ORDER BY expires LIMIT $2)
		AND expires <= $1 RETURNING job`, millis(now), max(limit, 1))
	if err != nil {
		return 0, err
	}
	for _, owner := range gone {
		kind, deleted := ofSegments, false
		err := tx.QueryRowContext(ctx, `SELECT id IS NULL FROM jobs WHERE serial = $1`, owner).Scan(&deleted)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return 0, err
		}
		if deleted {
			kind = ofJob
		}
		if err := leave(ctx, tx, kind, owner); err != nil {
			return 0, err
		}
	}
	return int64(len(gone)), nil
}

// Analyses implements [service.JobStore].
func (s *Store) Analyses(ctx context.Context) (n int, bytes int64, err error) {
	err = s.look("count analyses", func(q statements) error {
		return q.QueryRowContext(ctx, `SELECT COUNT(*), CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM analyses WHERE complete`).Scan(&n, &bytes)
	})
	return n, bytes, err
}
