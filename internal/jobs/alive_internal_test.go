package jobs

import (
	"context"
	"database/sql"
	"log/slog"
	"testing"
	"time"

	"github.com/riverqueue/river/riverdriver"

	"github.com/spotter-video/spotter/internal/testkit/pgserver"
)

// TestABeatDoesNotHideAStandstill has the first beat after a standstill arrive before anybody has looked how long that was: others have taken the
// tasks by then.
func TestABeatDoesNotHideAStandstill(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("pgx", pgserver.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err = makeWorkers(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	a := &alive{id: "me", beat: time.Minute, db: db, log: slog.New(slog.DiscardHandler), lost: make(chan struct{}), heard: now()}
	runs, end := a.while(t.Context())
	defer end()
	if err = a.say(t.Context()); err != nil || runs.Err() != nil {
		t.Fatalf("a beat in time ends tasks: %v, %v", err, runs.Err())
	}
	a.heard = now().Add(-lostAfter*a.beat - time.Second)
	if err = a.say(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-a.lost:
	default:
		t.Fatal("nobody is told")
	}
	<-runs.Done()
	if context.Cause(runs) != errLost { //nolint:errorlint // it is this very one
		t.Errorf("the task ends because of %v", context.Cause(runs))
	}
	a.look(t.Context(), now())
	again, end := a.while(t.Context())
	defer end()
	if again.Err() != nil {
		t.Error("a process that lives again runs nothing")
	}
}

// endless is a listener that hears nothing, and whose own time is always up.
type endless struct {
	riverdriver.Listener
	stop func()
}

func (e endless) WaitForNotification(context.Context) (*riverdriver.Notification, error) {
	e.stop()
	return nil, context.DeadlineExceeded
}

// TestAListenerThatIsStoppedIsNotLate stops a listener at the moment at which its own time is up.
func TestAListenerThatIsStoppedIsNotLate(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	l := &listener{Listener: endless{stop: stop}}
	if _, err := l.WaitForNotification(ctx); err != context.Canceled { //nolint:errorlint // River compares
		t.Errorf("it says %v", err)
	}
}
