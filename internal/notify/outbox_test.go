package notify

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/sqlite"
)

// killed is an outbox of a process that does not live to write into it.
type killed struct{ service.NoticeStore }

func (killed) NoticeTried(context.Context, *service.Notice, bool) error { return errors.New("killed") }

func TestDeliveryFromADatabaseThatIsOpenedAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spotter.db")
	r := newReceiver(t)
	newNotifier := func() *Notifier {
		n, err := New(Config{
			Now: time.Now, Topics: map[string]Topic{testTopic: {Webhook{URL: r.URL, Secrets: []Secret{newSecret}}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}

	box := openStore(t, path)
	endJob(t, box)
	first := newNotifier()
	first.Start(t.Context(), killed{box})
	eventually(t, "the first delivery", func() bool { return r.count() == 1 })
	stop(t, first)
	if err := box.Close(); err != nil {
		t.Fatal(err)
	}

	box = openStore(t, path)
	second := newNotifier()
	second.Start(t.Context(), box)
	eventually(t, "the second delivery", func() bool { return second.Stats().Delivered == 1 })
	stop(t, second)
	left, err := box.DueNotices(t.Context(), time.Now().Add(24*time.Hour), 10)
	if err != nil || len(left) != 0 {
		t.Errorf("%d notices are left, %v; want none", len(left), err)
	}
	if err = box.Close(); err != nil {
		t.Error(err)
	}
	if r.count() != 2 || r.requests[0].Header.Get("webhook-id") != r.requests[1].Header.Get("webhook-id") {
		t.Errorf("it came %d times, want twice with one id", r.count())
	}
	if r.bodies[0] != r.bodies[1] {
		t.Errorf("the bodies differ:\n%s\n%s", r.bodies[0], r.bodies[1])
	}
}

func openStore(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return sqlite.New(db, func(context.Context, *sql.Tx, []service.Task) error { return nil })
}

// endJob leaves a notice in the store.
func endJob(t *testing.T, s *sqlite.Store) {
	t.Helper()
	n := notice(1, testTopic)
	job := &service.Job{
		ID: service.JobID(strings.Repeat("0", 63) + "1"), Operation: n.Operation, State: service.InProgress,
		Video: n.Video, Topic: n.Topic, Created: n.Ended,
	}
	if _, err := s.CreateJob(t.Context(), job, service.Places{OfKey: 10, All: 10}, nil, service.Task{Kind: service.PlanTask, Job: job.ID}); err != nil {
		t.Fatal(err)
	}
	job.State, job.Message, job.Finished, job.Expires = service.Failed, "no", n.Ended, n.Ended.Add(time.Hour)
	n.State = service.Failed
	if ended, err := s.EndJob(t.Context(), job, &n, 0); err != nil || !ended {
		t.Fatalf("end the job: %v, %v", ended, err)
	}
}
