package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spotter-video/spotter/internal/audit"
	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/service"
)

// auditLog takes entries of the audit log.
type auditLog interface{ Write(e audit.Entry) error }

// openAudit opens the audit log where the settings want it.
func (s *server) openAudit() error {
	s.process = processName(&s.config, string(s.config.Mode))
	if s.config.AuditInDatabase() {
		s.audit = audit.NewRows(s.store.AddAudit)
		return nil
	}
	file, err := audit.Open(dataFile(&s.config, auditFile))
	if err != nil {
		return &fault.UsageError{Err: err}
	}
	s.onClose(file.Close)
	s.audit, s.auditFile = file, file
	return nil
}

// processName is what the audit log calls a process that does a part of the work: what the settings say, or the machine's name.
func processName(s *config.Server, part string) string {
	if s.ProcessName != "" {
		return string(s.ProcessName)
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	return host + "/" + part
}

// events are told of what happens. Which faces a request has changed is written here where the log is a file; into the database the store
// writes it, with the change.
func (s *server) events() service.Events {
	if s.auditFile == nil {
		return s.metrics
	}
	return audit.Events{Events: s.metrics, Audit: s.auditFile, Process: s.process, Now: s.request.Now, Errors: s.log}
}

// attend has the store write a request down with the change that it makes; nil where the log is a file. What has changed nothing, or has
// failed after all, is written on its own.
func (s *server) attend() func(context.Context, awsapi.Entry) (context.Context, func(awsapi.Entry)) {
	if s.auditFile != nil {
		return nil
	}
	return func(ctx context.Context, e awsapi.Entry) (context.Context, func(awsapi.Entry)) {
		entry := auditEntry(e)
		entry.Process = s.process
		trail := service.NewTrail(entry)
		return service.WithTrail(ctx, trail), func(e awsapi.Entry) {
			if !trail.Kept() || e.Code != "OK" {
				s.record(e)
			}
		}
	}
}

// audited makes a change of a resource, such as key/AKIA0123, and writes that to the audit log: into the database in the transaction of
// the change. A file is opened first: what could not be written down is not done.
func (o *Operator) audited(ctx context.Context, operation, resource string, change func(context.Context) error) error {
	entry := audit.Entry{
		Time: o.request.Now(), Process: processName(&o.config, "operator"), Name: "operator/" + o.request.User, Operation: operation,
		Resources: []string{resource}, Outcome: "OK",
	}
	undocumented := func(err error) error {
		if err != nil {
			return fmt.Errorf("%s %s is done, but not in the audit log: %w", operation, resource, err)
		}
		return nil
	}
	if o.config.AuditInDatabase() {
		trail := service.NewTrail(entry)
		if err := change(service.WithTrail(ctx, trail)); err != nil || trail.Kept() {
			return err
		}
		return undocumented(o.store.AddAudit(ctx, []audit.Entry{entry}))
	}
	log, err := audit.Open(dataFile(&o.config, auditFile))
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
	if !o.config.AuditInDatabase() {
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
	file, err := os.Open(dataFile(&o.config, auditFile))
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
