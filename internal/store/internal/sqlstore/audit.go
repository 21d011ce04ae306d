package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// AddAudit implements [service.AuditStore].
func (s *Store) AddAudit(ctx context.Context, entries []service.AuditEntry) error {
	if len(entries) == 0 {
		return nil
	}
	return s.write(service.WithTrail(ctx, nil), fmt.Sprintf("keep %d entries of the audit log", len(entries)), func(tx *sql.Tx) error {
		return addAudit(ctx, tx, entries...)
	})
}

// batchAudit is how many entries a statement inserts: 5 columns each, see batchIDs.
const batchAudit = 100

func addAudit(ctx context.Context, tx *sql.Tx, entries ...service.AuditEntry) error {
	const columns = 5
	for batch := range slices.Chunk(entries, batchAudit) {
		args := make([]any, 0, columns*len(batch))
		for _, e := range batch {
			e.Time = e.Time.UTC()
			text, err := json.Marshal(e)
			if err != nil {
				return err
			}
			// In JSON there is no character 0, and what is no UTF-8 was replaced.
			args = append(args, millis(e.Time), readable(e.Key), readable(e.Operation), len(e.Enrolled)+len(e.Deleted), string(text))
		}
		insert := `INSERT INTO audit (written, access_key, operation, faces, entry) VALUES ` + tuples(len(batch), columns) //nolint:gosec // G202: placeholders
		_, err := tx.ExecContext(ctx, insert, args...)
		if err != nil {
			return fmt.Errorf("write to the audit log: %w", err)
		}
	}
	return nil
}

// keepTrail writes down who makes the changes of a transaction, unless one before has.
func keepTrail(ctx context.Context, tx *sql.Tx) error {
	if e, due := service.TrailOf(ctx).Entry(); due {
		return addAudit(ctx, tx, e)
	}
	return nil
}

// auditFaces writes down which faces of a collection a transaction has changed.
func auditFaces(ctx context.Context, tx *sql.Tx, c service.Serial, operation string, ids []face.ID) error {
	trail := service.TrailOf(ctx)
	if trail == nil || len(ids) == 0 {
		return nil
	}
	var name service.CollectionID
	if err := tx.QueryRowContext(ctx, `SELECT id FROM collections WHERE serial = $1`, c).Scan(&name); err != nil {
		return err
	}
	if e, due := trail.OfFaces(operation, name, ids); due {
		return addAudit(ctx, tx, e)
	}
	return nil
}

// Audit implements [service.AuditStore].
func (s *Store) Audit(ctx context.Context, q service.AuditQuery) ([]service.AuditEntry, error) {
	where, args := []string{`serial > $1`}, []any{q.After, max(q.Limit, 1)}
	and := func(condition string, value any) {
		args = append(args, value)
		where = append(where, condition+strconv.Itoa(len(args)))
	}
	if !q.Since.IsZero() {
		and(`written >= $`, millis(q.Since))
	}
	if !q.Until.IsZero() {
		and(`written < $`, millis(q.Until))
	}
	if q.Key != "" {
		and(`access_key = $`, q.Key)
	}
	if q.Operation != "" {
		and(`operation = $`, q.Operation)
	}
	if q.Face != "" {
		where = append(where, `faces > 0`)
		and(`entry LIKE '%"' || $`, q.Face)
		where[len(where)-1] += ` || '"%'`
	}
	var list []service.AuditEntry
	err := s.look("read the audit log", func(r statements) (err error) {
		list, err = collect(ctx, r, scanAudit, `SELECT serial, entry FROM audit WHERE `+strings.Join(where, ` AND `)+`
			ORDER BY serial LIMIT $2`, args...)
		return err
	})
	return list, err
}

func scanAudit(r row, e *service.AuditEntry) error { return r.Scan(&e.Serial, document{e}) }

// SweepAudit implements [service.AuditStore].
func (s *Store) SweepAudit(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = s.write(ctx, "sweep the audit log", func(tx *sql.Tx) error {
		swept, failed := affected(tx.ExecContext(ctx, `DELETE FROM audit WHERE serial IN
			(SELECT serial FROM audit WHERE written < $1 ORDER BY written, serial LIMIT $2)`, millis(before), max(limit, 1)))
		n = int(swept)
		return failed
	})
	return n, err
}
