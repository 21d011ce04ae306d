package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/audit"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

func noon() time.Time { return time.Date(2026, 11, 23, 13, 0, 0, 5e6, time.FixedZone("CET", 3600)) }

func newAudit(t *testing.T) (*audit.Log, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.log")
	a, err := audit.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a, path
}

func TestAuditEntry(t *testing.T) {
	t.Parallel()
	a, path := newAudit(t)
	err := a.Write(audit.Entry{
		Time: noon(), Request: "r", Key: "AKIA1", Name: "anna", Address: "10.0.0.1", Operation: "IndexFaces",
		Resources: []string{"collection/staff", "s3://b/a\nb.jpg"}, Outcome: "OK", Enrolled: []string{"id"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"time":"2026-11-23T12:00:00.005Z","request_id":"r","access_key_id":"AKIA1","name":"anna","address":"10.0.0.1",` +
		`"operation":"IndexFaces","resources":["collection/staff","s3://b/a\nb.jpg"],"outcome":"OK","faces_enrolled":["id"]}` + "\n"
	if got := content(t, path); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestAuditLogIsRotated(t *testing.T) {
	t.Parallel()
	a, path := newAudit(t)
	write := func(operation string) {
		t.Helper()
		if err := a.Write(audit.Entry{Operation: operation}); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write("two")
	write("three")
	if old := operations(t, path+".1"); old != "one" {
		t.Errorf("the old file has %s", old)
	}
	if now := operations(t, path); now != "two three" {
		t.Errorf("the new file has %s", now)
	}
	// With a new file there already, as logrotate makes it.
	if err := errors.Join(os.Rename(path, path+".2"), os.WriteFile(path, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	write("four")
	if now := operations(t, path); now != "four" {
		t.Errorf("the file that was put there has %s", now)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write("five")
	if now := operations(t, path); now != "five" {
		t.Errorf("the file after the one that was removed has %s", now)
	}
}

func TestAuditLogGoesOnWhereItCannotBeReopened(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	path := filepath.Join(folder, "audit.log")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	a, err := audit.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close() //nolint:errcheck // the test ends
	if err := os.Rename(folder, folder+"2"); err != nil {
		t.Fatal(err)
	}
	if err := a.Write(audit.Entry{Operation: "one"}); err == nil {
		t.Error("nobody is told that the folder is gone")
	}
	if got := operations(t, filepath.Join(folder+"2", "audit.log")); got != "one" {
		t.Errorf("written %q", got)
	}
}

func TestTornLineSpoilsNoOther(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(path, []byte("{\"operation\":\"one\"}\n{\"operat"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := audit.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, operation := range []string{"two", "three"} {
		if err := a.Write(audit.Entry{Operation: operation}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(a.Close(), a.Close()); err != nil {
		t.Error(err)
	}
	lines := strings.Split(content(t, path), "\n")
	if len(lines) != 5 || lines[1] != `{"operat` || !strings.Contains(lines[2], `"two"`) || !strings.Contains(lines[3], `"three"`) {
		t.Errorf("%q", lines)
	}
	if err := a.Write(audit.Entry{}); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("written after the end: %v", err)
	}
}

func TestAuditLogOfMany(t *testing.T) {
	t.Parallel()
	a, path := newAudit(t)
	const writers, each = 8, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if err := a.Write(audit.Entry{Operation: fmt.Sprint(w, " ", i), Deleted: make([]string, 100)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	const moves = 5
	for i := range moves { // as logrotate does
		if err := os.Rename(path, fmt.Sprint(path, i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	}
	wg.Wait()
	var all strings.Builder
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		all.WriteString(operations(t, file) + " ")
	}
	if n := len(strings.Fields(all.String())); n != 2*writers*each {
		t.Errorf("%d words in the log, want 2 for each of %d entries", n, writers*each)
	}
}

// counted counts changes of faces.
type counted struct {
	service.Events
	enrolled, deleted int
}

func (c *counted) FacesEnrolled(_ context.Context, _ service.CollectionID, ids []face.ID) {
	c.enrolled += len(ids)
}

func (c *counted) FacesDeleted(_ context.Context, _ service.CollectionID, ids []face.ID) {
	c.deleted += len(ids)
}

func TestChangesOfFacesAreAudited(t *testing.T) {
	t.Parallel()
	a, path := newAudit(t)
	m := &counted{}
	var log bytes.Buffer
	e := audit.Events{Events: m, Audit: a, Now: noon, Errors: slog.New(slog.NewTextHandler(&log, nil))}
	one, two := face.ID{1}, face.ID{2}
	ctx := service.WithOrigin(t.Context(), service.Origin{
		Request: "r", Caller: service.Caller{Key: "AKIA1", Name: "anna"}, Address: "10.0.0.1",
	})
	e.FacesEnrolled(ctx, "staff", []face.ID{one, two})
	e.FacesDeleted(t.Context(), "staff", []face.ID{two})
	want := fmt.Sprintf(`{"time":"2026-11-23T12:00:00.005Z","request_id":"r","access_key_id":"AKIA1","name":"anna",`+
		`"address":"10.0.0.1","operation":"FacesEnrolled","resources":["collection/staff"],`+
		`"outcome":"OK","faces_enrolled":["%s","%s"]}`+"\n"+
		`{"time":"2026-11-23T12:00:00.005Z","operation":"FacesDeleted","resources":["collection/staff"],"outcome":"OK",`+
		`"faces_deleted":["%s"]}`+"\n", one, two, two)
	if got := content(t, path); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if m.enrolled != 2 || m.deleted != 1 {
		t.Errorf("%d faces enrolled and %d deleted were handed on", m.enrolled, m.deleted)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	e.FacesDeleted(t.Context(), "staff", []face.ID{one})
	if !strings.Contains(log.String(), "audit log fails") {
		t.Errorf("nobody is told of a lost entry: %s", log.String())
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// operations are those of a log, each line of which must be a document.
func operations(t *testing.T, path string) string {
	t.Helper()
	var all []string
	for line := range strings.Lines(content(t, path)) {
		var e audit.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, e.Operation)
	}
	return strings.Join(all, " ")
}
