package notify

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/spotter-video/spotter/internal/service"
)

const testTopic = "arn:aws:sns:us-east-1:000000000000:AmazonRekognitionJobs"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// outbox is a NoticeStore in memory, with faults.
type outbox struct {
	mu      sync.Mutex
	notices map[service.Serial]service.Notice
	gone    map[service.Serial]int // how often each was removed
	reads   int
	// others are those that another process has claimed since they were read.
	others   map[service.Serial]bool
	released int
	// refuse, if set, is asked before each call.
	refuse func(call string) error
}

func newOutbox(notices ...service.Notice) *outbox {
	o := &outbox{notices: map[service.Serial]service.Notice{}, gone: map[service.Serial]int{}}
	for _, n := range notices {
		o.notices[n.Serial] = n
	}
	return o
}

func (o *outbox) DueNotices(ctx context.Context, now time.Time, limit int) ([]service.Notice, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reads++
	if o.refuse != nil {
		if err := o.refuse("read"); err != nil {
			return nil, err
		}
	}
	var due []service.Notice
	for _, n := range o.notices {
		if !n.Due.After(now) {
			n.Sinks = slices.Clone(n.Sinks)
			due = append(due, n)
		}
	}
	slices.SortFunc(due, func(a, b service.Notice) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Serial, b.Serial))
	})
	return due[:min(limit, len(due))], ctx.Err()
}

func (o *outbox) ClaimNotice(ctx context.Context, n *service.Notice) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, there := o.notices[n.Serial]
	return there && !o.others[n.Serial], ctx.Err()
}

func (o *outbox) ReleaseNotices(context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.released++
	return nil
}

func (o *outbox) NoticeTried(ctx context.Context, n *service.Notice, delivered bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refuse != nil {
		if err := o.refuse("write"); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	old, ok := o.notices[n.Serial]
	if !ok {
		return fmt.Errorf("notice %d is gone already", n.Serial)
	}
	if delivered {
		delete(o.notices, n.Serial)
		o.gone[n.Serial]++
		return nil
	}
	old.Attempts, old.Due, old.Sinks = n.Attempts, n.Due.Truncate(time.Millisecond), slices.Clone(n.Sinks)
	o.notices[n.Serial] = old
	return nil
}

func (o *outbox) add(n service.Notice) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.notices[n.Serial] = n
}

func (o *outbox) get(s service.Serial) (service.Notice, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, ok := o.notices[s]
	return n, ok
}

func (o *outbox) all() []service.Notice {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Collect(maps.Values(o.notices))
}

func (o *outbox) size() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.notices)
}

// fake is a sink that does what the test says.
type fake struct {
	name string
	take func(ctx context.Context, m *message) error

	mu     sync.Mutex
	seen   []string // ids, in the order of coming
	at     []time.Time
	closed int
}

func (f *fake) label() string { return f.name }

func (f *fake) open(environment) (sender, error) { return f, nil }

func (f *fake) send(ctx context.Context, m *message) error {
	f.mu.Lock()
	f.seen = append(f.seen, m.id)
	f.at = append(f.at, time.Now())
	f.mu.Unlock()
	if f.take == nil {
		return nil
	}
	return f.take(ctx, m)
}

func (f *fake) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed++
	return nil
}

func (f *fake) ids() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.seen)
}

func (f *fake) times() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.at)
}

func notice(serial service.Serial, topic string) service.Notice {
	now := time.Now().UTC()
	return service.Notice{
		Serial: serial, ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", serial), Topic: topic,
		Job: service.JobID(fmt.Sprintf("%064x", serial)), Operation: service.FaceSearch, State: service.Succeeded,
		Video: service.Object{Bucket: "films", Key: "a & b.mp4"}, Ended: now, Due: now,
	}
}

// record collects what is logged.
type record struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func (r *record) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// newTest makes a notifier whose chance is none: pauses are half of what they may be at most.
func newTest(t *testing.T, topics map[string]Topic) (*Notifier, *record) {
	t.Helper()
	log := &record{}
	n, err := New(Config{
		Topics: topics, Log: log.logger(), Now: time.Now, Random: func() float64 { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	return n, log
}

func stop(t *testing.T, n *Notifier) {
	t.Helper()
	if err := n.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// eventually waits for something that other goroutines do in real time.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
