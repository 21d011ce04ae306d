package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// audited are entries in words: operation, and which faces.
func audited(t *testing.T, s service.Store, q service.AuditQuery) (list []string) {
	t.Helper()
	q.Limit = max(q.Limit, 1000)
	entries, err := s.Audit(t.Context(), q)
	ok(t, err)
	for _, e := range entries {
		list = append(list, fmt.Sprint(e.Operation, e.Enrolled, e.Deleted, e.Resources))
	}
	return list
}

// testAuditOfChanges wants a change to be there together with who made it, and nothing of what did not happen.
func testAuditOfChanges(u suite) {
	t, open := u.T, u.open
	var q queue
	s := open(t, q.enqueue)
	begin := func(operation string) (*service.Trail, service.AuditEntry) {
		e := service.AuditEntry{Time: day(), Process: "one/api", Request: "r", Key: "AKIA1", Name: "ann", Operation: operation, Resources: []string{"collection/people"}}
		return service.NewTrail(e), e
	}
	trail, _ := begin("CreateCollection")
	ctx := service.WithTrail(t.Context(), trail)
	c := &service.Collection{ID: "people", Created: day()}
	ok(t, s.CreateCollection(ctx, c))
	if !trail.Kept() {
		t.Error("the trail does not know that it is kept")
	}
	wantKind(t, s.CreateCollection(service.WithTrail(t.Context(), service.NewTrail(service.AuditEntry{Operation: "no"})), c), service.Exists)

	one, two := face.ID{1}, face.ID{2}
	trail, want := begin("IndexFaces")
	ctx = service.WithTrail(t.Context(), trail)
	faces := make([]service.NewFace, 2)
	faces[0].ID, faces[1].ID = one, two
	_, err := s.AddFaces(ctx, c.Serial, faces, 1)
	wantKind(t, err, service.QuotaExceeded)
	if trail.Kept() {
		t.Error("what was undone counts as kept")
	}
	_, err = s.AddFaces(ctx, c.Serial, faces, 9)
	ok(t, err)
	_, err = s.AddFaces(ctx, c.Serial, faces, 9) // which changes nothing, within the same request
	ok(t, err)

	trail, _ = begin("StartFaceSearch")
	ctx = service.WithTrail(t.Context(), trail)
	job := &service.Job{ID: "j", State: service.InProgress, Created: day()}
	task := service.Task{Kind: service.PlanTask, Job: "j"}
	q.failWith(errQueue)
	if _, err = s.CreateJob(ctx, job, service.Places{OfKey: 5, All: 5}, nil, task); !errors.Is(err, errQueue) {
		t.Fatal(err)
	}
	q.failWith(nil)
	trail.About("job/j")
	_, err = s.CreateJob(ctx, job, service.Places{OfKey: 5, All: 5}, nil, task)
	ok(t, err)

	trail, _ = begin("DeleteFaces")
	_, _, err = s.DeleteFaces(service.WithTrail(t.Context(), trail), c.Serial, []face.ID{one, {9}}, day())
	ok(t, err)
	_, _, err = s.DeleteFaces(t.Context(), c.Serial, []face.ID{two}, day()) // by nobody in particular
	ok(t, err)

	about := []string{"collection/people"}
	wanted := []string{
		fmt.Sprint("CreateCollection", []string{}, []string{}, about),
		fmt.Sprint("FacesEnrolled", []string{one.String(), two.String()}, []string{}, about),
		fmt.Sprint("IndexFaces", []string{}, []string{}, about),
		fmt.Sprint("StartFaceSearch", []string{}, []string{}, []string{"collection/people", "job/j"}),
		fmt.Sprint("FacesDeleted", []string{}, []string{one.String()}, about),
		fmt.Sprint("DeleteFaces", []string{}, []string{}, about),
	}
	if diff := cmp.Diff(wanted, audited(t, s, service.AuditQuery{})); diff != "" {
		t.Errorf("the audit log (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{wanted[1], wanted[4]}, audited(t, s, service.AuditQuery{Face: one.String()})); diff != "" {
		t.Errorf("of one face (-want +got):\n%s", diff)
	}
	list, err := s.Audit(t.Context(), service.AuditQuery{Operation: "IndexFaces", Limit: 9})
	ok(t, err)
	want.Outcome = "OK"
	if len(list) != 1 || list[0].Serial == 0 {
		t.Fatalf("of one operation: %+v", list)
	}
	list[0].Serial = 0
	if diff := cmp.Diff(want, list[0]); diff != "" {
		t.Errorf("an entry (-want +got):\n%s", diff)
	}
}

func testAudit(u suite) {
	t, open := u.T, u.open
	s := open(t, nil)
	ctx := t.Context()
	ok(t, s.AddAudit(ctx, nil))
	all := make([]service.AuditEntry, 250)
	for i := range all {
		all[i] = service.AuditEntry{
			Time: day().Add(time.Duration(i) * time.Minute), Key: fmt.Sprint("key ", i%2), Operation: fmt.Sprint("op ", i%5),
			Resources: []string{"s3://b/a\x00\xff'\"%"}, Outcome: "OK", More: i,
		}
	}
	// Also where the context of a request is at hand: it is the entries that are meant.
	ok(t, s.AddAudit(service.WithTrail(ctx, service.NewTrail(service.AuditEntry{Operation: "no"})), all))
	count := func(what string, want int, q service.AuditQuery) {
		t.Helper()
		if got := audited(t, s, q); len(got) != want {
			t.Errorf("%s: %d entries, want %d", what, len(got), want)
		}
	}
	count("all", 250, service.AuditQuery{})
	count("of a key", 125, service.AuditQuery{Key: "key 1"})
	count("of an operation", 50, service.AuditQuery{Operation: "op 3"})
	count("of both", 25, service.AuditQuery{Key: "key 1", Operation: "op 3"})
	count("of an hour", 60, service.AuditQuery{Since: day().Add(time.Hour), Until: day().Add(2 * time.Hour)})
	count("of no face", 0, service.AuditQuery{Face: face.ID{7}.String()})
	var pages int
	var seen []int
	for q := (service.AuditQuery{Limit: 100}); ; pages++ {
		page, err := s.Audit(ctx, q)
		ok(t, err)
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			q.After, seen = e.Serial, append(seen, e.More)
		}
	}
	if pages != 3 || len(seen) != 250 || seen[0] != 0 || seen[249] != 249 {
		t.Errorf("%d pages of %d entries", pages, len(seen))
	}
	for _, want := range []int{30, 10, 0} {
		if n, err := s.SweepAudit(ctx, day().Add(40*time.Minute), 30); n != want || err != nil {
			t.Errorf("%d were swept, want %d: %v", n, want, err)
		}
	}
	if left := audited(t, s, service.AuditQuery{}); len(left) != 210 {
		t.Errorf("%d entries are left", len(left))
	}
}
