package service_test

import (
	"context"
	"testing"

	"github.com/spotter-video/spotter/internal/service"
)

// writesOfJobs counts how often a job is tried to be written. Told to, it has somebody else begin a job with the same token
// just before it is asked how many are open.
type writesOfJobs struct {
	service.Store
	n      int
	before func()
}

func (w *writesOfJobs) CreateJob(
	ctx context.Context, j *service.Job, most service.Places, token *service.RequestToken, first service.Task,
) (service.Places, error) {
	w.n++
	return w.Store.CreateJob(ctx, j, most, token, first)
}

func (w *writesOfJobs) OpenJobs(ctx context.Context) ([]service.OpenJobs, error) {
	if before := w.before; before != nil {
		w.before = nil
		before()
	}
	return w.Store.OpenJobs(ctx)
}

func oneJob(s *service.Settings) { s.OpenJobs = 1 }

func TestWhoWaitsForRoomWritesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	writes := &writesOfJobs{Store: b.store}
	b.store = writes
	b.start(oneJob)
	b.collection("people")
	r := b.request(b.objects.put("clip.mp4", clip()))
	b.begin(r)
	for range 3 {
		_, err := b.StartJob(t.Context(), r)
		wantKind(t, "second open job", err, service.TooManyJobs)
		if want := "2  open Jobs for User arn:owner. Maximum limit: 1"; err == nil || err.Error() != want {
			t.Errorf("says %v, want %s", err, want)
		}
	}
	if writes.n != 1 {
		t.Errorf("%d attempts to write, want 1", writes.n)
	}
	b.work()
	b.begin(r)
}

func TestRepetitionThatTookTheLastPlaceIsAnswered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	writes := &writesOfJobs{Store: b.store}
	b.store = writes
	b.start(oneJob)
	b.collection("people")
	r := b.request(b.objects.put("clip.mp4", clip()))
	r.Token = "again"
	var first service.JobID
	writes.before = func() { first = b.begin(r) }
	second := b.begin(r)
	if first == "" || second != first {
		t.Errorf("the repetition began job %s, want %s", second, first)
	}
}
