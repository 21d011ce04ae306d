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
			WHERE due <= $1 ORDER BY due, serial LIMIT $2`, millis(now), max(limit, 1))
		return err
	})
	return list, err
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
