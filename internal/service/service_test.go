package service_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

func TestCollectionsPageByPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var want []service.CollectionID
	for i := range 7 {
		id := service.CollectionID(fmt.Sprintf("c%d", i))
		b.collection(id)
		want = append(want, id)
	}
	var got []service.CollectionID
	page := service.PageRequest{Max: 3}
	for pages := 0; ; pages++ {
		list, next, err := b.Collections(t.Context(), page)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			got = append(got, c.ID)
		}
		if page.Token = next; next == "" {
			if pages != 2 {
				t.Errorf("%d pages after the first, want 2", pages)
			}
			break
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error("collections (-want +got):\n" + d)
	}
}

func TestCollectionErrors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.collection("people")
	_, err := b.CreateCollection(t.Context(), "people", nil)
	wantKind(t, "second of a name", err, service.Exists)
	_, err = b.Collection(t.Context(), "nobody")
	wantKind(t, "describe", err, service.NotFound)
	wantKind(t, "delete", b.DeleteCollection(t.Context(), "nobody"), service.NotFound)
	wantKind(t, "tag", b.Tag(t.Context(), "nobody", map[string]string{"a": "b"}), service.NotFound)
	_, err = b.SearchFaces(t.Context(), "nobody", face.ID{}, service.Search{})
	wantKind(t, "search", err, service.NotFound)
	_, err = b.SearchFaces(t.Context(), "people", face.ID{}, service.Search{})
	wantKind(t, "search for an unknown face", err, service.Invalid)
}

func TestPageTokensAreBound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 3 {
		b.collection(service.CollectionID(fmt.Sprintf("c%d", i)))
		if err := b.CreateUser(t.Context(), "c0", service.UserID(fmt.Sprintf("u%d", i)), ""); err != nil {
			t.Fatal(err)
		}
	}
	_, collections, err := b.Collections(t.Context(), service.PageRequest{Max: 1})
	if err != nil || collections == "" || len(collections) > 255 {
		t.Fatalf("token %q, error %v", collections, err)
	}
	refused := func(what, token string) {
		t.Helper()
		_, _, err = b.Users(t.Context(), "c0", service.PageRequest{Token: token})
		wantKind(t, what, err, service.BadPage)
	}
	refused("token of another listing", collections)
	refused("no token at all", "next")
	refused("an empty one in base64", base64.StdEncoding.EncodeToString(make([]byte, 12)))
	_, users, err := b.Users(t.Context(), "c0", service.PageRequest{Max: 1})
	if err != nil {
		t.Fatal(err)
	}
	sealed, _ := base64.StdEncoding.DecodeString(users)
	for i := range sealed {
		forged := slices.Clone(sealed)
		forged[i] ^= 1
		refused(fmt.Sprintf("byte %d changed", i), base64.StdEncoding.EncodeToString(forged))
	}
	b.advance(24*time.Hour + time.Second)
	refused("token of yesterday", users)
}

func TestIndexFaces(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.collection("people")
	big, second, turned, small := looks(1), looks(0, 1), looks(0, 0, 1), looks(0, 0, 0, 1)
	second.Height, second.At = 90, 0.2
	turned.Yaw, turned.At, turned.Height = 80, 0.4, 85
	small.Height, small.At = 20, 0.6
	third := looks(1, 1)
	third.Height, third.At = 50, 0.8
	request := service.IndexRequest{
		Collection: "people", Image: photoOf(big, second, turned, third, small), ExternalID: "group", MaxFaces: 2,
	}
	first, err := b.IndexFaces(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	reasons := [][]service.Reason{}
	for _, u := range first.Unindexed {
		reasons = append(reasons, u.Reasons)
	}
	want := [][]service.Reason{{service.ExtremePose}, {service.ExceedsMaxFaces}, {service.SmallBoundingBox}}
	if d := cmp.Diff(want, reasons); d != "" || len(first.Faces) != 2 {
		t.Errorf("%d faces enrolled; reasons of the others (-want +got):\n%s", len(first.Faces), d)
	}
	again, err := b.IndexFaces(t.Context(), request)
	if err != nil || len(again.Faces) != 2 || again.Faces[0].Face.ID != first.Faces[0].Face.ID {
		t.Errorf("the same photo again: %v, %v", again, err)
	}
	request.ExternalID = "other"
	other, err := b.IndexFaces(t.Context(), request)
	if err != nil || other.Faces[0].Face.ID == first.Faces[0].Face.ID {
		t.Errorf("under another name it is the same face: %v, %v", other, err)
	}
	c, err := b.Collection(t.Context(), "people")
	if err != nil || c.Faces != 4 {
		t.Errorf("%d faces, %v; want 4", c.Faces, err)
	}
}

// TestFaceIDsTellCollectionsApart: applications key their tables by them.
func TestFaceIDsTellCollectionsApart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.collection("ours")
	b.collection("theirs")
	first := b.index("ours", "anna", looks(1))[0]
	if again := b.index("ours", "anna", looks(1))[0]; again != first {
		t.Errorf("%s when indexed again in the same collection, was %s", again, first)
	}
	if other := b.index("theirs", "anna", looks(1))[0]; other == first {
		t.Error("the same in another collection")
	}
	if err := b.DeleteCollection(t.Context(), "ours"); err != nil {
		t.Fatal(err)
	}
	b.collection("ours")
	if anew := b.index("ours", "anna", looks(1))[0]; anew == first {
		t.Error("the same in a collection that was deleted and made anew")
	}
}

