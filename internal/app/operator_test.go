package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/audit"
	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/keys"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/sqlite"
)

const topic = "arn:aws:sns:us-east-1:000000000000:done"

// workplace is a data folder as a running server has it, and an operator beside it.
type workplace struct {
	*Operator
	t      *testing.T
	folder string
	owner  service.Store
	admin  string
}

func newWorkplace(t *testing.T, change ...func(*config.Server)) *workplace {
	t.Helper()
	s := config.DefaultServer()
	s.Data = config.Path(t.TempDir())
	for _, c := range change {
		c(&s)
	}
	db, err := sqlite.Open(t.Context(), dataFile(&s, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	w := &workplace{t: t, folder: string(s.Data)}
	w.owner = sqlite.New(db, func(context.Context, *sql.Tx, []service.Task) error { return nil })
	ring, err := keys.Open(t.Context(), w.owner, keyPlace(&s), noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = ring.First(t.Context(), dataFile(&s, keys.CredentialsName), awsapi.Administrator()); err != nil {
		t.Fatal(err)
	}
	if w.Operator, err = OpenOperator(t.Context(), config.Default(), s, OperatorRequest{User: "ann", Now: noon}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if closing := errors.Join(w.Close(), db.Close()); closing != nil {
			t.Error(closing)
		}
	})
	list, err := w.Keys(t.Context())
	if err != nil || len(list) != 1 || !list[0].Administrator {
		t.Fatalf("%+v, %v", list, err)
	}
	w.admin = list[0].ID
	return w
}

// job puts a job that is in progress into the database.
func (w *workplace) job(n int) string {
	w.t.Helper()
	j := &service.Job{
		ID: service.JobID(fmt.Sprintf("%064x", n)), Operation: service.FaceSearch, State: service.InProgress, Threshold: 80.1,
		Video: service.Object{Bucket: "b", Key: "k"}, Topic: topic, Created: noon(),
	}
	if _, err := w.owner.CreateJob(w.t.Context(), j, 1000, nil, service.Task{Kind: service.PlanTask, Job: j.ID}); err != nil {
		w.t.Fatal(err)
	}
	return string(j.ID)
}

func wantUsage(t *testing.T, what string, err error) {
	t.Helper()
	if usage := (*fault.UsageError)(nil); !errors.As(err, &usage) {
		t.Errorf("%s: %v, want a fault.UsageError", what, err)
	}
}

func TestOperatorMakesKeysThatOpen(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	made, err := w.CreateKey(t.Context(), "portal", "")
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(t.Context(), w.owner, keyPlace(&w.config), noon)
	if err != nil {
		t.Fatal(err)
	}
	server := doorKeys{ring}
	got, err := server.Key(t.Context(), made.ID)
	want := awsapi.Credential{Secret: made.Secret, Name: "portal", Policy: awsapi.Administrator()}
	if err != nil || got != want {
		t.Errorf("the server sees %+v, %v; want %+v", got, err, want)
	}
	if err := w.DisableKey(t.Context(), made.ID, false); err != nil {
		t.Fatal(err)
	}
	if got, err := server.Key(t.Context(), made.ID); err != nil || !got.Disabled {
		t.Errorf("the server sees %+v, %v after it was disabled", got, err)
	}
	if log := operations(t, filepath.Join(w.folder, auditFile)); log != "CreateKey DisableKey" {
		t.Errorf("the audit log has %s", log)
	}
}

func TestOperatorSparesTheLastAdministrator(t *testing.T) {
	t.Parallel()
	const less = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"rekognition:*","Resource":"*"}}`
	for name, c := range map[string]struct {
		// other is the policy of a second key, which is disabled if so said; empty for none.
		other    string
		disabled bool
		spared   bool
	}{
		"alone":                           {"", false, true},
		"with a lesser one":               {less, false, true},
		"with another administrator":      {awsapi.Administrator(), false, false},
		"with one that has been disabled": {awsapi.Administrator(), true, true},
	} {
		for change, do := range map[string]func(w *workplace, force bool) error{
			"disabled": func(w *workplace, force bool) error { return w.DisableKey(t.Context(), w.admin, force) },
			"deleted":  func(w *workplace, force bool) error { return w.DeleteKey(t.Context(), w.admin, force) },
			"cut":      func(w *workplace, force bool) error { return w.SetKeyPolicy(t.Context(), w.admin, less, force) },
		} {
			t.Run(name+", "+change, func(t *testing.T) {
				t.Parallel()
				w := newWorkplace(t)
				if c.other != "" {
					other, err := w.CreateKey(t.Context(), "other", c.other)
					if err == nil && c.disabled {
						err = w.DisableKey(t.Context(), other.ID, false)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				err := do(w, false)
				if spared := err != nil; spared != c.spared {
					t.Fatalf("ended with %v", err)
				}
				if c.spared {
					wantUsage(t, "spared", err)
					if err := do(w, true); err != nil {
						t.Errorf("with force: %v", err)
					}
				}
			})
		}
	}
}

func TestOperatorDoesNothingThatCannotBeWrittenDown(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	if err := os.Mkdir(filepath.Join(w.folder, auditFile), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := w.DisableKey(t.Context(), w.admin, true); err == nil || !strings.Contains(err.Error(), "audit log") {
		t.Errorf("disabled: %v", err)
	}
	if k, err := w.Key(t.Context(), w.admin); err != nil || k.Disabled {
		t.Errorf("%+v, %v", k, err)
	}
}

func TestOperatorRefuses(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	ctx := t.Context()
	_, err := w.CreateKey(ctx, "", "")
	wantUsage(t, "no name", err)
	_, err = w.CreateKey(ctx, "a/b", "")
	wantUsage(t, "a name that means something in an ARN", err)
	_, err = w.CreateKey(ctx, "a", "{}")
	wantUsage(t, "a policy that says nothing", err)
	wantUsage(t, "no policy", w.SetKeyPolicy(ctx, w.admin, "", true))
	_, err = w.Key(ctx, "AKIA")
	wantUsage(t, "no such key", err)
	wantUsage(t, "no such key to delete", w.DeleteKey(ctx, "AKIA", true))
	wantUsage(t, "no such key to enable", w.EnableKey(ctx, "AKIA"))
	_, err = w.Job(ctx, "x")
	wantUsage(t, "no such job", err)
	wantUsage(t, "no such job to cancel", w.CancelJob(ctx, "x"))
	_, _, err = w.Jobs(ctx, "done", 0)
	wantUsage(t, "no such state", err)
	s := config.DefaultServer()
	s.Data = config.Path(t.TempDir())
	_, err = OpenOperator(ctx, config.Default(), s, OperatorRequest{Now: noon})
	wantUsage(t, "no database", err)
	_, err = Backup(ctx, s, filepath.Join(w.folder, "copy"))
	wantUsage(t, "no database to back up", err)
	if _, err := os.Stat(filepath.Join(w.folder, auditFile)); err == nil {
		if log := operations(t, filepath.Join(w.folder, auditFile)); log != "" {
			t.Errorf("the audit log has %s", log)
		}
	}
}

func TestOperatorListsJobs(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	const all = 250 // more than two pages
	for n := range all {
		w.job(n)
	}
	if err := w.CancelJob(t.Context(), fmt.Sprintf("%064x", 7)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		state string
		limit int
		want  int
		more  bool
	}{
		{"", 0, all, false},
		{"", all, all, false},
		{"", 1, 1, true},
		{"", 120, 120, true},
		{"failed", 0, 1, false},
		{"in-progress", 0, all - 1, false},
		{"succeeded", 5, 0, false},
	} {
		list, more, err := w.Jobs(t.Context(), c.state, c.limit)
		if err != nil || list == nil || len(list) != c.want || more != c.more {
			t.Errorf("%q, at most %d: %d jobs, more %v, %v; want %d, %v", c.state, c.limit, len(list), more, err, c.want, c.more)
		}
		for i := range list {
			if i > 0 && list[i].ID >= list[i-1].ID {
				t.Fatalf("%q: job %s comes after %s", c.state, list[i].ID, list[i-1].ID)
			}
		}
	}
}

// TestOperatorCancels has the notice written that the server sends, where the server knows somebody to send it to.
func TestOperatorCancels(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*config.Server)
		want   int
	}{
		"without the server's configuration": {func(*config.Server) {}, 1},
		"a topic that is configured": {func(s *config.Server) {
			s.UnknownTopics, s.Topics = config.LogTopics, map[string][]config.Sink{topic: nil}
		}, 1},
		"a topic of which nothing is known": {func(s *config.Server) { s.UnknownTopics = config.LogTopics }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkplace(t, c.change)
			id := w.job(1)
			if err := w.CancelJob(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			j, err := w.Job(t.Context(), id)
			if err != nil || j.State != "failed" || j.Message != "The job was cancelled." || !j.Finished.Equal(noon()) {
				t.Errorf("%+v, %v", j, err)
			}
			notices, err := w.owner.DueNotices(t.Context(), noon(), 10)
			if err != nil || len(notices) != c.want {
				t.Errorf("%d notices, %v; want %d", len(notices), err, c.want)
			}
			wantUsage(t, "cancelled twice", w.CancelJob(t.Context(), id))
			if err := w.DeleteJob(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if _, err := w.owner.Job(t.Context(), service.JobID(id)); service.KindOf(err) != service.NotFound {
				t.Errorf("it is there: %v", err)
			}
		})
	}
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

// A key file of another database stops what would work with it; one that does not open a single key costs that key.
func TestAKeyFileMustOpenTheKeys(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	path := filepath.Join(t.TempDir(), keys.FileName)
	if err := os.WriteFile(path, bytes.Repeat([]byte{7}, keys.Size), 0o600); err != nil {
		t.Fatal(err)
	}
	other, err := keys.OpenFile(path, false, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	strange := &service.AccessKey{ID: "AKIASTRANGE", Sealed: other.Seal("AKIASTRANGE", "x"), Name: "s", Policy: awsapi.Administrator(), Created: noon()}
	if err = w.owner.CreateKey(t.Context(), strange); err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(t.Context(), w.owner, keyPlace(&w.config), noon)
	if err != nil || !slices.Equal(ring.Lost(), []string{strange.ID}) {
		t.Errorf("one key is of another file: %v", err)
	}
	file := filepath.Join(w.folder, keys.FileName)
	if err = os.WriteFile(file, bytes.Repeat([]byte{8}, keys.Size), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = keys.Open(t.Context(), w.owner, keyPlace(&w.config), noon)
	if wrong := (*fault.EnvironmentError)(nil); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "opens none of the 2 access keys") {
		t.Errorf("all keys are of another file: %v", err)
	}
	if _, err := w.CreateKey(t.Context(), "portal", ""); err == nil {
		t.Error("a key was made with another key file")
	}
}
