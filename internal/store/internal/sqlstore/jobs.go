package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

var (
	errNotOpen = errors.New("a job that is created must be in progress")
	errOpen    = errors.New("a job that is ended must not be in progress")
)

// CreateJob implements [service.JobStore].
func (s *Store) CreateJob(
	ctx context.Context, j *service.Job, most service.Places, token *service.RequestToken, first service.Task,
) (open service.Places, err error) {
	if j.State != service.InProgress {
		return open, errNotOpen
	}
	var serial service.Serial
	err = s.write(ctx, fmt.Sprintf("create job %s", j.ID), func(tx *sql.Tx) (err error) {
		if err = keepToken(ctx, tx, token); err != nil {
			return err
		}
		if open.All, err = countOpen(ctx, tx, 1); err != nil {
			return err
		}
		if serial, open.OfKey, err = addJob(ctx, tx, j); err != nil {
			return err
		}
		if open.All > most.All || open.OfKey > most.OfKey {
			return service.Errorf(service.TooManyJobs, "%+v jobs would be open, and %+v may be", open, most)
		}
		return s.enqueue(ctx, tx, first)
	})
	if err == nil {
		j.Serial = serial
	}
	return open, err
}

// countOpen adds to the number of open jobs and says what it is then. Jobs begin and end one after another for this.
func countOpen(ctx context.Context, tx *sql.Tx, by int) (now int, err error) {
	err = tx.QueryRowContext(ctx, `UPDATE counters SET n = n + $1 WHERE name = 'open jobs' RETURNING n`, by).Scan(&now)
	return now, err
}

func (s *Store) enqueue(ctx context.Context, tx *sql.Tx, tasks ...service.Task) error {
	if len(tasks) == 0 {
		return nil
	}
	if err := s.db.Enqueue(ctx, tx, tasks); err != nil {
		return fmt.Errorf("enqueue %d tasks: %w", len(tasks), err)
	}
	return nil
}

// Job implements [service.JobStore].
func (s *Store) Job(ctx context.Context, id service.JobID) (*service.Job, error) {
	j := new(service.Job)
	err := s.look(fmt.Sprintf("read job %s", id), func(q statements) error {
		row := q.QueryRowContext(ctx, selectJobs()+`WHERE j.id = $1`, id)
		return orElse(scanJob(row, j), noJob(id))
	})
	if err != nil {
		return nil, err
	}
	return j, nil
}

// PlanData implements [service.JobStore].
func (s *Store) PlanData(ctx context.Context, id service.JobID) ([]byte, error) {
	var data blob
	err := s.look(fmt.Sprintf("read the plan of job %s", id), func(q statements) error {
		row := q.QueryRowContext(ctx, `SELECT p.data FROM jobs j JOIN plans p ON p.job = COALESCE(j.source, j.serial) WHERE j.id = $1`, id)
		return orElse(row.Scan(&data), service.Errorf(service.NotFound, "there is no plan of a job %s", id))
	})
	return data, err
}

// Ended implements [service.JobStore].
func (s *Store) Ended(ctx context.Context, ids []service.JobID) (ended []service.JobID, err error) {
	for some := range slices.Chunk(ids, batchIDs) {
		open := map[service.JobID]bool{}
		err := s.look(fmt.Sprintf("look at %d jobs", len(some)), func(q statements) error {
			args := make([]any, len(some))
			for i, id := range some {
				args[i] = id
			}
			return each(ctx, q, func(r row) error {
				var id service.JobID
				err := r.Scan(&id)
				open[id] = true
				return err
			}, `SELECT id FROM jobs WHERE state = 'in-progress' AND id IN (`+placeholders(1, len(some))+`)`, args...)
		})
		if err != nil {
			return nil, err
		}
		for _, id := range some {
			if !open[id] {
				ended = append(ended, id)
			}
		}
	}
	return ended, nil
}

// Jobs implements [service.JobStore].
func (s *Store) Jobs(ctx context.Context, q service.JobQuery) ([]service.Job, error) {
	before := q.Before
	if before == 0 {
		before = math.MaxInt64
	}
	args := []any{before, max(q.Limit, 1)}
	state := ""
	if q.State != "" {
		args = append(args, q.State)
		state = ` AND j.state = $` + strconv.Itoa(len(args))
	}
	var list []service.Job
	err := s.look("list jobs", func(q statements) (err error) {
		list, err = collect(ctx, q, scanJob, selectJobs()+`WHERE j.serial < $1 AND j.id IS NOT NULL`+state+` ORDER BY j.serial DESC LIMIT $2`, args...)
		return err
	})
	return list, err
}

