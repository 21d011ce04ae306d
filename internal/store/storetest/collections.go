package storetest

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/service"
)

// create makes a collection.
func create(t *testing.T, s service.Store, id service.CollectionID) *service.Collection {
	t.Helper()
	c := &service.Collection{ID: id, Model: "pack", Version: "1.2", Created: day()}
	ok(t, s.CreateCollection(t.Context(), c))
	return c
}

func testCollections(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	_, err := s.Collection(ctx, "people")
	wantKind(t, err, service.NotFound)
	wantKind(t, s.DeleteCollection(ctx, "people"), service.NotFound)

	c := create(t, s, "people")
	if c.Serial < 1 {
		t.Fatalf("serial %d, want 1 or more", c.Serial)
	}
	again := &service.Collection{ID: "people"}
	wantKind(t, s.CreateCollection(ctx, again), service.Exists)
	got, err := s.Collection(ctx, "people")
	ok(t, err)
	if diff := cmp.Diff(c, got); diff != "" {
		t.Fatalf("collection (-made +read):\n%s", diff)
	}
	if _, err = s.Collection(ctx, "People"); service.KindOf(err) != service.NotFound {
		t.Fatalf("names are not told apart by case: %v", err)
	}

	ok(t, s.DeleteCollection(ctx, "people"))
	_, err = s.Collection(ctx, "people")
	wantKind(t, err, service.NotFound)
	wantKind(t, s.DeleteCollection(ctx, "people"), service.NotFound)
	if made := create(t, s, "people"); made.Serial <= c.Serial {
		t.Fatalf("made again with serial %d, was %d", made.Serial, c.Serial)
	}
	listCollections(t, u.open(t, nil))
}

func listCollections(t *testing.T, s service.Store) {
	t.Helper()
	ctx := t.Context()
	list, err := s.Collections(ctx, 0, 10)
	ok(t, err)
	if len(list) != 0 {
		t.Fatalf("%d collections in an empty store", len(list))
	}
	var want []service.CollectionID
	for _, id := range []service.CollectionID{"m", "z", "a", "k", "b"} {
		create(t, s, id)
		want = append(want, id)
	}
	ok(t, s.DeleteCollection(ctx, "k"))
	want = slices.Delete(want, 3, 4)
	for limit := 1; limit <= 5; limit++ {
		var got []service.CollectionID
		for after := service.Serial(0); ; {
			page, err := s.Collections(ctx, after, limit)
			ok(t, err)
			if len(page) == 0 {
				break
			}
			if len(page) > limit {
				t.Fatalf("%d collections in a page of %d", len(page), limit)
			}
			for _, c := range page {
				got = append(got, c.ID)
			}
			after = page[len(page)-1].Serial
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("in pages of %d (-want +got):\n%s", limit, diff)
		}
	}
}

func testTags(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	_, err := s.Tags(ctx, "people")
	wantKind(t, err, service.NotFound)
	wantKind(t, s.SetTags(ctx, "people", map[string]string{"a": "1"}, 50), service.NotFound)
	wantKind(t, s.DeleteTags(ctx, "people", []string{"a"}), service.NotFound)

	c := &service.Collection{ID: "people", Created: day(), Tags: map[string]string{"made": "with", "": "empty"}}
	ok(t, s.CreateCollection(ctx, c))
	wantTags(t, s, map[string]string{"made": "with", "": "empty"})
	ok(t, s.SetTags(ctx, "people", map[string]string{"made": "new", "Größe": "ß'\"; DROP TABLE tags"}, 3))
	want := map[string]string{"made": "new", "": "empty", "Größe": "ß'\"; DROP TABLE tags"}
	wantTags(t, s, want)

	wantKind(t, s.SetTags(ctx, "people", map[string]string{"made": "newer", "fourth": "x"}, 3), service.QuotaExceeded)
	wantTags(t, s, want)
	ok(t, s.DeleteTags(ctx, "people", []string{"", "made", "absent"}))
	delete(want, "")
	delete(want, "made")
	wantTags(t, s, want)

	ok(t, s.DeleteCollection(ctx, "people"))
	_, err = s.Tags(ctx, "people")
	wantKind(t, err, service.NotFound)
	create(t, s, "people")
	wantTags(t, s, map[string]string{})
}

// wantTags checks the tags of the collection people.
func wantTags(t *testing.T, s service.Store, want map[string]string) {
	t.Helper()
	got, err := s.Tags(t.Context(), "people")
	ok(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("tags (-want +got):\n%s", diff)
	}
}

// testGone does everything with the serial of a collection that was deleted and made again.
func testGone(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	gone := create(t, s, "people").Serial
	addFaces(t, s, gone, 3)
	ok(t, s.CreateUser(ctx, gone, "ann", 10, nil))
	ok(t, associate(ctx, s, gone, "ann", ids(0, 1), 100, nil))
	ann, failed := s.User(ctx, gone, "ann")
	ok(t, failed)
	ok(t, s.DeleteCollection(ctx, "people"))
	made := create(t, s, "people").Serial

	for name, call := range map[string]func() error{
		"AddFaces":     func() error { _, err := s.AddFaces(ctx, gone, newFaces(5, 6), 100); return err },
		"Faces":        func() error { _, err := s.Faces(ctx, gone, service.FaceQuery{Limit: 1}); return err },
		"Vectors":      func() error { _, err := s.Vectors(ctx, gone, ids(0, 3)); return err },
		"EachVector":   func() error { return s.EachVector(ctx, gone, func(service.Vector) error { return nil }) },
		"EachOwned":    func() error { return s.EachOwned(ctx, gone, func(service.Vector) error { return nil }) },
		"Codes":        func() error { _, _, err := s.Codes(ctx, gone, nil, codeSize, 3); return err },
		"SetCodes":     func() error { return s.SetCodes(ctx, gone, newCodes(0, 3)) },
		"DeleteFaces":  func() error { _, _, err := s.DeleteFaces(ctx, gone, ids(0, 3), day()); return err },
		"CreateUser":   func() error { return s.CreateUser(ctx, gone, "bob", 10, nil) },
		"User":         func() error { _, err := s.User(ctx, gone, "ann"); return err },
		"Users":        func() error { _, err := s.Users(ctx, gone, 0, 10); return err },
		"DeleteUser":   func() error { return s.DeleteUser(ctx, gone, "ann", nil) },
		"Associate":    func() error { return s.Associate(ctx, gone, ann, ids(2, 3), 100, nil) },
		"Disassociate": func() error { return s.Disassociate(ctx, gone, ann, ids(0, 1), nil) },
		"VectorsOf":    func() error { _, err := s.VectorsOf(ctx, gone, "ann"); return err },
		"Changes":      func() error { _, err := s.Changes(ctx, gone, 0, 10); return err },
	} {
		if err := call(); service.KindOf(err) != service.NotFound {
			t.Errorf("%s of a collection that is gone: %v, want NotFound", name, err)
		}
	}

	// The one that was made again is empty, and what the old one held can be cleared away beside it.
	addFaces(t, s, made, 2)
	_, err := s.Sweep(ctx, day(), 100)
	ok(t, err)
	wantFaces(t, s, made, service.FaceQuery{Limit: 10}, 0, 1)
	users, err := s.Users(ctx, made, 0, 10)
	ok(t, err)
	if len(users) != 0 {
		t.Fatalf("users of another collection: %v", users)
	}
	c, err := s.Collection(ctx, "people")
	ok(t, err)
	if c.Faces != 2 || c.Users != 0 {
		t.Fatalf("%d faces and %d users are counted, want 2 and 0", c.Faces, c.Users)
	}
}
