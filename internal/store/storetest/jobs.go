package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

func jobID(n int) service.JobID { return service.JobID(fmt.Sprintf("%064x", n)) }

func newJob(n int) *service.Job {
	return &service.Job{
		ID: jobID(n), Operation: service.FaceSearch, State: service.InProgress,
		Video:      service.Object{Bucket: "videos", Key: "a b/ü?#%.mp4", Version: "v1"},
		Pinned:     service.ObjectInfo{Size: 1 << 40, ETag: `"abc-3"`, Version: "v1"},
		Collection: "people", CollectionSerial: 7, Threshold: 80.1, Attributes: true,
		Tag: "tag", Topic: "arn:topic", Role: "arn:role",
		Terms: &service.Terms{
			Version: service.TermsVersion, MaxMatches: 7 + n, Tell: n%2 == 0, Analysis: []byte(`{"rate":5,"of":"ü"}`),
		},
		Created: day().Add(time.Duration(n) * time.Second),
	}
}

func task(kind service.TaskKind, n, segment int) service.Task {
	return service.Task{Kind: kind, Job: jobID(n), Segment: segment}
}

func createJob(t *testing.T, s service.Store, n int) *service.Job {
	t.Helper()
	j := newJob(n)
	_, err := s.CreateJob(t.Context(), j, service.Places{OfKey: 1000, All: 1000}, nil, task(service.PlanTask, n, 0))
	ok(t, err)
	return j
}

func newPlan(segments int) *service.JobPlan {
	return &service.JobPlan{
		Info: face.VideoInfo{
			Codec: "h264", Format: "QuickTime / MOV", Duration: 90*time.Minute + 1, FrameRate: 30000. / 1001,
			Width: 1920, Height: 1080, FullRange: true, Interlaced: true, Rotation: 270,
		},
		Segments: segments, Data: []byte{0, 1, 0xff, 0}, Warnings: []string{"the index is damaged"},
	}
}

// ended is what a job is to become.
func ended(n int) *service.Job {
	return &service.Job{
		ID: jobID(n), State: service.Succeeded, Message: "fine", Results: &service.Results{Sightings: 5, Persons: 2, Lists: 1, Attempt: 1},
		Finished: day().Add(time.Hour), Expires: day().Add(48 * time.Hour),
	}
}

func endJob(t *testing.T, s service.Store, n int) {
	t.Helper()
	done, err := s.EndJob(t.Context(), ended(n), nil, 0)
	ok(t, err)
	if !done {
		t.Fatalf("job %d had ended already", n)
	}
}

func wantJob(t *testing.T, s service.Store, want *service.Job) {
	t.Helper()
	got, err := s.Job(t.Context(), want.ID)
	ok(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("job (-want +got):\n%s", diff)
	}
}

func wantOpen(t *testing.T, s service.Store, want int, since time.Time) {
	t.Helper()
	list, err := s.OpenJobs(t.Context())
	ok(t, err)
	var all service.OpenJobs
	for _, o := range list {
		if all.Jobs += o.Jobs; all.Oldest.IsZero() || o.Oldest.Before(all.Oldest) {
			all.Oldest = o.Oldest
		}
	}
	if all.Jobs != want || !all.Oldest.Equal(since) {
		t.Fatalf("%d open jobs since %v, want %d since %v", all.Jobs, all.Oldest, want, since)
	}
}

func testJobs(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	_, err := s.Job(ctx, jobID(1))
	wantKind(t, err, service.NotFound)
	wantOpen(t, s, 0, time.Time{})

	first, token := newJob(1), newToken("job")
	n, err := s.CreateJob(ctx, first, service.Places{OfKey: 2, All: 2}, token, task(service.PlanTask, 1, 0))
	ok(t, err)
	if n != (service.Places{OfKey: 1, All: 1}) || first.Serial < 1 {
		t.Fatalf("%+v open jobs and serial %d", n, first.Serial)
	}
	if diff := cmp.Diff([]service.Task{task(service.PlanTask, 1, 0)}, q.take()); diff != "" {
		t.Fatalf("tasks (-want +got):\n%s", diff)
	}
	wantJob(t, s, first)
	bare := newJob(9)
	bare.Terms = nil // as those of before have none
	_, err = s.CreateJob(ctx, bare, service.Places{OfKey: 2, All: 2}, nil, task(service.PlanTask, 9, 0))
	ok(t, err)
	wantJob(t, s, bare)
	endJob(t, s, 9)
	ok(t, s.DeleteJob(ctx, bare.ID))
	q.take()
	wantToken(t, s, token, token.Scope, token.Token, day())
	_, err = s.CreateJob(ctx, newJob(2), service.Places{OfKey: 2, All: 2}, token, task(service.PlanTask, 2, 0))
	wantKind(t, err, service.TokenReused)
	second := createJob(t, s, 2)
	if second.Serial <= first.Serial {
		t.Fatalf("serial %d after %d", second.Serial, first.Serial)
	}
	q.take()
	n, err = s.CreateJob(ctx, newJob(3), service.Places{OfKey: 2, All: 2}, newToken("third"), task(service.PlanTask, 3, 0))
	wantKind(t, err, service.TooManyJobs)
	if n.All != 3 || len(q.take()) != 0 {
		t.Fatalf("%+v jobs would be open, want 3, and nothing enqueued", n)
	}
	wantToken(t, s, nil, "op people", "third", day())
	wantOpen(t, s, 2, first.Created)
	endJob(t, s, 1)
	wantOpen(t, s, 1, second.Created)
	n, err = s.CreateJob(ctx, newJob(3), service.Places{OfKey: 2, All: 2}, nil, task(service.PlanTask, 3, 0))
	ok(t, err)
	if n.All != 2 {
		t.Fatalf("%+v open jobs, want 2", n)
	}
	if _, err := s.CreateJob(ctx, newJob(3), service.Places{OfKey: 20, All: 20}, nil, task(service.PlanTask, 3, 0)); err == nil {
		t.Fatal("two jobs have one id")
	}
	wantOpen(t, s, 2, second.Created)
	if _, err := s.CreateJob(ctx, ended(4), service.Places{OfKey: 20, All: 20}, nil, task(service.PlanTask, 4, 0)); err == nil {
		t.Fatal("a job was created that has ended")
	}
}