// TestFacesOfBeforeKeepTheirIDs: once an id was a function of photo, name and place alone.
func TestFacesOfBeforeKeepTheirIDs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.collection("people")
	id, err := face.ParseID("56de4b24-87b3-832d-b8d5-305f299f9546")
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.Collection(t.Context(), "people")
	if err != nil {
		t.Fatal(err)
	}
	before := service.NewFace{Face: service.Face{Enrolled: face.Enrolled{ID: id, ExternalID: "anna"}}, Vector: looks(1).Vector}
	if _, err := b.store.AddFaces(t.Context(), c.Serial, []service.NewFace{before}, 10); err != nil {
		t.Fatal(err)
	}
	if again := b.index("people", "anna", looks(1))[0]; again != id {
		t.Errorf("%s when indexed again, was %s", again, id)
	}
	if other := b.index("people", "berta", looks(1))[0]; other == id {
		t.Error("another face has its id")
	}
}

func TestSearchFacesThresholdIsInclusive(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.collection("people")
	probe := b.index("people", "probe", looks(1))[0]
	near := b.index("people", "near", looks(1, 1))[0]
	b.index("people", "far", looks(0, 1))
	found, err := b.SearchFaces(t.Context(), "people", probe, service.Search{})
	if err != nil || len(found.Hits) != 1 || found.Hits[0].Face.ID != near || found.Hits[0].Face.ExternalID != "near" {
		t.Fatalf("found %v, %v", found, err)
	}
	exact := found.Hits[0].Similarity
	for threshold, want := range map[face.Similarity]int{exact: 1, exact + 0.01: 0, 0: 2} {
		got, failed := b.SearchFaces(t.Context(), "people", probe, service.Search{Threshold: &threshold})
		if failed != nil || len(got.Hits) != want {
			t.Errorf("threshold %v: %d hits, %v; want %d", threshold, len(got.Hits), failed, want)
		}
	}
	all := face.Similarity(0)
	one, err := b.SearchFaces(t.Context(), "people", probe, service.Search{Max: 1, Threshold: &all})
	if err != nil || len(one.Hits) != 1 || one.Hits[0].Face.ID != near {
		t.Errorf("at most one: %v, %v", one, err)
	}
	done, err := b.DeleteFaces(t.Context(), "people", []face.ID{near, near, {9}})
	if err != nil || len(done.Deleted) != 1 || len(done.Unknown) != 1 {
		t.Errorf("deleted %v, %v", done, err)
	}
	if found, err = b.SearchFaces(t.Context(), "people", probe, service.Search{}); err != nil || len(found.Hits) != 0 {
		t.Errorf("after deletion: %v, %v", found, err)
	}
}

func TestSearchFacesByImage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.collection("people")
	anna := b.index("people", "anna", looks(1))[0]
	small := looks(0, 1)
	small.Height, small.At = 30, 0.5
	found, err := b.SearchFacesByImage(t.Context(), "people", photoOf(looks(1), small), "", service.Search{})
	if err != nil || len(found.Hits) != 1 || found.Hits[0].Face.ID != anna || found.Hits[0].Similarity != 100 {
		t.Errorf("found %v, %v", found, err)
	}
	_, err = b.SearchFacesByImage(t.Context(), "people", photoOf(), "", service.Search{})
	wantKind(t, "photo without faces", err, service.Invalid)
	_, err = b.SearchFacesByImage(t.Context(), "people", photoOf(small), service.QualityHigh, service.Search{})
	wantKind(t, "face that does not pass", err, service.Invalid)
	_, err = b.SearchFacesByImage(t.Context(), "people", service.Image{Bytes: []byte("x")}, "", service.Search{})
	wantKind(t, "no photo", err, service.BadImage)
	_, err = b.SearchFacesByImage(t.Context(), "people", service.Image{}, "", service.Search{})
	wantKind(t, "neither bytes nor object", err, service.Invalid)
}

func TestCompareFaces(t *testing.T) {
	t.Parallel()
	b := setup(t)
	same, near, other := looks(1), looks(1, 0.2), looks(0, 1)
	got, err := b.CompareFaces(t.Context(), photoOf(looks(1)), photoOf(near, other, same), nil, "")
	if err != nil || len(got.Matches) != 2 || len(got.Unmatched) != 1 || got.Matches[0].Similarity != 100 {
		t.Errorf("compared %v, %v", got, err)
	}
	_, err = b.CompareFaces(t.Context(), photoOf(), photoOf(same), nil, "")
	wantKind(t, "no face in the source", err, service.Invalid)
	_, err = b.CompareFaces(t.Context(), photoOf(same), photoOf(), nil, "")
	wantKind(t, "no face in the target", err, service.Invalid)
}

