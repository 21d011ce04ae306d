package operator

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spotter-video/spotter/internal/audit"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/service"
)

// audited makes a change of a resource, such as key/AKIA0123, and writes that to the audit log: into the database in the transaction of
// the change. A file is opened first: what could not be written down is not done.
func (o *Operator) audited(ctx context.Context, operation, resource string, change func(context.Context) error) error {
	entry := audit.Entry{
		Time: o.config.Now(), Process: o.config.Process, Name: "operator/" + o.config.User, Operation: operation,
		Resources: []string{resource}, Outcome: "OK",
	}
	undocumented := func(err error) error {
		if err != nil {
			return fmt.Errorf("%s %s is done, but not in the audit log: %w", operation, resource, err)
		}
		return nil
	}
	if o.config.AuditRows {
		trail := service.NewTrail(entry)
		if err := change(service.WithTrail(ctx, trail)); err != nil || trail.Kept() {
			return err
		}
		return undocumented(o.store.AddAudit(ctx, []audit.Entry{entry}))
	}
	log, err := audit.Open(o.config.Audit)
	if err != nil {
		return fault.Usage(err)
	}
	if err = change(ctx); err != nil {
		return errors.Join(err, log.Close())
	}
	return undocumented(errors.Join(log.Write(entry), log.Close()))
}

// AuditEntry is an entry of the audit log. As JSON it is a line of it.
type AuditEntry = audit.Entry

// AuditRequest selects entries of the audit log. Zero members select everything.
type AuditRequest struct {
	// Since and Until are the first moment, and the first that is too late.
	Since, Until time.Time
	// Key is the id of an access key, Operation an operation, and Face the id of a face: what has become of it.
	Key, Operation, Face string
}

// auditPage is how many entries are read from the database at once.
const auditPage = 200

// Audit gives entries of the audit log in their order, one after another, wherever the settings say that it is; an error of each ends
// it. damaged is how many lines of the file are no entries.
func (o *Operator) Audit(ctx context.Context, r AuditRequest, each func(AuditEntry) error) (damaged int, err error) {
	q := service.AuditQuery{Since: r.Since, Until: r.Until, Key: r.Key, Operation: r.Operation, Limit: auditPage}
	if r.Face != "" {
		id, err := face.ParseID(r.Face)
		if err != nil {
			return 0, &fault.UsageError{Err: fmt.Errorf("%q is no id of a face", r.Face)}
		}
		q.Face = id.String()
	}
	if !o.config.AuditRows {
		return o.auditOfFile(ctx, &q, each)
	}
	for {
		page, err := o.store.Audit(ctx, q)
		if err != nil {
			return 0, err
		}
		for i := range page {
			if err := each(page[i]); err != nil {
				return 0, err
			}
			q.After = page[i].Serial
		}
		if len(page) < auditPage {
			return 0, nil
		}
	}
}

func (o *Operator) auditOfFile(ctx context.Context, q *service.AuditQuery, each func(AuditEntry) error) (damaged int, err error) {
	file, err := os.Open(o.config.Audit)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil // nothing has happened yet
	}
	if err != nil {
		return 0, fault.Usage(err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return audit.Read(file, func(e AuditEntry) error {
		if err := ctx.Err(); err != nil || !q.Selects(&e) {
			return err
		}
		return each(e)
	})
}
