package storetest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

const dim = 16

// id is the n-th id; ids ascend with n.
func id(n int) face.ID {
	f := face.ID{15: 0xff}
	binary.BigEndian.PutUint64(f[:8], uint64(n)) //nolint:gosec // tests count from 0
	return f
}

// ids are those from a up to and without b.
func ids(a, b int) []face.ID {
	list := []face.ID{}
	for n := a; n < b; n++ {
		list = append(list, id(n))
	}
	return list
}

// newFace is a face in which every member says its own.
func newFace(n int) service.NewFace {
	f := service.NewFace{Vector: make([]float32, dim), Code: newCode(n).Data}
	f.ID, f.ImageID = id(n), id(n/2)
	f.ExternalID, f.Version = fmt.Sprintf("person:%d", n), "1.2"
	x := 1 / float32(n+3)
	f.Detection = face.Detection{
		Box:        face.Box{Left: -x, Top: 2 * x, Width: 3 * x, Height: 1.25},
		Landmarks:  face.Landmarks{{X: x, Y: 1}, {X: x, Y: 2}, {X: x, Y: 3}, {X: x, Y: 4}, {X: 5, Y: x}},
		Confidence: 99.5 + x,
		Pose:       face.Pose{Roll: -180, Yaw: x, Pitch: 90},
		Quality:    face.Quality{Brightness: 1, Sharpness: 100 - x},
	}
	for i := range f.Vector {
		f.Vector[i] = float32(math.Sin(float64(n*dim + i)))
	}
	return f
}

func newFaces(a, b int) []service.NewFace {
	list := make([]service.NewFace, 0, b-a)
	for n := a; n < b; n++ {
		list = append(list, newFace(n))
	}
	return list
}

// addFaces adds the first n faces.
func addFaces(t *testing.T, s service.Store, c service.Serial, n int) {
	t.Helper()
	added, err := s.AddFaces(t.Context(), c, newFaces(0, n), math.MaxInt64)
	ok(t, err)
	if len(added) != n {
		t.Fatalf("%d faces were added, want %d", len(added), n)
	}
}

// wantFaces checks which faces a query selects, in order.
func wantFaces(t *testing.T, s service.Store, c service.Serial, q service.FaceQuery, want ...int) {
	t.Helper()
	list, err := s.Faces(t.Context(), c, q)
	ok(t, err)
	got, wanted := make([]face.ID, 0, len(list)), make([]face.ID, 0, len(want))
	for _, f := range list {
		got = append(got, f.ID)
	}
	for _, n := range want {
		wanted = append(wanted, id(n))
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Fatalf("faces (-want +got):\n%s", diff)
	}
}

// wantCounts checks what a collection says of its faces and users.
func wantCounts(t *testing.T, s service.Store, name service.CollectionID, faces, users int64) {
	t.Helper()
	c, err := s.Collection(t.Context(), name)
	ok(t, err)
	if c.Faces != faces || c.Users != users {
		t.Fatalf("%d faces and %d users are counted, want %d and %d", c.Faces, c.Users, faces, users)
	}
}

func testFaces(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	c := create(t, s, "people").Serial
	other := create(t, s, "others").Serial
	addFaces(t, s, other, 2)

	added, err := s.AddFaces(ctx, c, nil, 0)
	ok(t, err)
	if len(added) != 0 {
		t.Fatalf("nothing was to be added, and %v were", added)
	}
	// In the order of the request, and a face that is named twice counts once.
	added, err = s.AddFaces(ctx, c, []service.NewFace{newFace(5), newFace(1), newFace(5), newFace(3)}, 3)
	ok(t, err)
	if diff := cmp.Diff([]face.ID{id(5), id(1), id(3)}, added); diff != "" {
		t.Fatalf("added (-want +got):\n%s", diff)
	}
	// What is there stays as it was, also where the collection is full.
	changed := newFace(1)
	changed.ExternalID = "somebody else"
	added, err = s.AddFaces(ctx, c, []service.NewFace{changed}, 1)
	ok(t, err)
	if len(added) != 0 {
		t.Fatalf("%v were added twice", added)
	}
	_, err = s.AddFaces(ctx, c, []service.NewFace{newFace(1), newFace(2)}, 3)
	wantKind(t, err, service.QuotaExceeded)
	wantCounts(t, s, "people", 3, 0)
	wantCounts(t, s, "others", 2, 0)

	list, err := s.Faces(ctx, c, service.FaceQuery{Limit: 10})
	ok(t, err)
	want := []service.Face{newFace(1).Face, newFace(3).Face, newFace(5).Face}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Fatalf("faces (-kept +read):\n%s", diff)
	}
	owned := newFace(9)
	owned.User = "ann"
	if _, err = s.AddFaces(ctx, c, []service.NewFace{owned}, 10); err == nil {
		t.Fatal("a face was added that is a user's already")
	}
	_, err = s.AddFaces(ctx, c+1000, newFaces(0, 1), 10)
	wantKind(t, err, service.NotFound)
}

