package operator

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
	"time"

	"github.com/spotter-video/spotter/internal/audit"
	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/keys"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/sqlite"
)

const topic = "arn:aws:sns:us-east-1:000000000000:done"

func noon() time.Time { return time.Date(2026, 11, 23, 13, 0, 0, 5e6, time.FixedZone("CET", 3600)) }

// workplace is a data folder as a running server has it, and an operator beside it.
type workplace struct {
	*Operator
	t     *testing.T
	owner service.Store
	admin string
}

func newWorkplace(t *testing.T, change ...func(*Config)) *workplace {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "spotter.db")
	db, err := sqlite.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	w := &workplace{t: t, owner: sqlite.New(db, func(context.Context, *sql.Tx, []service.Task) error { return nil })}
	place := keys.Place{File: filepath.Join(folder, keys.FileName)}
	ring, err := keys.Open(t.Context(), w.owner, place, noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = ring.First(t.Context(), filepath.Join(folder, keys.CredentialsName), awsapi.Administrator()); err != nil {
		t.Fatal(err)
	}
	beside, err := sqlite.OpenBeside(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{
		Store: sqlite.New(beside, func(context.Context, *sql.Tx, []service.Task) error { return errors.New("not here") }),
		Keys:  place, Audit: filepath.Join(folder, "audit.log"), Settings: service.DefaultSettings(),
		Knows: func(string) bool { return true }, Roles: []string{"auditor"}, User: "ann", Now: noon, Close: beside.Close,
	}
	for _, f := range change {
		f(&c)
	}
	if w.Operator, err = New(c); err != nil {
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
	if _, err := w.owner.CreateJob(w.t.Context(), j, service.Places{OfKey: 1000, All: 1000}, nil, service.Task{Kind: service.PlanTask, Job: j.ID}); err != nil {
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
	made, err := w.CreateKey(t.Context(), "portal", "", false)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(t.Context(), w.owner, w.config.Keys, noon)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ring.Key(t.Context(), made.ID)
	want := keys.Key{Secret: made.Secret, Name: "portal", Policy: awsapi.Administrator()}
	if err != nil || got != want {
		t.Errorf("the server sees %+v, %v; want %+v", got, err, want)
	}
	if err := w.DisableKey(t.Context(), made.ID, false); err != nil {
		t.Fatal(err)
	}
	if got, err := ring.Key(t.Context(), made.ID); err != nil || !got.Disabled {
		t.Errorf("the server sees %+v, %v after it was disabled", got, err)
	}
	if log := operations(t, w.config.Audit); log != "CreateKey DisableKey" {
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
					other, err := w.CreateKey(t.Context(), "other", c.other, false)
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
	if err := os.Mkdir(w.config.Audit, 0o700); err != nil {
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
	_, err := w.CreateKey(ctx, "", "", false)
	wantUsage(t, "no name", err)
	_, err = w.CreateKey(ctx, "a/b", "", false)
	wantUsage(t, "a name that means something in an ARN", err)
	_, err = w.CreateKey(ctx, "a", "{}", false)
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
	if _, err := os.Stat(w.config.Audit); err == nil {
		if log := operations(t, w.config.Audit); log != "" {
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
		known bool
		want  int
	}{
		"a topic that is known":             {true, 1},
		"a topic of which nothing is known": {false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkplace(t, func(o *Config) { o.Knows = func(name string) bool { return name == topic && c.known } })
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
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
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
	ring, err := keys.Open(t.Context(), w.owner, w.config.Keys, noon)
	if err != nil || !slices.Equal(ring.Lost(), []string{strange.ID}) {
		t.Errorf("one key is of another file: %v", err)
	}
	if err = os.WriteFile(w.config.Keys.File, bytes.Repeat([]byte{8}, keys.Size), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = keys.Open(t.Context(), w.owner, w.config.Keys, noon)
	if wrong := (*fault.EnvironmentError)(nil); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "opens none of the 2 access keys") {
		t.Errorf("all keys are of another file: %v", err)
	}
	if _, err := w.CreateKey(t.Context(), "portal", "", false); err == nil {
		t.Error("a key was made with another key file")
	}
}

func TestOperatorMakesSessions(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	ctx := t.Context()
	made, err := w.CreateSession(ctx, SessionRequest{Key: w.admin, Role: "auditor", For: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if made.Role != "auditor" || made.SessionToken == "" || made.SecretAccessKey == "" || !made.Expiration.Equal(noon().Add(time.Hour).Truncate(time.Second)) {
		t.Errorf("%+v", made)
	}
	if log := operations(t, w.config.Audit); log != "CreateSession" {
		t.Errorf("the audit log has %s", log)
	}
	disabled, err := w.CreateKey(ctx, "portal", "", false)
	if err == nil {
		err = w.DisableKey(ctx, disabled.ID, false)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]SessionRequest{
		"too short":             {Key: w.admin, For: ShortestSession - 1},
		"too long":              {Key: w.admin, For: LongestSession + 1},
		"no such role":          {Key: w.admin, For: time.Hour, Role: "other"},
		"no such key":           {Key: "AKIA", For: time.Hour},
		"a disabled key":        {Key: disabled.ID, For: time.Hour},
		"a policy of no policy": {Key: w.admin, For: time.Hour, Policy: "{}"},
	} {
		_, err := w.CreateSession(ctx, r)
		wantUsage(t, name, err)
	}
}