func TestUsers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.collection("people")
	for _, u := range []service.UserID{"anna", "ben"} {
		if err := b.CreateUser(ctx, "people", u, ""); err != nil {
			t.Fatal(err)
		}
	}
	wantKind(t, "second of a name", b.CreateUser(ctx, "people", "anna", ""), service.Conflict)
	a1, a2 := b.index("people", "1", looks(1))[0], b.index("people", "2", looks(1, 0.1))[0]
	far := b.index("people", "3", looks(0, 1))[0]
	associate := func(u service.UserID, ids ...face.ID) *service.Associated {
		t.Helper()
		done, err := b.AssociateFaces(ctx, service.AssociateRequest{Collection: "people", User: u, IDs: ids})
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	want := &service.Associated{
		Done: []face.ID{a1, a2}, Status: service.UserActive, Failed: []service.NotAssociated{
			{ID: far, Reason: service.LowSimilarity}, {ID: face.ID{9}, Reason: service.UnknownFace},
		},
	}
	if d := cmp.Diff(want, associate("anna", a1, a2, far, face.ID{9})); d != "" {
		t.Error("associated (-want +got):\n" + d)
	}
	want = &service.Associated{Done: []face.ID{far}, Status: service.UserActive, Failed: []service.NotAssociated{
		{ID: a1, Reason: service.OtherUser, User: "anna"},
	}}
	if d := cmp.Diff(want, associate("ben", a1, far)); d != "" {
		t.Error("associated to ben (-want +got):\n" + d)
	}
	check := func(when string) {
		t.Helper()
		found, err := b.SearchUsersByImage(ctx, "people", photoOf(looks(1, 0.05)), "", service.Search{})
		if err != nil || len(found.Hits) != 1 || found.Hits[0].User.ID != "anna" || found.Probe == nil {
			t.Errorf("%s: searching by image found %v, %v", when, found, err)
		}
		byFace, err := b.SearchUsersByFace(ctx, "people", far, service.Search{})
		if err != nil || len(byFace.Hits) != 1 || byFace.Hits[0].User.ID != "ben" {
			t.Errorf("%s: searching by face found %v, %v", when, byFace, err)
		}
		all := face.Similarity(0)
		byUser, err := b.SearchUsers(ctx, "people", "anna", service.Search{Threshold: &all})
		if err != nil || len(byUser.Hits) != 1 || byUser.Hits[0].User.ID != "ben" {
			t.Errorf("%s: searching by user found %v, %v", when, byUser, err)
		}
	}
	check("at once")
	b.start()
	check("after a restart")
	deleted, err := b.DeleteFaces(ctx, "people", []face.ID{a1})
	if err != nil || len(deleted.Associated) != 1 || deleted.Associated[0].User != "anna" {
		t.Errorf("deleting an associated face: %v, %v", deleted, err)
	}
	left, err := b.DisassociateFaces(ctx, service.AssociateRequest{Collection: "people", User: "anna", IDs: []face.ID{a1, a2, far}})
	if err != nil || len(left.Done) != 2 || left.Status != service.UserCreated || len(left.Failed) != 1 {
		t.Errorf("disassociated %v, %v", left, err)
	}
	if err := b.DeleteUser(ctx, "people", "ben", ""); err != nil {
		t.Fatal(err)
	}
	if found, err := b.SearchUsersByFace(ctx, "people", far, service.Search{}); err != nil || len(found.Hits) != 0 {
		t.Errorf("nobody is left, but found %v, %v", found, err)
	}
	wantKind(t, "a user who is gone", b.DeleteUser(ctx, "people", "ben", ""), service.NotFound)
}

func TestRequestTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.collection("people")
	if err := b.CreateUser(ctx, "people", "anna", "token"); err != nil {
		t.Fatal(err)
	}
	if err := b.CreateUser(ctx, "people", "anna", "token"); err != nil {
		t.Errorf("the same request again: %v", err)
	}
	wantKind(t, "another user with the token", b.CreateUser(ctx, "people", "ben", "token"), service.TokenReused)
	id := b.index("people", "1", looks(1))[0]
	r := service.AssociateRequest{Collection: "people", User: "anna", IDs: []face.ID{id}, Token: "t2"}
	first, err := b.AssociateFaces(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.AssociateFaces(ctx, r)
	if d := cmp.Diff(first, again); err != nil || d != "" {
		t.Errorf("answered %v when repeated (-first +again):\n%s", err, d)
	}
	b.advance(7*24*time.Hour + time.Second)
	wantKind(t, "when the token has expired", b.CreateUser(ctx, "people", "anna", "token"), service.Conflict)
}

// TestFacesComeBySize shows faces in another order than that of their sizes, as eyes may that go by something else.
func TestFacesComeBySize(t *testing.T) {
	t.Parallel()
	b := setup(t)
	small, large := looks(1), looks(0, 1)
	small.Height, large.At = 60, 0.5
	found, err := b.DetectFaces(t.Context(), photoOf(small, large), false)
	if err != nil || len(found) != 2 || found[0].Box.Left != 0.5 {
		t.Errorf("faces %v, %v", found, err)
	}
}
