package storetest

import (
	"strconv"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/service"
)

func testEndJob(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	_, err := s.EndJob(ctx, ended(1), nil, 0)
	wantKind(t, err, service.NotFound)
	j := createJob(t, s, 1)
	if _, err = s.EndJob(ctx, newJob(1), nil, 0); err == nil {
		t.Fatal("a job ended that is in progress")
	}
	done, err := s.EndJob(ctx, ended(1), newNotice(1), 0)
	ok(t, err)
	if !done {
		t.Fatal("the job had ended already")
	}
	e := ended(1)
	j.State, j.Message, j.Results, j.Finished, j.Expires = e.State, e.Message, e.Results, e.Finished, e.Expires
	wantJob(t, s, j)
	wantDue(t, s, day(), 10, 1)

	// The first end counts.
	failed := ended(1)
	failed.State, failed.Results, failed.Message = service.Failed, nil, "late"
	done, err = s.EndJob(ctx, failed, newNotice(2), 0)
	ok(t, err)
	if done {
		t.Fatal("a job ended twice")
	}
	wantJob(t, s, j)
	wantDue(t, s, day(), 10, 1)
	wantOpen(t, s, 0, time.Time{})

	// Without its notice a job does not end: one with this id is there.
	createJob(t, s, 3)
	n := newNotice(3)
	n.ID = newNotice(1).ID
	if done, err = s.EndJob(ctx, ended(3), n, 0); err == nil || done {
		t.Fatalf("a job ended without its notice: %v", err)
	}
	got, err := s.Ended(ctx, []service.JobID{jobID(1), jobID(2), jobID(3)}) // of which 2 was never there, and 3 is open
	ok(t, err)
	if diff := cmp.Diff([]service.JobID{jobID(1), jobID(2)}, got); diff != "" {
		t.Fatalf("ended (-want +got):\n%s", diff)
	}
	if got, err = s.Ended(ctx, nil); err != nil || len(got) != 0 {
		t.Fatalf("of none ended: %v, %v", got, err)
	}
	many := make([]service.JobID, 1200)
	for i := range many {
		many[i] = jobID(i + 2)
	}
	if got, err = s.Ended(ctx, many); err != nil || len(got) != len(many)-1 {
		t.Fatalf("%d of %d ended, want all but one: %v", len(got), len(many), err)
	}
	wantOpen(t, s, 1, newJob(3).Created)
}

// testOddWords keeps a message that is no text: it may quote what a file holds.
func testOddWords(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	j := createJob(t, s, 1)
	e := ended(1)
	e.Message = "codec a\x00b\xff\xfec \u00e9"
	if done, err := s.EndJob(ctx, e, nil, 0); err != nil || !done {
		t.Fatal(done, err)
	}
	j.State, j.Results, j.Finished, j.Expires = e.State, e.Results, e.Finished, e.Expires
	j.Message = "codec a\ufffdb\ufffdc \u00e9"
	wantJob(t, s, j)
}

func testDeleteJob(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	wantKind(t, s.DeleteJob(ctx, jobID(1)), service.NotFound)
	createJob(t, s, 1)
	wantKind(t, s.DeleteJob(ctx, jobID(1)), service.Conflict)
	_, err := s.EndJob(ctx, ended(1), newNotice(1), 0)
	ok(t, err)
	ok(t, s.DeleteJob(ctx, jobID(1)))
	_, err = s.Job(ctx, jobID(1))
	wantKind(t, err, service.NotFound)
	wantKind(t, s.DeleteJob(ctx, jobID(1)), service.NotFound)
	_, err = s.EndJob(ctx, ended(1), nil, 0)
	wantKind(t, err, service.NotFound)
	// Who was to be told still is.
	wantDue(t, s, day(), 10, 1)
	swept, err := s.Sweep(ctx, day().Add(1000*time.Hour), 10)
	ok(t, err)
	if swept != 0 {
		t.Fatalf("%d were swept, want none: the job had been deleted", swept)
	}
	wantDue(t, s, day(), 10, 1)
}

func testSweep(u suite) {
	t := u.T
	var q queue
	s, ctx := u.open(t, q.enqueue), t.Context()
	for i := range 5 {
		_, err := s.CreateJob(ctx, newJob(i), service.Places{OfKey: 100, All: 100}, newToken(strconv.Itoa(i)), task(service.PlanTask, i, 0))
		ok(t, err)
		if i == 4 {
			break
		}
		ok(t, s.SaveChunks(ctx, jobID(i), 1, []service.Chunk{{Kind: service.MatchLists, Number: 0, Data: []byte("m")}}))
		j := ended(i)
		j.Expires = day().Add(time.Duration(i) * time.Hour)
		if i == 3 {
			j.Expires = time.Time{} // for ever
		}
		_, err = s.EndJob(ctx, j, nil, 0)
		ok(t, err)
	}
	sweep := func(now time.Time, limit, want int) {
		t.Helper()
		n, err := s.Sweep(ctx, now, limit)
		ok(t, err)
		if n != want {
			t.Fatalf("%d were swept, want %d", n, want)
		}
	}
	sweep(day().Add(-time.Millisecond), 10, 0)
	sweep(day(), 10, 1)                // job 0
	sweep(day().Add(time.Hour), 2, 3)  // job 1, and two of five tokens
	sweep(day().Add(time.Hour), 10, 3) // the other three
	sweep(day().Add(1000*time.Hour), 10, 1)
	sweep(day().Add(1000*time.Hour), 10, 0)
	for i := range 5 {
		_, err := s.Job(ctx, jobID(i))
		if i < 3 {
			wantKind(t, err, service.NotFound)
		} else {
			ok(t, err)
		}
		chunks, err := s.Chunks(ctx, jobID(i), service.MatchLists, 0, 10)
		ok(t, err)
		if (len(chunks) == 1) != (i == 3) {
			t.Fatalf("job %d has %d chunks", i, len(chunks))
		}
		wantToken(t, s, nil, "op people", strconv.Itoa(i), day())
	}
}