func testVectors(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	c := create(t, s, "people").Serial
	const n = 700
	odd := newFace(n)
	odd.Vector = []float32{0, float32(math.Copysign(0, -1)), math.MaxFloat32, math.SmallestNonzeroFloat32, 1.0 / 3}
	shuffled := append(newFaces(300, n), newFaces(0, 300)...)
	added, err := s.AddFaces(ctx, c, append(shuffled, odd), n+1)
	ok(t, err)
	if len(added) != n+1 || added[0] != id(300) || added[n] != id(n) {
		t.Fatalf("%d were added, from %v to %v", len(added), added[0], added[len(added)-1])
	}
	ok(t, s.CreateUser(ctx, c, "ann", 1, nil))
	ok(t, associate(ctx, s, c, "ann", ids(7, 8), 1, nil))

	next := 0
	err = s.EachVector(ctx, c, func(v service.Vector) error {
		want := newFace(next)
		if next == n {
			want = odd
		}
		if v.ID != want.ID || !sameBits(v.Values, want.Vector) || (v.User == "ann") != (next == 7) {
			t.Errorf("vector %d is %v of %q", next, v.ID, v.User)
		}
		next++
		return nil
	})
	ok(t, err)
	if next != n+1 {
		t.Fatalf("%d vectors, want %d", next, n+1)
	}
	enough := errors.New("enough")
	calls := 0
	err = s.EachVector(ctx, c, func(service.Vector) error { calls++; return enough })
	if !errors.Is(err, enough) || calls != 1 {
		t.Fatalf("%v after %d calls", err, calls)
	}
	vectorsOf(t, s, c)
}

func vectorsOf(t *testing.T, s service.Store, c service.Serial) {
	t.Helper()
	// More than one statement names, with some that are not there, and some twice.
	list, err := s.Vectors(t.Context(), c, slices.Concat(ids(650, 2000), ids(0, 600), ids(5, 9)))
	ok(t, err)
	got := map[face.ID]service.Vector{}
	for _, v := range list {
		got[v.ID] = v
	}
	if len(list) != 651 || len(got) != 651 {
		t.Fatalf("%d vectors of %d faces, want 651", len(list), len(got))
	}
	for _, n := range []int{0, 7, 599, 650, 699} {
		v := got[id(n)]
		if !sameBits(v.Values, newFace(n).Vector) || (v.User == "ann") != (n == 7) {
			t.Errorf("vector %d is %v of %q", n, v.Values, v.User)
		}
	}
	none, err := s.Vectors(t.Context(), c, nil)
	ok(t, err)
	if len(none) != 0 {
		t.Fatalf("%d vectors of no faces", len(none))
	}
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

func testDeleteFaces(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	c := create(t, s, "people").Serial
	const n = 4096
	addFaces(t, s, c, n)
	ok(t, s.CreateUser(ctx, c, "ann", 10, nil))
	ok(t, associate(ctx, s, c, "ann", ids(10, 12), 100, nil))

	// More ids than a statement names, and a limit that is reached among them.
	page, err := s.Faces(ctx, c, service.FaceQuery{IDs: ids(100, 2000), After: &ids(99, 151)[51], Limit: 1200})
	ok(t, err)
	if len(page) != 1200 || page[0].ID != id(151) || page[1199].ID != id(1350) {
		t.Fatalf("a page of %d faces, from %v", len(page), page[0].ID)
	}
	backwards := ids(1, n+5)
	slices.Reverse(backwards)
	deleted, associated, err := s.DeleteFaces(ctx, c, append(backwards, id(1), id(10)), day())
	ok(t, err)
	if diff := cmp.Diff(map[face.ID]service.UserID{id(10): "ann", id(11): "ann"}, associated); diff != "" {
		t.Fatalf("associated (-want +got):\n%s", diff)
	}
	backwards = slices.DeleteFunc(backwards, func(f face.ID) bool {
		return f == id(10) || f == id(11) || bytes.Compare(f[:], idBytes(n)) >= 0
	})
	if !slices.Equal(deleted, backwards) {
		t.Fatalf("%d were deleted, want %d, in the order of the request", len(deleted), len(backwards))
	}
	wantCounts(t, s, "people", 3, 1)
	wantFaces(t, s, c, service.FaceQuery{Limit: 100}, 0, 10, 11)
	deleted, associated, err = s.DeleteFaces(ctx, c, ids(500, 510), day())
	ok(t, err)
	if len(deleted) != 0 || len(associated) != 0 {
		t.Fatalf("deleted again: %v, %v", deleted, associated)
	}
}

func idBytes(n int) []byte {
	f := id(n)
	return f[:]
}
