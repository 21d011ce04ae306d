package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

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
