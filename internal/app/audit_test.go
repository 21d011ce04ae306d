package app

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/metrics"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/sqlite"
)

// TestARequestIsWrittenOnce looks at what becomes of requests that change something, change nothing, and fail after a change.
func TestARequestIsWrittenOnce(t *testing.T) {
	t.Parallel()
	noon := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	store := sqlite.New(db, func(context.Context, *sql.Tx, []service.Task) error { return nil })
	settings := config.DefaultServer()
	settings.AuditLog = config.AuditDatabase
	s := &server{config: settings, request: ServeRequest{Now: noon}, store: store, log: slog.New(slog.DiscardHandler)}
	if err = s.openAudit(); err != nil {
		t.Fatal(err)
	}
	s.openSparingLogs()
	t.Cleanup(func() {
		if failed := errors.Join(s.close(), store.Close()); failed != nil {
			t.Error(failed)
		}
	})
	perform := func(operation, code string, changes bool) {
		t.Helper()
		e := awsapi.Entry{Time: noon(), Name: "ann", Operation: operation}
		ctx, tell := s.attend()(t.Context(), e)
		if changes {
			if failed := store.CreateCollection(ctx, &service.Collection{ID: service.CollectionID(operation)}); failed != nil {
				t.Fatal(failed)
			}
		}
		e.Code = code
		tell(e)
	}
	perform("CreateCollection", "OK", true)
	perform("ListCollections", "OK", false)
	perform("StartFaceSearch", "ThrottlingException", false)
	perform("IndexFaces", "InternalServerError", true)
	host := processName(&settings, "all")
	want := "CreateCollection ann " + host + " OK, ListCollections ann " + host + " OK, StartFaceSearch ann " + host + " ThrottlingException, " +
		"IndexFaces ann " + host + " OK, IndexFaces ann " + host + " InternalServerError"
	entries, err := store.Audit(t.Context(), service.AuditQuery{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for i := range entries {
		e := &entries[i]
		list = append(list, strings.Join([]string{e.Operation, e.Name, e.Process, e.Outcome}, " "))
	}
	if got := strings.Join(list, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	s.metrics = &metrics.Metrics{}
	if s.events() != service.Events(s.metrics) {
		t.Error("the faces that a request changes are written twice")
	}
}
