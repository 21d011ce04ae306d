package sqlite_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

// TestAnalysisWhoseOwnerHasGone has a program that knows nothing of shared segments end a job that another one waits for: that one begins anew
// when somebody looks whether it lacks anything.
func TestAnalysisWhoseOwnerHasGone(t *testing.T) {
	t.Parallel()
	db := openDB(t, filepath.Join(t.TempDir(), "spotter.db"))
	s, ctx := newStore(t, db, nil), t.Context()
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	how := &service.Sharing{Key: service.AnalysisKey{7}, Now: now, Until: now.Add(time.Hour)}
	for _, id := range []service.JobID{"owner", "waiting"} {
		_, err := s.CreateJob(ctx, &service.Job{ID: id, State: service.InProgress, Created: now}, service.Places{OfKey: 9, All: 9}, nil, service.Task{})
		must(t, err)
	}
	_, err := s.SavePlan(ctx, "owner", &service.JobPlan{Segments: 3}, service.Pace{Ahead: 9}, how)
	must(t, err)
	if shares, sharing := s.ShareAnalysis(ctx, "waiting", how); !shares || sharing != nil {
		t.Fatalf("it shares: %v, %v", shares, sharing)
	}
	resumes := func(want ...service.Task) {
		t.Helper()
		tasks, resuming := s.Resume(ctx, "waiting", service.Pace{Ahead: 9})
		must(t, resuming)
		if !slices.Equal(tasks, want) {
			t.Errorf("it needs %+v, want %+v", tasks, want)
		}
	}
	resumes()
	if _, err = db.Writer().ExecContext(ctx, `UPDATE jobs SET state = 'failed' WHERE id = 'owner'`); err != nil {
		t.Fatal(err)
	}
	resumes(service.Task{Kind: service.PlanTask, Job: "waiting"})
	if shares, sharing := s.ShareAnalysis(ctx, "waiting", how); shares || sharing != nil {
		t.Errorf("it shares what does not come: %v, %v", shares, sharing)
	}
	saved, err := s.SavePlan(ctx, "waiting", &service.JobPlan{Segments: 3}, service.Pace{Ahead: 9}, how)
	if j, failed := s.Job(ctx, "waiting"); !saved || err != nil || failed != nil || j.Shares {
		t.Errorf("it is planned: %v, %v, %v", saved, err, failed)
	}
}

// TestAnalysisThatLacksSegments has a program that knows nothing of shared segments remove some: nobody uses what is left.
func TestAnalysisThatLacksSegments(t *testing.T) {
	t.Parallel()
	db := openDB(t, filepath.Join(t.TempDir(), "spotter.db"))
	s, ctx := newStore(t, db, nil), t.Context()
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	how := &service.Sharing{Key: service.AnalysisKey{7}, Now: now, Until: now.Add(time.Hour)}
	for _, id := range []service.JobID{"first", "second", "third"} {
		_, err := s.CreateJob(ctx, &service.Job{ID: id, State: service.InProgress, Created: now}, service.Places{OfKey: 9, All: 9}, nil, service.Task{})
		must(t, err)
	}
	_, err := s.SavePlan(ctx, "first", &service.JobPlan{Segments: 3}, service.Pace{Ahead: 9}, how)
	must(t, err)
	for n := range 3 {
		_, err = s.SaveSegment(ctx, "first", n, []byte{1}, service.Pace{Ahead: 9})
		must(t, err)
	}
	shares := func(id service.JobID, want bool) {
		t.Helper()
		if got, sharing := s.ShareAnalysis(ctx, id, how); sharing != nil || got != want {
			t.Errorf("%s shares: %v, %v", id, got, sharing)
		}
	}
	shares("second", true)
	if _, err = db.Writer().ExecContext(ctx, `DELETE FROM segments WHERE number = 1`); err != nil {
		t.Fatal(err)
	}
	shares("third", false)
	if n, _, err := s.Analyses(ctx); n != 0 || err != nil {
		t.Errorf("%d are kept, %v", n, err)
	}
}
