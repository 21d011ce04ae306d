package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

func testUsers(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	c := create(t, s, "people").Serial
	other := create(t, s, "others").Serial
	ok(t, s.CreateUser(ctx, other, "ann", 10, nil))
	_, err := s.User(ctx, c, "ann")
	wantKind(t, err, service.NotFound)
	wantKind(t, s.DeleteUser(ctx, c, "ann", nil), service.NotFound)

	names := []service.UserID{"zoe", "ann", "Ann", "Jürgen Groß", "'; --"}
	for _, u := range names {
		ok(t, s.CreateUser(ctx, c, u, 5, nil))
	}
	wantKind(t, s.CreateUser(ctx, c, "ann", 5, nil), service.Conflict)
	wantKind(t, s.CreateUser(ctx, c, "bob", 5, nil), service.QuotaExceeded)
	wantCounts(t, s, "people", 0, 5)
	for limit := 1; limit <= 6; limit++ {
		var got []service.UserID
		for after := service.Serial(0); ; {
			page, err := s.Users(ctx, c, after, limit)
			ok(t, err)
			if len(page) == 0 {
				break
			}
			for _, u := range page {
				if u.Serial <= after || u.Status != service.UserCreated {
					t.Fatalf("user %+v after %d", u, after)
				}
				got, after = append(got, u.ID), u.Serial
			}
		}
		if diff := cmp.Diff(names, got); diff != "" {
			t.Fatalf("in pages of %d (-want +got):\n%s", limit, diff)
		}
	}
	ok(t, s.DeleteUser(ctx, c, "Ann", nil))
	ok(t, s.CreateUser(ctx, c, "bob", 5, nil))
	wantCounts(t, s, "people", 0, 5)
	if _, err := s.User(ctx, other, "ann"); err != nil {
		t.Fatalf("the user of another collection: %v", err)
	}
}

func wantUser(t *testing.T, s service.Store, c service.Serial, u service.UserID, status service.UserStatus, faces ...int) {
	t.Helper()
	got, err := s.User(t.Context(), c, u)
	ok(t, err)
	if got.ID != u || got.Status != status {
		t.Fatalf("user %+v, want %s to be %s", got, u, status)
	}
	wantFaces(t, s, c, service.FaceQuery{User: u, Limit: 100}, faces...)
}

// associate makes faces a user's, who is read before.
func associate(
	ctx context.Context, s service.Store, c service.Serial, u service.UserID, ids []face.ID, most int, k *service.RequestToken,
) error {
	user, err := s.User(ctx, c, u)
	if err != nil {
		return err
	}
	return s.Associate(ctx, c, user, ids, most, k)
}

func disassociate(
	ctx context.Context, s service.Store, c service.Serial, u service.UserID, ids []face.ID, k *service.RequestToken,
) error {
	user, err := s.User(ctx, c, u)
	if err != nil {
		return err
	}
	return s.Disassociate(ctx, c, user, ids, k)
}

// testStaleUsers changes a user's faces after somebody has read who they were.
func testStaleUsers(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	c := create(t, s, "people").Serial
	addFaces(t, s, c, 10)
	ok(t, s.CreateUser(ctx, c, "ann", 5, nil))
	ok(t, s.CreateUser(ctx, c, "bob", 5, nil))
	stale, err := s.User(ctx, c, "ann")
	ok(t, err)
	conflict := func(what string) {
		t.Helper()
		kept := newToken(what)
		for name, err := range map[string]error{
			"associate":    s.Associate(ctx, c, stale, ids(8, 9), 100, kept),
			"nothing":      s.Associate(ctx, c, stale, nil, 100, kept),
			"disassociate": s.Disassociate(ctx, c, stale, nil, kept),
		} {
			if service.KindOf(err) != service.Conflict {
				t.Errorf("%s, %s: %v", what, name, err)
			}
		}
		wantToken(t, s, nil, kept.Scope, kept.Token, day())
		if stale, err = s.User(ctx, c, "ann"); err != nil {
			t.Fatal(err)
		}
	}
	ok(t, s.Associate(ctx, c, stale, ids(0, 2), 100, nil))
	conflict("associated")
	ok(t, s.Disassociate(ctx, c, stale, ids(0, 1), nil))
	conflict("disassociated")
	ok(t, s.DeleteUser(ctx, c, "ann", nil))
	ok(t, s.CreateUser(ctx, c, "ann", 5, nil))
	conflict("made anew")

	// What others have is no reason, and neither are faces that nobody has.
	ok(t, associate(ctx, s, c, "bob", ids(5, 6), 100, nil))
	_, _, err = s.DeleteFaces(ctx, c, ids(9, 10), day())
	ok(t, err)
	wantKind(t, s.Disassociate(ctx, c, stale, ids(5, 6), nil), service.Conflict)
	wantKind(t, s.Disassociate(ctx, c, stale, ids(9, 10), nil), service.Conflict)
	ok(t, s.Associate(ctx, c, stale, ids(0, 2), 100, nil))
	wantUser(t, s, c, "ann", service.UserActive, 0, 1)
	vectors, err := s.VectorsOf(ctx, c, "ann")
	ok(t, err)
	if len(vectors) != 2 || vectors[0].ID != id(0) || vectors[1].User != "ann" || !sameBits(vectors[1].Values, newFace(1).Vector) {
		t.Errorf("vectors of ann: %v", vectors)
	}
}

