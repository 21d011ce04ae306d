package service

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
)

func TestByPersonAscendsByTimeWithinAPerson(t *testing.T) {
	t.Parallel()
	seen := func(at time.Duration, person int, matches ...face.Similarity) face.Sighting {
		s := face.Sighting{Time: at, Person: person}
		for _, m := range matches {
			s.Matches = append(s.Matches, face.Match{Similarity: m})
		}
		return s
	}
	list := []face.Sighting{seen(0, 1), seen(1, 0), seen(2, 0, 85), seen(2, 1), seen(3, 0), seen(4, 0, 95, 81), seen(5, 1, 80)}
	slices.SortStableFunc(list, byPerson)
	type place struct {
		Person int
		Time   time.Duration
	}
	var order []place
	for _, s := range list {
		order = append(order, place{s.Person, s.Time})
	}
	if d := cmp.Diff([]place{{0, 1}, {0, 2}, {0, 3}, {0, 4}, {1, 0}, {1, 2}, {1, 5}}, order); d != "" {
		t.Error("order (-want +got):\n" + d)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	plan := &JobPlan{Segments: 4, Info: face.VideoInfo{Duration: 80 * time.Second}}
	for name, c := range map[string]struct {
		job  Job
		want Progress
	}{
		"not looked at": {Job{State: InProgress}, Progress{}},
		"none done":     {Job{State: InProgress, Plan: plan}, Progress{}},
		"one done":      {Job{State: InProgress, Plan: plan, SegmentsDone: 1}, Progress{Done: 0.25, Speed: 2, Left: 30 * time.Second}},
		"all done":      {Job{State: InProgress, Plan: plan, SegmentsDone: 4}, Progress{Done: 1, Speed: 8}},
		"ended": {
			Job{State: Succeeded, Plan: plan, SegmentsDone: 4, Finished: began.Add(5 * time.Second)}, Progress{Done: 1, Speed: 16},
		},
		"failed": {
			Job{State: Failed, Plan: plan, SegmentsDone: 2, Finished: began.Add(5 * time.Second)}, Progress{Done: 0.5, Speed: 8},
		},
	} {
		c.job.Created = began
		if d := cmp.Diff(c.want, c.job.progress(began.Add(10*time.Second))); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