// OpenJobs implements [service.JobStore].
func (s *Store) OpenJobs(ctx context.Context) (list []service.OpenJobs, err error) {
	err = s.look("count open jobs", func(q statements) (err error) {
		list, err = collect(ctx, q, func(r row, o *service.OpenJobs) error {
			return r.Scan(&o.Key, &o.Background, &o.Jobs, (*millis)(&o.Oldest), &o.Working, &o.Segments, &o.Turn)
		}, `SELECT access_key, background, COUNT(*), MIN(created), COUNT(*) FILTER (WHERE segments_done < segments),
			CAST(COALESCE(SUM(segments - segments_done), 0) AS BIGINT), COALESCE(MIN(turn) FILTER (WHERE segments_done < segments), 0)
			FROM jobs WHERE state = 'in-progress' GROUP BY access_key, background`)
		return err
	})
	return list, err
}

// EndJob implements [service.JobStore]. What the segments have saved cannot be found any more; [Store.Sweep] removes it.
func (s *Store) EndJob(ctx context.Context, j *service.Job, n *service.Notice, keep time.Duration) (ended bool, err error) {
	if j.State == service.InProgress {
		return false, errOpen
	}
	err = s.write(ctx, fmt.Sprintf("end job %s", j.ID), func(tx *sql.Tx) (err error) {
		var again []service.Task
		ended, again, err = endJob(ctx, tx, j, keep)
		if err == nil {
			err = s.enqueue(ctx, tx, again...)
		}
		if err != nil || !ended || n == nil {
			return err
		}
		if err = addNotice(ctx, tx, n); err != nil {
			return fmt.Errorf("keep notice %s: %w", n.ID, err)
		}
		return nil
	})
	return ended && err == nil, err
}

// endJob says false if the job has ended already, and which tasks others need then.
func endJob(ctx context.Context, tx *sql.Tx, j *service.Job, keep time.Duration) (ended bool, again []service.Task, err error) {
	var serial service.Serial
	var complete sql.NullBool
	results, attempt := resultsRecordOf(j.Results)
	err = tx.QueryRowContext(ctx, `UPDATE jobs SET state = $2, message = $3, results = $4, attempt = $5, finished = $6, expires = $7
		WHERE id = $1 AND state = 'in-progress' RETURNING serial, segments_done = segments`, j.ID, j.State, readable(j.Message), document{results}, attempt,
		millis(j.Finished), millis(j.Expires)).Scan(&serial, &complete)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil, jobExists(ctx, tx, j.ID)
	}
	if err != nil {
		return false, nil, err
	}
	again, left, err := endAnalysis(ctx, tx, serial, complete.Bool, j.Finished.Add(keep))
	if err != nil {
		return false, nil, err
	}
	// After the rows of jobs, which others that end have locked when they come to this.
	if _, err = countOpen(ctx, tx, -1); err != nil {
		return false, nil, err
	}
	return true, again, leave(ctx, tx, left, serial)
}

// DeleteJob implements [service.JobStore]. Its results cannot be found any more; [Store.Sweep] removes them.
func (s *Store) DeleteJob(ctx context.Context, id service.JobID) error {
	return s.write(ctx, fmt.Sprintf("delete job %s", id), func(tx *sql.Tx) error {
		var serial service.Serial
		var source sql.NullInt64
		err := tx.QueryRowContext(ctx, `UPDATE jobs SET id = NULL, expires = 0
			WHERE id = $1 AND state <> 'in-progress' RETURNING serial, source`, id).Scan(&serial, &source)
		if errors.Is(err, sql.ErrNoRows) {
			if err = jobExists(ctx, tx, id); err != nil {
				return err
			}
			return service.Errorf(service.Conflict, "the job %s is in progress", id)
		}
		if err != nil {
			return err
		}
		owner := serial
		if source.Valid {
			owner = service.Serial(source.Int64)
		}
		left, err := withdraw(ctx, tx, owner, true)
		if err != nil {
			return err
		}
		if source.Valid {
			left = ofJob
		}
		return leave(ctx, tx, left, serial)
	})
}

func jobExists(ctx context.Context, tx *sql.Tx, id service.JobID) error {
	var one int
	return orElse(tx.QueryRowContext(ctx, `SELECT 1 FROM jobs WHERE id = $1`, id).Scan(&one), noJob(id))
}

func noJob(id service.JobID) *service.Error {
	return service.Errorf(service.NotFound, "there is no job %s", id)
}
