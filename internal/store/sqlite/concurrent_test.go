package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/sqlite"
	"github.com/spotter-video/spotter/internal/testkit/patience"
)

// enrolled makes the collection people with so many faces.
func enrolled(tb testing.TB, s *sqlite.Store, faces int) *service.Collection {
	tb.Helper()
	ctx := context.Background()
	c := &service.Collection{ID: "people", Created: time.Unix(1, 0).UTC()}
	if err := s.CreateCollection(ctx, c); err != nil {
		tb.Fatal(err)
	}
	added, err := s.AddFaces(ctx, c.Serial, someFaces(0, faces, 512), 1<<40)
	if err != nil || len(added) != faces {
		tb.Fatalf("%d of %d faces were added: %v", len(added), faces, err)
	}
	c.Faces, c.Changes = int64(faces), 1
	for _, id := range added {
		c.Digest.Faces = c.Digest.Faces.Face(id)
	}
	return c
}

// TestReadersDoNotWait reads everything while the one connection that writes is held.
func TestReadersDoNotWait(t *testing.T) {
	t.Parallel()
	db := openDB(t, filepath.Join(t.TempDir(), "spotter.db"))
	s := newStore(t, db, nil)
	c := enrolled(t, s, 100)
	tx, err := db.Writer().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err = tx.ExecContext(t.Context(), `UPDATE collections SET faces = 0`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := patience.Usual().Context(t.Context())
	defer cancel()
	got, err := s.Collection(ctx, "people")
	if err != nil || got.Faces != 100 {
		t.Fatalf("%+v: %v", got, err)
	}
	if _, err := s.Faces(ctx, c.Serial, service.FaceQuery{Limit: 5}); err != nil {
		t.Fatal(err)
	}
	// While all vectors are read, others can be, and what is written meanwhile is not seen.
	seen := 0
	if err := s.EachVector(ctx, c.Serial, func(service.Vector) error {
		seen++
		if seen == 1 {
			if err := tx.Rollback(); err != nil {
				return err
			}
			if _, err := s.AddFaces(ctx, c.Serial, someFaces(1000, 50, 512), 1000); err != nil {
				return err
			}
		}
		_, err := s.Collection(ctx, "people")
		return err
	}); err != nil || seen != 100 {
		t.Fatalf("%d vectors were seen, want 100: %v", seen, err)
	}
}

// TestSweepClearsEverythingAway looks into the tables: through the store nothing of it can be seen anyway.
func TestSweepClearsEverythingAway(t *testing.T) {
	t.Parallel()
	db := openDB(t, filepath.Join(t.TempDir(), "spotter.db"))
	s := newStore(t, db, nil)
	c := enrolled(t, s, 1200)
	ctx := t.Context()
	must(t, s.SetTags(ctx, "people", map[string]string{"a": "b"}, 50))
	for _, u := range []service.UserID{"ann", "bob"} {
		must(t, s.CreateUser(ctx, c.Serial, u, 5, nil))
	}
	var ids []face.ID
	for _, f := range someFaces(0, 700, 0) {
		ids = append(ids, f.ID)
	}
	ann, err := s.User(ctx, c.Serial, "ann")
	must(t, err)
	must(t, s.Associate(ctx, c.Serial, ann, ids, 1000, nil))
	deleted, _, err := s.DeleteFaces(ctx, c.Serial, []face.ID{someFaces(900, 1, 0)[0].ID}, time.Unix(1, 0))
	must(t, err)
	if len(deleted) != 1 {
		t.Fatal("nothing was deleted")
	}
	must(t, s.DeleteCollection(ctx, "people"))
	finishedJob(t, s)

	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err = s.Sweep(stopped, time.Unix(1, 0), 10); err == nil {
		t.Fatal("swept though cancelled")
	}
	_, err = s.Sweep(ctx, time.Unix(1, 0), 10)
	must(t, err)
	wantNothing(t, db, "faces", "codes", "gone", "users", "tags", "collections", "segments", "leftovers", "chunks WHERE attempt <> 2")
	kept, err := s.Chunks(ctx, "job", 0, 0, 1000)
	if err != nil || len(kept) != 40 {
		t.Errorf("%d chunks are kept of 40 results: %v", len(kept), err)
	}
	must(t, s.DeleteJob(ctx, "job"))
	_, err = s.Sweep(ctx, time.Unix(1, 0), 10)
	must(t, err)
	wantNothing(t, db, "chunks", "plans", "jobs", "leftovers")
}

// finishedJob makes a job with a plan, segments and chunks, and ends it.
func finishedJob(t *testing.T, s *sqlite.Store) {
	t.Helper()
	const segments = 40
	ctx := t.Context()
	j := &service.Job{ID: "job", State: service.InProgress}
	_, err := s.CreateJob(ctx, j, service.Places{OfKey: 5, All: 5}, nil, service.Task{})
	must(t, err)
	_, err = s.SavePlan(ctx, "job", &service.JobPlan{Segments: segments}, service.Pace{Ahead: 1}, nil)
	must(t, err)
	for n := range segments {
		_, err = s.SaveSegment(ctx, "job", n, []byte("segment"), service.Pace{Ahead: 1})
		must(t, err)
		for attempt := range int64(3) {
			must(t, s.SaveChunks(ctx, "job", attempt+1, []service.Chunk{{Number: n}}))
		}
	}
	j.State, j.Results = service.Succeeded, &service.Results{Attempt: 2}
	_, err = s.EndJob(ctx, j, nil, 0)
	must(t, err)
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func wantNothing(t *testing.T, db *sqlite.DB, tables ...string) {
	t.Helper()
	for _, table := range tables {
		var n int
		err := db.Writer().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n)
		if err != nil || n != 0 {
			t.Errorf("%d rows of %s are left: %v", n, table, err)
		}
	}
}
