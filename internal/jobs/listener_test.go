package jobs

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/riverqueue/river/riverdriver"
)

// asked is a listener that counts how often the database is asked, every 50 ms while somebody listens, and hears of a
// notification at a given time.
type asked struct {
	riverdriver.Listener
	times int
	at    atomic.Pointer[time.Time]
}

func (a *asked) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	for {
		a.times++
		if at := a.at.Load(); at != nil && !time.Now().Before(*at) {
			a.at.Store(nil)
			return &riverdriver.Notification{Topic: "insert"}, nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func TestListenerRestsUntilItIsWoken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		driver := &sqliteDriver{woken: make(chan struct{}, 1)}
		inner := &asked{}
		l := &listener{Listener: inner, woken: driver.woken}
		wait := func(d time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			_, err := l.WaitForNotification(ctx)
			return err
		}
		if err := wait(time.Minute); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a wait in vain ends with %v", err)
		}
		if inner.times > 80 { // 40 in the first two seconds, and one every two after that
			t.Errorf("the database was asked %d times in a minute", inner.times)
		}

		start := time.Now()
		time.AfterFunc(10*time.Second, func() {
			inner.at.Store(new(time.Now().Add(300 * time.Millisecond))) // when the transaction is committed
			driver.wake()
			driver.wake()
		})
		if err := wait(time.Minute); err != nil {
			t.Error(err)
		}
		if late := time.Since(start) - 10300*time.Millisecond; late < 0 || late > 60*time.Millisecond {
			t.Errorf("what was enqueued was heard of %v later", late)
		}

		inner.at.Store(new(time.Now().Add(5500 * time.Millisecond))) // nobody says that
		start = time.Now()
		if err := wait(time.Minute); err != nil || time.Since(start) > 7*time.Second {
			t.Errorf("what nobody told was heard of after %v (%v)", time.Since(start), err)
		}
	})
}
