package jobs

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// sqliteDriver is River's for SQLite, but its listener does not ask the database twenty times a second whether something was
// enqueued: whoever enqueues is in this process and says so.
type sqliteDriver struct {
	*riversqlite.Driver
	woken chan struct{}
}

func newSQLiteDriver(db *sql.DB) *sqliteDriver {
	return &sqliteDriver{riversqlite.New(db), make(chan struct{}, 1)}
}

// GetListener implements riverdriver.Driver.
func (d *sqliteDriver) GetListener(p *riverdriver.GetListenenerParams) riverdriver.Listener {
	return &listener{Listener: d.Driver.GetListener(p), woken: d.woken}
}

// wake says that something is being enqueued; it is to be seen when its transaction is committed.
func (d *sqliteDriver) wake() {
	select {
	case d.woken <- struct{}{}:
	default: // it is awake
	}
}

// listener listens all the time for a while after it was woken, and else looks now and then.
type listener struct {
	riverdriver.Listener
	woken <-chan struct{}
}

const (
	// alert is how long a listener listens after it was woken: longer than transactions take.
	alert = 2 * time.Second
	// glance is how long it listens at other times, which is one look, and rest how long it waits from one look to the next.
	glance, rest = 45 * time.Millisecond, 2 * time.Second
)

// WaitForNotification implements riverdriver.Listener.
func (l *listener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	for listen := alert; ; {
		n, err := l.listen(ctx, listen)
		switch {
		case err == nil:
			return n, nil
		case ctx.Err() != nil:
			return nil, ctx.Err() // also where its own time was up at the same moment, which River would take for a failure
		case !errors.Is(err, context.DeadlineExceeded):
			return nil, err
		}
		timer := time.NewTimer(rest)
		select {
		case <-l.woken:
			listen = alert
		case <-timer.C:
			listen = glance
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

func (l *listener) listen(ctx context.Context, d time.Duration) (*riverdriver.Notification, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return l.Listener.WaitForNotification(ctx)
}