func testAssociations(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	c := create(t, s, "people").Serial
	addFaces(t, s, c, 10)
	wantKind(t, associate(ctx, s, c, "ann", ids(0, 1), 100, nil), service.NotFound)
	wantKind(t, disassociate(ctx, s, c, "ann", ids(0, 1), nil), service.NotFound)
	for _, u := range []service.UserID{"ann", "bob"} {
		ok(t, s.CreateUser(ctx, c, u, 5, nil))
		wantUser(t, s, c, u, service.UserCreated)
	}
	ok(t, associate(ctx, s, c, "ann", []face.ID{id(3), id(1), id(3)}, 3, nil))
	wantUser(t, s, c, "ann", service.UserActive, 1, 3)

	wantKind(t, associate(ctx, s, c, "ann", ids(4, 6), 3, nil), service.QuotaExceeded)
	wantKind(t, associate(ctx, s, c, "ann", ids(9, 11), 100, nil), service.Conflict)
	wantKind(t, associate(ctx, s, c, "bob", ids(0, 2), 100, nil), service.Conflict)
	wantKind(t, associate(ctx, s, c, "ann", ids(0, 2), 100, nil), service.Conflict)
	wantUser(t, s, c, "ann", service.UserActive, 1, 3)
	wantUser(t, s, c, "bob", service.UserCreated)

	ok(t, associate(ctx, s, c, "bob", ids(7, 9), 100, nil))
	wantKind(t, disassociate(ctx, s, c, "ann", ids(0, 8), nil), service.Conflict)
	wantUser(t, s, c, "ann", service.UserActive, 1, 3)
	ok(t, disassociate(ctx, s, c, "ann", []face.ID{id(3), id(1), id(3)}, nil))
	wantUser(t, s, c, "ann", service.UserCreated)
	wantUser(t, s, c, "bob", service.UserActive, 7, 8)
	ok(t, s.DeleteUser(ctx, c, "bob", nil))
	wantCounts(t, s, "people", 10, 1)
	deleted, associated, err := s.DeleteFaces(ctx, c, ids(0, 10), day())
	ok(t, err)
	if len(deleted) != 10 || len(associated) != 0 {
		t.Fatalf("%d deleted and %v associated, want all of them free", len(deleted), associated)
	}
	ok(t, associate(ctx, s, c, "ann", nil, 100, nil))
	wantUser(t, s, c, "ann", service.UserCreated)
}

func newToken(name string) *service.RequestToken {
	return &service.RequestToken{
		Scope: "op people", Token: name, Input: [32]byte{1, 31: 2}, Result: []byte(`{"a":1}`), Expires: day().Add(time.Hour),
	}
}

func wantToken(t *testing.T, s service.Store, want *service.RequestToken, scope, name string, now time.Time) {
	t.Helper()
	got, err := s.Token(t.Context(), scope, name, now)
	ok(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("token (-want +got):\n%s", diff)
	}
}

func testTokens(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	c := create(t, s, "people").Serial
	addFaces(t, s, c, 3)
	calls := []struct {
		name string
		call func(*service.RequestToken) error
	}{
		{"CreateUser", func(k *service.RequestToken) error { return s.CreateUser(ctx, c, "ann", 5, k) }},
		{"Associate", func(k *service.RequestToken) error { return associate(ctx, s, c, "ann", ids(0, 2), 5, k) }},
		{"Disassociate", func(k *service.RequestToken) error { return disassociate(ctx, s, c, "ann", ids(0, 1), k) }},
		{"DeleteUser", func(k *service.RequestToken) error { return s.DeleteUser(ctx, c, "ann", k) }},
	}
	for _, call := range calls {
		wantToken(t, s, nil, "op people", call.name, day())
		ok(t, call.call(newToken(call.name)))
		wantToken(t, s, newToken(call.name), "op people", call.name, day())
		wantToken(t, s, nil, "op others", call.name, day())
		// Even where the request itself would now fail in another way.
		wantKind(t, call.call(newToken(call.name)), service.TokenReused)
	}
	failed := newToken("failed")
	wantKind(t, s.DeleteUser(ctx, c, "nobody", failed), service.NotFound)
	wantToken(t, s, nil, failed.Scope, failed.Token, day())

	// A token counts until it expires, and can then be used anew.
	last := newToken("CreateUser")
	wantToken(t, s, last, last.Scope, last.Token, last.Expires.Add(-time.Millisecond))
	wantToken(t, s, nil, last.Scope, last.Token, last.Expires)
	last.Expires = last.Expires.Add(time.Hour)
	last.Result = nil
	ok(t, s.CreateUser(ctx, c, "ann", 5, last))
	got, err := s.Token(ctx, last.Scope, last.Token, day())
	ok(t, err)
	if got == nil || len(got.Result) != 0 || !got.Expires.Equal(last.Expires) {
		t.Fatalf("the token is %+v", got)
	}
	manyTokens(t, s, c)
}

// manyTokens sends one request twenty times at once.
func manyTokens(t *testing.T, s service.Store, c service.Serial) {
	t.Helper()
	results := together(20, func(i int) error {
		return s.CreateUser(t.Context(), c, service.UserID(fmt.Sprintf("user %d", i)), 100, newToken("simultaneous"))
	})
	wantOnce(t, results, service.TokenReused)
	users, err := s.Users(t.Context(), c, 0, 100)
	ok(t, err)
	if len(users) != 2 {
		t.Fatalf("%d users, want ann and one more", len(users))
	}
}
