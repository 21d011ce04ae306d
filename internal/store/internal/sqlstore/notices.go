package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

const noticeColumns = `id, topic, job, operation, state, tag, bucket, object_key, object_version, ended, attempts, due,
	sinks`

// DueNotices implements [service.NoticeStore].
func (s *Store) DueNotices(ctx context.Context, now time.Time, limit int) ([]service.Notice, error) {
	var list []service.Notice
	err := s.look("list due notices", func(q statements) (err error) {
		list, err = collect(ctx, q, scanNotice, `SELECT serial, `+noticeColumns+`,
			COALESCE((SELECT message FROM jobs WHERE jobs.id = notices.job), '') FROM notices
			WHERE due <= $1 AND (claimant = $3 OR claimed <= `+s.db.Clock+`) ORDER BY due, serial LIMIT $2`,
			millis(now), max(limit, 1), s.db.Claimant)
		return err
	})
	return list, err
}

// claimFor is how long a notice is one process's alone: longer than an attempt at all sinks takes. The next attempt is made by the same
// process, if it lives.
const claimFor = 2 * time.Minute

// ClaimNotice implements [service.NoticeStore].
func (s *Store) ClaimNotice(ctx context.Context, n *service.Notice) (claimed bool, err error) {
	err = s.write(ctx, "claim notice "+n.ID, func(tx *sql.Tx) error {
		changed, failed := affected(tx.ExecContext(ctx, `UPDATE notices SET claimant = $2, claimed = `+s.db.Clock+` + $3
			WHERE id = $1 AND due = $4 AND (claimant = $2 OR claimed <= `+s.db.Clock+`)`,
			n.ID, s.db.Claimant, claimFor.Milliseconds(), millis(n.Due)))
		claimed = changed > 0
		return failed
	})
	return claimed && err == nil, err
}

// ReleaseNotices implements [service.NoticeStore].
func (s *Store) ReleaseNotices(ctx context.Context) error {
	return s.write(ctx, "release notices", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE notices SET claimed = 0 WHERE claimant = $1 AND claimed > 0`, s.db.Claimant)
		return err
	})
}

// NoticeTried implements [service.NoticeStore]. A notice that is not there any more has been delivered by somebody else:
// nothing is kept of it.
func (s *Store) NoticeTried(ctx context.Context, n *service.Notice, delivered bool) error {
	return s.write(ctx, "keep an attempt at notice "+n.ID, func(tx *sql.Tx) error {
		if delivered {
			_, err := tx.ExecContext(ctx, `DELETE FROM notices WHERE id = $1`, n.ID)
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE notices SET attempts = $2, due = $3, sinks = $4 WHERE id = $1`,
			n.ID, n.Attempts, millis(n.Due), document{&n.Sinks})
		return err
	})
}

func addNotice(ctx context.Context, tx *sql.Tx, n *service.Notice) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO notices (`+noticeColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`, n.ID, n.Topic, n.Job, n.Operation, n.State, n.Tag, n.Video.Bucket, n.Video.Key, n.Video.Version,
		millis(n.Ended), n.Attempts, millis(n.Due), document{&n.Sinks})
	return err
}

func scanNotice(r row, n *service.Notice) error {
	return r.Scan(&n.Serial, &n.ID, &n.Topic, &n.Job, &n.Operation, &n.State, &n.Tag, &n.Video.Bucket, &n.Video.Key,
		&n.Video.Version, (*millis)(&n.Ended), &n.Attempts, (*millis)(&n.Due), document{&n.Sinks}, &n.Message)
}
