package storetest

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/service"
)

func noticeID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

func newNotice(n int) *service.Notice {
	return &service.Notice{
		ID: noticeID(n), Topic: "arn:topic", Job: jobID(n), Operation: service.FaceSearch, State: service.Failed, Tag: "ü",
		Video: service.Object{Bucket: "videos", Key: "a.mp4", Version: "v"}, Message: "fine", Ended: day(), Due: day(),
	}
}

// wantDue checks which notices are due, in order.
func wantDue(t *testing.T, s service.Store, now time.Time, limit int, want ...int) {
	t.Helper()
	list, err := s.DueNotices(t.Context(), now, limit)
	ok(t, err)
	got, wanted := make([]string, 0, len(list)), make([]string, 0, len(want))
	for _, n := range list {
		got = append(got, n.ID)
	}
	for _, n := range want {
		wanted = append(wanted, noticeID(n))
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Fatalf("due (-want +got):\n%s", diff)
	}
}

func testNotices(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	for i, due := range []time.Duration{3 * time.Minute, time.Minute, 2 * time.Minute, time.Minute} {
		createJob(t, s, i)
		n := newNotice(i)
		n.Due = day().Add(due)
		_, err := s.EndJob(ctx, ended(i), n, 0)
		ok(t, err)
	}
	wantDue(t, s, day(), 10)
	wantDue(t, s, day().Add(time.Minute), 10, 1, 3)
	wantDue(t, s, day().Add(time.Hour), 10, 1, 3, 2, 0)
	wantDue(t, s, day().Add(time.Hour), 3, 1, 3, 2)

	tried := newNotice(1)
	tried.Attempts, tried.Due, tried.Sinks = 3, day().Add(2*time.Hour), []string{"web hook", "sns"}
	ok(t, s.NoticeTried(ctx, tried, false))
	wantDue(t, s, day().Add(time.Hour), 10, 3, 2, 0)
	for _, i := range []int{3, 2, 0} {
		ok(t, s.NoticeTried(ctx, newNotice(i), true))
	}
	list, err := s.DueNotices(ctx, tried.Due, 10)
	ok(t, err)
	if len(list) != 1 || list[0].Serial < 1 {
		t.Fatalf("due are %v", list)
	}
	list[0].Serial = 0
	if diff := cmp.Diff(*tried, list[0]); diff != "" {
		t.Fatalf("notice (-kept +read):\n%s", diff)
	}
	// Somebody else has delivered it meanwhile.
	ok(t, s.NoticeTried(ctx, newNotice(2), true))
	ok(t, s.NoticeTried(ctx, newNotice(3), false))
	wantDue(t, s, day().Add(time.Hour), 10)
}

func testClaimedNotices(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	createJob(t, s, 1)
	_, err := s.EndJob(ctx, ended(1), newNotice(1), 0)
	ok(t, err)
	claim := func(n *service.Notice, want bool) {
		t.Helper()
		if got, err := s.ClaimNotice(ctx, n); err != nil || got != want {
			t.Fatalf("claimed: %v, %v", got, err)
		}
	}
	claim(newNotice(1), true)
	claim(newNotice(1), true) // by the same process
	claim(newNotice(2), false)
	wantDue(t, s, day(), 10, 1)
	// One that was tried since it was read is another one.
	tried := newNotice(1)
	tried.Attempts, tried.Due = 1, day().Add(time.Hour)
	ok(t, s.NoticeTried(ctx, tried, false))
	claim(newNotice(1), false)
	claim(tried, true)
	ok(t, s.ReleaseNotices(ctx))
	claim(tried, true)
}

func testKeys(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	_, err := s.Key(ctx, "AKIA1")
	wantKind(t, err, service.NotFound)
	wantKind(t, s.SetKey(ctx, &service.AccessKey{ID: "AKIA1"}), service.NotFound)
	wantKind(t, s.DeleteKey(ctx, "AKIA1"), service.NotFound)

	key := &service.AccessKey{ID: "AKIA1", Sealed: []byte{0, 255}, Name: "Ann", Policy: `{"a":1}`, Created: day()}
	ok(t, s.CreateKey(ctx, key))
	wantKind(t, s.CreateKey(ctx, key), service.Exists)
	got, err := s.Key(ctx, "AKIA1")
	ok(t, err)
	if diff := cmp.Diff(key, got); diff != "" {
		t.Fatalf("key (-made +read):\n%s", diff)
	}
	older := &service.AccessKey{ID: "AKIA2", Sealed: []byte{1}, Disabled: true, Created: day().Add(-time.Hour)}
	same := &service.AccessKey{ID: "AKIA0", Sealed: []byte{2}, Created: day()}
	ok(t, s.CreateKey(ctx, older))
	ok(t, s.CreateKey(ctx, same))
	change := &service.AccessKey{ID: "AKIA1", Sealed: []byte("ignored"), Name: "Bob", Policy: "{}", Disabled: true}
	ok(t, s.SetKey(ctx, change))
	key.Name, key.Policy, key.Disabled = "Bob", "{}", true
	list, err := s.Keys(ctx)
	ok(t, err)
	if diff := cmp.Diff([]service.AccessKey{*older, *key, *same}, list); diff != "" {
		t.Fatalf("keys (-want +got):\n%s", diff)
	}
	ok(t, s.DeleteKey(ctx, "AKIA1"))
	_, err = s.Key(ctx, "AKIA1")
	wantKind(t, err, service.NotFound)
}

// testSealer wants all keys to be sealed with one thing, and another one only where there are none.
func testSealer(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	sealer := func(want string) {
		t.Helper()
		got, err := s.Sealer(ctx)
		ok(t, err)
		if string(got) != want {
			t.Fatalf("the sealer is %q, want %q", got, want)
		}
	}
	key := func(id, sealer string) *service.AccessKey {
		return &service.AccessKey{ID: id, Sealed: []byte{1}, Sealer: []byte(sealer), Created: day()}
	}
	sealer("")
	ok(t, s.CreateKey(ctx, key("AKIA1", "one")))
	sealer("one")
	ok(t, s.CreateKey(ctx, key("AKIA2", "one")))
	wantKind(t, s.CreateKey(ctx, key("AKIA3", "two")), service.Conflict)
	if _, err := s.Key(ctx, "AKIA3"); service.KindOf(err) != service.NotFound {
		t.Fatalf("a key that was refused: %v", err)
	}
	ok(t, s.DeleteKey(ctx, "AKIA1"))
	ok(t, s.DeleteKey(ctx, "AKIA2"))
	sealer("")
	ok(t, s.CreateKey(ctx, key("AKIA3", "two")))
	sealer("two")

	// Of many who make the first key at the same time all that succeed have sealed with the same.
	s = u.open(t, nil)
	var wg sync.WaitGroup
	var made [8]bool
	for i := range made {
		wg.Go(func() {
			err := s.CreateKey(ctx, key(fmt.Sprintf("AKIA%d", i), strconv.Itoa(i%4)))
			if made[i] = err == nil; err != nil && service.KindOf(err) != service.Conflict {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, err := s.Sealer(ctx)
	ok(t, err)
	for i, is := range made {
		if is != (strconv.Itoa(i%4) == string(got)) {
			t.Errorf("the sealer is %q, and key %d was made: %v", got, i, is)
		}
	}
}