// testOpenJobs counts jobs by their keys, and bounds how many each may have.
func testOpenJobs(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	most := service.Places{OfKey: 2, All: 4}
	create := func(n int, key string, background bool) (service.Places, error) {
		j := newJob(n)
		j.Key, j.Background = key, background
		return s.CreateJob(ctx, j, most, nil, task(service.PlanTask, n, 0))
	}
	for i, step := range []struct {
		key        string
		background bool
		kind       service.Kind
		open       service.Places
	}{
		{"a", false, 0, service.Places{OfKey: 1, All: 1}},
		{"a", true, 0, service.Places{OfKey: 2, All: 2}},
		{"a", false, service.TooManyJobs, service.Places{OfKey: 3, All: 3}},
		{"", false, 0, service.Places{OfKey: 1, All: 3}},
		{"b", false, 0, service.Places{OfKey: 1, All: 4}},
		{"c", false, service.TooManyJobs, service.Places{OfKey: 1, All: 5}},
	} {
		open, err := create(i, step.key, step.background)
		if step.kind != 0 {
			wantKind(t, err, step.kind)
		} else {
			ok(t, err)
		}
		if open != step.open {
			t.Fatalf("job %d of %q: %+v open jobs, want %+v", i, step.key, open, step.open)
		}
	}
	for id, segments := range map[int]int{0: 5, 3: 9} {
		_, err := s.SavePlan(ctx, jobID(id), newPlan(segments), service.Pace{Ahead: 2, Turn: int64(100 * (id + 1)), Step: 7}, nil)
		ok(t, err)
	}
	_, err := s.SaveSegment(ctx, jobID(0), 1, []byte("x"), service.Pace{Ahead: 2, Step: 7})
	ok(t, err)
	list, err := s.OpenJobs(ctx)
	ok(t, err)
	slices.SortFunc(list, func(a, b service.OpenJobs) int { return a.Oldest.Compare(b.Oldest) })
	at := func(n int) time.Time { return newJob(n).Created }
	want := []service.OpenJobs{
		{Key: "a", Jobs: 1, Oldest: at(0), Working: 1, Segments: 4, Turn: 121},
		{Key: "a", Background: true, Jobs: 1, Oldest: at(1)},
		{Jobs: 1, Oldest: at(3), Working: 1, Segments: 9, Turn: 414},
		{Key: "b", Jobs: 1, Oldest: at(4)},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Fatalf("open jobs (-want +got):\n%s", diff)
	}
	endJob(t, s, 1)
	_, err = create(9, "a", true) // there is room again
	ok(t, err)
}

func testJobListing(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	const n = 7
	var open3, all []service.JobID
	for i := range n {
		createJob(t, s, i)
		all = append([]service.JobID{jobID(i)}, all...)
		if i%2 == 0 {
			endJob(t, s, i)
		} else {
			open3 = append([]service.JobID{jobID(i)}, open3...)
		}
	}
	_, err := s.SavePlan(ctx, jobID(1), newPlan(3), service.Pace{Ahead: 1}, nil)
	ok(t, err)
	ok(t, s.DeleteJob(ctx, jobID(2)))
	all = append(all[:4:4], all[5:]...)
	for limit := 1; limit <= n; limit++ {
		for state, want := range map[service.JobState][]service.JobID{"": all, service.InProgress: open3, service.Failed: nil} {
			var got []service.JobID
			for before := service.Serial(0); ; {
				var page []service.Job
				page, err = s.Jobs(ctx, service.JobQuery{State: state, Before: before, Limit: limit})
				ok(t, err)
				if len(page) == 0 {
					break
				}
				for _, j := range page {
					got, before = append(got, j.ID), j.Serial
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("state %q in pages of %d (-want +got):\n%s", state, limit, diff)
			}
		}
	}
	page, err := s.Jobs(ctx, service.JobQuery{State: service.InProgress, Limit: 10})
	ok(t, err)
	if p := page[2].Plan; p == nil || p.Segments != 3 || len(p.Data) != 0 || p.Info != newPlan(3).Info {
		t.Fatalf("a listed job's plan is %+v, want all but the data", p)
	}
}
