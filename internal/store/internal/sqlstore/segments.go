package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/spotter-video/spotter/internal/service"
)

// SavePlan implements [service.JobStore]. [service.NotFound] if there is no such job.
func (s *Store) SavePlan(
	ctx context.Context, id service.JobID, p *service.JobPlan, pace service.Pace, how *service.Sharing,
) (saved bool, err error) {
	err = s.write(ctx, fmt.Sprintf("save the plan of job %s", id), func(tx *sql.Tx) (err error) {
		j := openJob{segments: sql.NullInt64{Int64: int64(p.Segments), Valid: true}}
		tasks := j.next(id, pace)
		err = tx.QueryRowContext(ctx, `UPDATE jobs SET segments = $2, segments_queued = $3, turn = $4
			WHERE id = $1 AND state = 'in-progress' AND segments IS NULL RETURNING serial, background`,
			id, p.Segments, j.queued, j.turn).Scan(&j.serial, &j.background)
		if errors.Is(err, sql.ErrNoRows) {
			return jobExists(ctx, tx, id)
		}
		if err != nil {
			return err
		}
		saved = true
		var shares bool
		if shares, err = s.offerOrShare(ctx, tx, id, &j, how); err != nil || shares {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO plans (job, about, data) VALUES ($1, $2, $3)`,
			j.serial, document{planRecordOf(p)}, blob(p.Data))
		if err != nil {
			return err
		}
		if p.Segments == 0 {
			_, err = j.complete(ctx, tx)
		}
		return errors.Join(err, s.enqueue(ctx, tx, j.own(tasks)...))
	})
	return saved && err == nil, err
}

// errFirst says that another attempt has saved the segment before.
var errFirst = errors.New("the segment has been saved")

// SaveSegment implements [service.JobStore]. [service.NotFound] if there is no such job. What is changed before it shows that
// another attempt was first is undone with the transaction, which is rare.
func (s *Store) SaveSegment(
	ctx context.Context, id service.JobID, segment int, data []byte, pace service.Pace,
) (saved bool, err error) {
	err = s.write(ctx, fmt.Sprintf("save segment %d of job %s", segment, id), func(tx *sql.Tx) (err error) {
		j, err := changeOpenJob(ctx, tx, id, `segments_done = segments_done + 1, segment_bytes = segment_bytes + $2`, len(data))
		if err != nil || j == nil {
			return err
		}
		if segment < 0 || int64(segment) >= j.segments.Int64 {
			return fmt.Errorf("the plan has %d segments", j.segments.Int64)
		}
		saved = true
		return s.putSegment(ctx, tx, id, j, segment, data, pace)
	})
	if errors.Is(err, errFirst) {
		return true, nil
	}
	return saved && err == nil, err
}

// openJob is how far a job in progress is.
type openJob struct {
	serial   service.Serial
	segments sql.NullInt64 // NULL before the plan is there
	// done is how many segments have been saved; queued how many, from the first, have been enqueued.
	done, queued int
	// turn is the lowest that the next one gets: see [service.Pace].
	turn       int64
	background bool
	// source is the job whose segments are used; NULL for its own.
	source sql.NullInt64
}

// next are the segments to be enqueued so that as many are in the queue and not saved as may be, or the finish when all are saved. They
// count as enqueued.
func (j *openJob) next(id service.JobID, pace service.Pace) (tasks []service.Task) {
	all := int(j.segments.Int64)
	if j.done >= all {
		return []service.Task{{Kind: service.FinishTask, Job: id}}
	}
	for ; j.queued < min(j.done+pace.Ahead, all); j.queued++ {
		j.turn = max(j.turn, pace.Turn)
		tasks = append(tasks, service.Task{Kind: service.SegmentTask, Job: id, Segment: j.queued, Turn: j.turn})
		j.turn += pace.Step
	}
	return tasks
}

// own says whose the tasks are.
func (j *openJob) own(tasks []service.Task) []service.Task {
	for i := range tasks {
		tasks[i].Background = j.background
	}
	return tasks
}

// changeOpenJob changes a job in progress, which nobody else does then for the rest of the transaction, and says how far it is
// after that; nil if it has ended, NotFound if it is not there.
func changeOpenJob(ctx context.Context, tx *sql.Tx, id service.JobID, set string, args ...any) (*openJob, error) {
	var j openJob
	err := tx.QueryRowContext(ctx, `UPDATE jobs SET `+set+` WHERE id = $1 AND state = 'in-progress'
		RETURNING serial, segments, segments_done, segments_queued, turn, background, source`, append([]any{id}, args...)...).Scan(
		&j.serial, &j.segments, &j.done, &j.queued, &j.turn, &j.background, &j.source)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, jobExists(ctx, tx, id)
	}
	return &j, err
}

// lockOpenJob is changeOpenJob without a change.
func lockOpenJob(ctx context.Context, tx *sql.Tx, id service.JobID) (*openJob, error) {
	return changeOpenJob(ctx, tx, id, `segments = segments`)
}

// putSegment writes a segment that has been counted, and enqueues what comes next.
func (s *Store) putSegment(
	ctx context.Context, tx *sql.Tx, id service.JobID, j *openJob, segment int, data []byte, pace service.Pace,
) error {
	n, err := affected(tx.ExecContext(ctx, `INSERT INTO segments (job, number, data) VALUES ($1, $2, $3)
		ON CONFLICT (job, number) DO NOTHING`, j.serial, segment, blob(data)))
	if err == nil && n == 0 {
		err = errFirst
	}
	if err != nil {
		return err
	}
	before := j.queued
	tasks := j.next(id, pace)
	if err := j.keepQueued(ctx, tx, before); err != nil {
		return err
	}
	tasks = j.own(tasks)
	if j.done == int(j.segments.Int64) {
		others, err := j.complete(ctx, tx)
		if err != nil {
			return err
		}
		tasks = append(tasks, others...)
	}
	return s.enqueue(ctx, tx, tasks...)
}

// keepQueued writes how many segments have been enqueued, if that has changed.
func (j *openJob) keepQueued(ctx context.Context, tx *sql.Tx, before int) error {
	if j.queued == before {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE jobs SET segments_queued = $2, turn = $3 WHERE serial = $1`, j.serial, j.queued, j.turn)
	return err
}

// Resume implements [service.JobStore]. A job that is not there needs nothing.
func (s *Store) Resume(ctx context.Context, id service.JobID, pace service.Pace) (tasks []service.Task, err error) {
	err = s.write(ctx, fmt.Sprintf("resume job %s", id), func(tx *sql.Tx) (err error) {
		j, err := lockOpenJob(ctx, tx, id)
		if service.KindOf(err) == service.NotFound || err == nil && j == nil {
			return nil
		}
		if err != nil {
			return err
		}
		if tasks, err = j.missing(ctx, tx, id, pace); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, j.own(tasks)...)
	})
	if err != nil {
		return nil, err
	}
	return tasks, nil
}

// missing are the tasks that a job needs to go on, whether they are in the queue or not.
func (j *openJob) missing(ctx context.Context, tx *sql.Tx, id service.JobID, pace service.Pace) ([]service.Task, error) {
	if !j.segments.Valid {
		return []service.Task{{Kind: service.PlanTask, Job: id}}, nil
	}
	if j.source.Valid {
		switch waits, comes, err := j.awaits(ctx, tx); {
		case err != nil || waits && comes:
			return nil, err
		case waits:
			return again(ctx, tx, `serial = $1`, j.serial)
		}
	}
	before := j.queued
	last := j.next(id, pace)
	if j.done >= int(j.segments.Int64) {
		return last, nil
	}
	turns := map[int]int64{}
	for _, t := range last {
		turns[t.Segment] = t.Turn
	}
	saved := make([]bool, j.queued)
	err := each(ctx, tx, func(r row) error {
		var n int
		err := r.Scan(&n)
		if err == nil {
			saved[n] = true
		}
		return err
	}, `SELECT number FROM segments WHERE job = $1 AND number < $2`, j.serial, j.queued)
	if err != nil {
		return nil, err
	}
	var tasks []service.Task
	for n, there := range saved {
		if !there {
			tasks = append(tasks, service.Task{Kind: service.SegmentTask, Job: id, Segment: n, Turn: cmp.Or(turns[n], pace.Turn)})
		}
	}
	return tasks, j.keepQueued(ctx, tx, before)
}

// Segment implements [service.JobStore]. Once the job has ended there is nothing.
func (s *Store) Segment(ctx context.Context, id service.JobID, segment int) ([]byte, error) {
	var data blob
	err := s.look(fmt.Sprintf("read segment %d of job %s", segment, id), func(q statements) error {
		err := q.QueryRowContext(ctx, `SELECT s.data FROM jobs j JOIN segments s ON s.job = COALESCE(j.source, j.serial)
			WHERE j.id = $1 AND j.state = 'in-progress' AND s.number = $2`, id, segment).Scan(&data)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return data, err
}
