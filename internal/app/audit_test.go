package app

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/metrics"
	"github.com/spotter-video/spotter/internal/service"
)

func listed(t *testing.T, o *Operator, r AuditRequest) (list []string) {
	t.Helper()
	_, err := o.Audit(t.Context(), r, func(e AuditEntry) error {
		list = append(list, strings.Join([]string{e.Operation, e.Name, e.Process, e.Outcome}, " "))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestOperatorReadsWhatIsAudited has operators change things with either kind of log, and read it.
func TestOperatorReadsWhatIsAudited(t *testing.T) {
	t.Parallel()
	for where, log := range map[string]config.AuditLog{"in a file": config.AuditByDatabase, "in the database": config.AuditDatabase} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			w := newWorkplace(t, func(s *config.Server) { s.AuditLog, s.ProcessName = log, "desk" })
			made, err := w.CreateKey(t.Context(), "portal", "")
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.CreateSession(t.Context(), SessionRequest{Key: made.ID, For: LongestSession}) // which changes no row
			if err != nil {
				t.Fatal(err)
			}
			if err = w.CancelJob(t.Context(), w.job(1)); err != nil {
				t.Fatal(err)
			}
			if w.CancelJob(t.Context(), "none") == nil || w.DeleteKey(t.Context(), "AKIANOBODY", true) == nil {
				t.Error("what is not there was changed")
			}
			who := " operator/ann desk OK"
			got := strings.Join(listed(t, w.Operator, AuditRequest{}), ", ")
			if want := "CreateKey" + who + ", CreateSession" + who + ", CancelJob" + who; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if got := listed(t, w.Operator, AuditRequest{Operation: "CreateSession", Since: noon()}); len(got) != 1 {
				t.Errorf("of one operation: %v", got)
			}
			if got := listed(t, w.Operator, AuditRequest{Until: noon()}); len(got) != 0 {
				t.Errorf("of before: %v", got)
			}
			if _, err = os.Stat(filepath.Join(w.folder, auditFile)); (err == nil) != (log == config.AuditByDatabase) {
				t.Errorf("a file: %v", err)
			}
			_, err = w.Audit(t.Context(), AuditRequest{Face: "x"}, func(AuditEntry) error { return nil })
			if usage := (*fault.UsageError)(nil); !errors.As(err, &usage) {
				t.Errorf("no id of a face: %v", err)
			}
		})
	}
}

// TestARequestIsWrittenOnce looks at what becomes of requests that change something, change nothing, and fail after a change.
func TestARequestIsWrittenOnce(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t, func(s *config.Server) { s.AuditLog = config.AuditDatabase })
	s := &server{config: w.config, request: ServeRequest{Now: noon}, store: w.owner, log: quiet()}
	if err := s.openAudit(); err != nil {
		t.Fatal(err)
	}
	s.openSparingLogs()
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	perform := func(operation, code string, changes bool) {
		t.Helper()
		e := awsapi.Entry{Time: noon(), Name: "ann", Operation: operation}
		ctx, tell := s.attend()(t.Context(), e)
		if changes {
			if err := w.owner.CreateCollection(ctx, &service.Collection{ID: service.CollectionID(operation)}); err != nil {
				t.Fatal(err)
			}
		}
		e.Code = code
		tell(e)
	}
	perform("CreateCollection", "OK", true)
	perform("ListCollections", "OK", false)
	perform("StartFaceSearch", "ThrottlingException", false)
	perform("IndexFaces", "InternalServerError", true)
	host := processName(&w.config, "all")
	want := "CreateCollection ann " + host + " OK, ListCollections ann " + host + " OK, StartFaceSearch ann " + host + " ThrottlingException, " +
		"IndexFaces ann " + host + " OK, IndexFaces ann " + host + " InternalServerError"
	if got := strings.Join(listed(t, w.Operator, AuditRequest{}), ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	s.metrics = &metrics.Metrics{}
	if s.events() != service.Events(s.metrics) {
		t.Error("the faces that a request changes are written twice")
	}
}
