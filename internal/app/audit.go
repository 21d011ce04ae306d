package app

import (
	"context"
	"os"

	"github.com/spotter-video/spotter/internal/audit"
	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/config"
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
