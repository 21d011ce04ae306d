package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/testkit/patience"
)

// looksAt is a store that tells of how many jobs is asked at a time whether they have ended.
type looksAt struct {
	service.Store
	jobs chan int
}

func (l looksAt) Ended(ctx context.Context, ids []service.JobID) ([]service.JobID, error) {
	select {
	case l.jobs <- len(ids):
	case <-ctx.Done():
	}
	return l.Store.Ended(ctx, ids)
}

// TestRunningJobsAreLookedAtTogether runs a task of each of some jobs, and ends one job as another process does.
func TestRunningJobsAreLookedAtTogether(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.videos.block, b.videos.waits = make(chan struct{}), make(chan struct{})
	world, jobs := b.ports(), make(chan int)
	world.Store = looksAt{b.store, jobs}
	b.startOn(world, service.DefaultSettings())
	video := b.objects.put("clip.mp4", clip())
	const n = 3
	ended := map[service.JobID]chan error{}
	var last service.JobID
	for range n {
		last = b.begin(service.StartRequest{Operation: service.FaceDetection, Video: video})
		plan, _ := b.take()
		if err := b.Run(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		task, done := b.again(service.Task{Kind: service.SegmentTask, Job: last}), make(chan error, 1)
		b.mu.Lock()
		b.tasks = nil
		b.mu.Unlock()
		ended[last] = done
		go func() { done <- b.Run(t.Context(), task) }()
		<-b.videos.waits
	}
	ctx, cancel := patience.Patience{Idle: 20 * time.Second, Effort: 3 * time.Minute}.Context(t.Context())
	defer cancel()
	look := func() (jobsAtOnce int) {
		select {
		case jobsAtOnce = <-jobs:
		case <-ctx.Done():
			t.Fatal("nobody looks")
		}
		return jobsAtOnce
	}
	if got := look(); got != n {
		t.Errorf("%d jobs are looked at together, want all %d", got, n)
	}
	j, err := b.store.Job(t.Context(), last)
	if err != nil {
		t.Fatal(err)
	}
	j.State, j.Finished = service.Failed, b.clock()
	if _, err := b.store.EndJob(t.Context(), j, nil, 0); err != nil {
		t.Fatal(err)
	}
	for look() != n-1 { // it is looked at once more, or twice
		if ctx.Err() != nil {
			t.Fatal("the task goes on though its job has ended")
		}
	}
	if err := <-ended[last]; err != nil {
		t.Errorf("the task was stopped with %v", err)
	}
	close(b.videos.block)
	for id, done := range ended {
		if id == last {
			continue
		}
		for waiting := true; waiting; {
			select {
			case err := <-done:
				if waiting = false; err != nil {
					t.Errorf("a task of another job ended with %v", err)
				}
			case <-jobs:
			}
		}
	}
}
