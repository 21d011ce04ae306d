package storetest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// wantChanges checks what has changed after a number, as one page, and that the digest is that of the collection's faces.
func wantChanges(t *testing.T, s service.Store, c service.Serial, after int64, want service.Changes) {
	t.Helper()
	got, err := s.Changes(t.Context(), c, after, 100)
	ok(t, err)
	tidy(got)
	tidy(&want)
	list, err := s.Faces(t.Context(), c, service.FaceQuery{Limit: math.MaxInt32})
	ok(t, err)
	owners := map[face.ID]service.UserID{}
	for _, f := range list {
		owners[f.ID] = f.User
	}
	want.Digest = digestOf(owners)
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Fatalf("changes after %d (-want +got):\n%s", after, diff)
	}
}

// digestOf is that of faces, given whose they are.
func digestOf(owners map[face.ID]service.UserID) (d service.Digest) {
	for id, user := range owners {
		if d.Faces = d.Faces.Face(id); user != "" {
			d.Faces = d.Faces.Owner(id, string(user))
		}
	}
	return d
}

// tidy puts changes in an order, and takes out codes.
func tidy(ch *service.Changes) {
	slices.SortFunc(ch.Faces, func(a, b service.ChangedFace) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	slices.SortFunc(ch.Gone, func(a, b face.ID) int { return bytes.Compare(a[:], b[:]) })
	for i := range ch.Faces {
		ch.Faces[i].Code = nil
	}
	if len(ch.Faces) == 0 {
		ch.Faces = nil
	}
	if len(ch.Gone) == 0 {
		ch.Gone = nil
	}
}

// changed is faces as changes tell of them.
func changed(u service.UserID, faces ...int) (list []service.ChangedFace) {
	for _, n := range faces {
		list = append(list, service.ChangedFace{ID: id(n), User: u})
	}
	return list
}

func testChanges(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	c, other := create(t, s, "people").Serial, create(t, s, "others").Serial
	number := func(want int64) {
		t.Helper()
		about, err := s.Collection(ctx, "people")
		ok(t, err)
		latest, err := s.Changes(ctx, c, want, 1)
		ok(t, err)
		if about.Changes != want || about.Digest != latest.Digest {
			t.Fatalf("%d changes, want %d; digest %x, and %x with the changes", about.Changes, want, about.Digest, latest.Digest)
		}
	}
	wantChanges(t, s, c, 0, service.Changes{})
	addFaces(t, s, c, 3)
	number(1)
	addFaces(t, s, other, 4)
	wantChanges(t, s, c, 0, service.Changes{To: 1, Latest: 1, Total: 3, Faces: changed("", 0, 1, 2)})
	wantChanges(t, s, c, 1, service.Changes{To: 1, Latest: 1, Total: 3})

	// What changes no face has no number.
	added, err := s.AddFaces(ctx, c, newFaces(0, 3), math.MaxInt64)
	ok(t, err)
	if len(added) != 0 {
		t.Fatalf("added again: %v", added)
	}
	_, err = s.AddFaces(ctx, c, newFaces(3, 9), 5)
	wantKind(t, err, service.QuotaExceeded)
	_, _, err = s.DeleteFaces(ctx, c, ids(100, 102), day())
	ok(t, err)
	ok(t, s.SetCodes(ctx, c, newCodes(0, 2)))
	ok(t, s.SetTags(ctx, "people", map[string]string{"a": "b"}, 50))
	ok(t, s.CreateUser(ctx, c, "ann", 10, nil))
	ok(t, s.CreateUser(ctx, c, "bob", 10, nil))
	ok(t, associate(ctx, s, c, "ann", nil, 10, nil))
	ok(t, disassociate(ctx, s, c, "ann", nil, nil))
	wantKind(t, associate(ctx, s, c, "ann", ids(1, 5), 10, nil), service.Conflict)
	ok(t, s.DeleteUser(ctx, c, "bob", nil))
	number(1)

	ok(t, associate(ctx, s, c, "ann", ids(1, 3), 10, nil))
	wantChanges(t, s, c, 1, service.Changes{To: 2, Latest: 2, Total: 3, Faces: changed("ann", 1, 2)})
	wantChanges(t, s, c, 0, service.Changes{To: 2, Latest: 2, Total: 3, Faces: append(changed("", 0), changed("ann", 1, 2)...)})
	ok(t, disassociate(ctx, s, c, "ann", ids(2, 3), nil))
	wantChanges(t, s, c, 2, service.Changes{To: 3, Latest: 3, Total: 3, Faces: changed("", 2)})
	ok(t, s.DeleteUser(ctx, c, "ann", nil))
	wantChanges(t, s, c, 3, service.Changes{To: 4, Latest: 4, Total: 3, Faces: changed("", 1)})

	_, _, err = s.DeleteFaces(ctx, c, append(ids(1, 3), id(77)), day())
	ok(t, err)
	wantChanges(t, s, c, 4, service.Changes{To: 5, Latest: 5, Total: 1, Gone: ids(1, 3)})
	// Deleted and there again is both: it may have been another one.
	_, err = s.AddFaces(ctx, c, newFaces(2, 3), 10)
	ok(t, err)
	wantChanges(t, s, c, 4, service.Changes{To: 6, Latest: 6, Total: 2, Faces: changed("", 2), Gone: ids(1, 3)})
	_, _, err = s.DeleteFaces(ctx, c, ids(2, 3), day())
	ok(t, err)
	wantChanges(t, s, c, 6, service.Changes{To: 7, Latest: 7, Total: 1, Gone: ids(2, 3)})
	wantChanges(t, s, other, 0, service.Changes{To: 1, Latest: 1, Total: 4, Faces: changed("", 0, 1, 2, 3)})

	// Somebody who knows of more than has happened has seen another database.
	got, err := s.Changes(ctx, c, 8, 10)
	ok(t, err)
	if !got.Lost || got.Latest != 7 {
		t.Fatalf("after more than there was: %+v", got)
	}
}

// testPagesOfChanges reads changes in pages of all sizes, none of which may end within a number.
func testPagesOfChanges(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	c := create(t, s, "people").Serial
	sizes, n := []int{1, 5, 1, 1, 7, 2}, 0
	for _, size := range sizes {
		_, err := s.AddFaces(ctx, c, newFaces(n, n+size), math.MaxInt64)
		ok(t, err)
		n += size
	}
	for i := 0; i < n; i += 3 {
		_, _, err := s.DeleteFaces(ctx, c, ids(i, i+2), day())
		ok(t, err)
	}
	for limit := 1; limit <= n+1; limit++ {
		f := newFollower(c)
		pages := f.read(ctx, t, s, limit)
		want := map[face.ID]service.UserID{}
		for i := 2; i < n; i += 3 {
			want[id(i)] = ""
		}
		if !maps.Equal(f.faces, want) {
			t.Fatalf("in pages of %d: %v, want %v", limit, f.faces, want)
		}
		if most := len(sizes) + (n+2)/3; pages > most || limit > n && pages != 1 {
			t.Errorf("%d pages of %d", pages, limit)
		}
	}
	page, err := s.Changes(ctx, c, 1, 3)
	ok(t, err)
	if page.To != 4 || page.Latest <= page.To {
		t.Errorf("a page of 3 goes up to %d of %d, want 4: two of five faces are left, and two of one", page.To, page.Latest)
	}
}

// testOldChanges forgets what was deleted long ago.
func testOldChanges(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	c, other := create(t, s, "people").Serial, create(t, s, "others").Serial
	addFaces(t, s, c, 2000)
	addFaces(t, s, other, 10)
	remove := func(c service.Serial, from, to int, now time.Time) {
		t.Helper()
		_, _, err := s.DeleteFaces(ctx, c, ids(from, to), now)
		ok(t, err)
	}
	remove(c, 0, 1500, day())
	remove(c, 1500, 1600, day().Add(time.Hour))
	remove(other, 0, 5, day().Add(time.Hour))
	lost := func(c service.Serial, after int64) bool {
		t.Helper()
		got, err := s.Changes(ctx, c, after, 10)
		ok(t, err)
		if got.Lost && got.Latest != 3 && got.Latest != 2 {
			t.Errorf("lost, and the latest is %d", got.Latest)
		}
		return got.Lost
	}
	for _, step := range []struct {
		at   time.Duration
		want string // whether what comes after 0, 1, 2 and 3 is lost, and after 1 of the other collection
	}{
		{23 * time.Hour, "false false false false false"},
		{24 * time.Hour, "true true false false false"},
		{24*time.Hour + time.Minute, "true true false false false"},
		{25 * time.Hour, "true true true false true"},
	} {
		_, err := s.Sweep(ctx, day().Add(step.at), 10)
		ok(t, err)
		got := fmt.Sprint(lost(c, 0), lost(c, 1), lost(c, 2), lost(c, 3), lost(other, 1))
		if got != step.want {
			t.Errorf("after %s lost are %s, want %s", step.at, got, step.want)
		}
	}
	wantChanges(t, s, c, 3, service.Changes{To: 3, Latest: 3, Total: 400})
}

// follower is a copy of a collection that is made by following its changes.
type follower struct {
	serial service.Serial
	number int64
	faces  map[face.ID]service.UserID
	codes  map[face.ID][]byte
}

func newFollower(c service.Serial) *follower {
	return &follower{serial: c, faces: map[face.ID]service.UserID{}, codes: map[face.ID][]byte{}}
}

// fataler is a test.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// read takes in all changes in pages of a size, and says how many there were. A copy that has lost track is made anew.
func (f *follower) read(ctx context.Context, t fataler, s service.Store, limit int) (pages int) {
	t.Helper()
	for {
		ch, err := s.Changes(ctx, f.serial, f.number, limit)
		if err != nil {
			t.Fatalf("changes after %d: %v", f.number, err)
		}
		pages++
		if ch.Lost {
			f.anew(ctx, t, s, ch.Latest)
			continue
		}
		if ch.To < f.number || ch.To > ch.Latest || ch.To == f.number && ch.To < ch.Latest {
			t.Fatalf("a page from %d to %d of %d", f.number, ch.To, ch.Latest)
		}
		for _, id := range ch.Gone {
			delete(f.faces, id)
			delete(f.codes, id)
		}
		for _, x := range ch.Faces {
			f.faces[x.ID], f.codes[x.ID] = x.User, x.Code
		}
		if f.number = ch.To; ch.To == ch.Latest {
			if want := digestOf(f.faces); ch.Total != int64(len(f.faces)) || ch.Digest != want {
				t.Fatalf("%d faces, and %d are counted; the digest is %x, want %x", len(f.faces), ch.Total, ch.Digest, want)
			}
			return pages
		}
	}
}

// anew reads the whole collection, which nobody changes meanwhile.
func (f *follower) anew(ctx context.Context, t fataler, s service.Store, number int64) {
	t.Helper()
	list, err := s.Faces(ctx, f.serial, service.FaceQuery{Limit: math.MaxInt32})
	if err != nil {
		t.Fatalf("read anew: %v", err)
	}
	*f = *newFollower(f.serial)
	f.number = number
	for _, x := range list {
		f.faces[x.ID] = x.User
	}
}

// follow takes in all changes and compares the copy with the model.
func (f *follower) follow(ctx context.Context, r *rapid.T, s service.Store, m *model) {
	f.read(ctx, r, s, rapid.IntRange(1, 6).Draw(r, "limit"))
	want := map[face.ID]service.UserID{}
	for i, owner := range m.faces {
		want[id(i)] = owner
		if code, there := f.codes[id(i)]; there && !bytes.Equal(code, newCode(i).Data) {
			r.Fatalf("code of face %d is %x", i, code)
		}
	}
	if !maps.Equal(f.faces, want) || f.number != m.changes {
		r.Fatalf("a copy that follows has %v at %d, want %v at %d", f.faces, f.number, want, m.changes)
	}
}

// testMarks: a mark is kept for thirty days after it was last asked for, and no longer than its collection.
func testMarks(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	c, other := create(t, s, "people").Serial, create(t, s, "others").Serial
	const days = 24 * time.Hour
	want := func(when time.Duration, c service.Serial, mark byte, want bool) {
		t.Helper()
		got, err := s.Marked(ctx, c, service.Mark{0, mark, 255}, day().Add(when))
		if ok(t, err); got != want {
			t.Errorf("after %v, collection %d has mark %d: %v", when, c, mark, got)
		}
	}
	sweep := func(when time.Duration) {
		t.Helper()
		_, err := s.Sweep(ctx, day().Add(when), 10)
		ok(t, err)
	}
	want(0, c, 1, false)
	for mark := range byte(3) {
		ok(t, s.Mark(ctx, c, service.Mark{0, mark, 255}, day()))
	}
	ok(t, s.Mark(ctx, c, service.Mark{0, 1, 255}, day())) // again
	want(0, c, 1, true)
	want(0, other, 1, false)
	sweep(29 * days)
	want(29*days, c, 1, true)
	want(28*days, c, 1, true) // another process's clock is behind
	sweep(30 * days)
	want(30*days, c, 0, false)
	want(30*days, c, 1, true)
	want(30*days, c, 2, false)

	ok(t, s.DeleteCollection(ctx, "people"))
	_, err := s.Marked(ctx, c, service.Mark{0, 1, 255}, day())
	wantKind(t, err, service.NotFound)
	wantKind(t, s.Mark(ctx, c, service.Mark{9}, day()), service.NotFound)
	sweep(0) // removes the collection, which nothing may refer to any more
	ok(t, s.Mark(ctx, other, service.Mark{0, 1, 255}, day()))
	want(0, other, 1, true)
}

// BesideOlder has a program from before there were digests change a collection too, by statements in the store's database. What it
// changes is counted as missing from the digest, for good.
func BesideOlder(t *testing.T, s service.Store, do func(statement string)) {
	t.Helper()
	ctx := t.Context()
	c := create(t, s, "people").Serial
	addFaces(t, s, c, 3)
	want := digestOf(map[face.ID]service.UserID{id(0): "", id(1): "", id(2): ""})
	check := func(when string) {
		t.Helper()
		about, err := s.Collection(ctx, "people")
		ok(t, err)
		ch, err := s.Changes(ctx, c, about.Changes, 10)
		ok(t, err)
		if about.Digest != want || ch.Digest != want {
			t.Fatalf("%s, the digest is %x, and %x with the changes; want %x", when, about.Digest, ch.Digest, want)
		}
	}
	check("at first")
	do(`UPDATE collections SET changes = changes + 1 WHERE id = 'people'`)
	want.Without = 1
	check("after a change by the older program")
	_, err := s.AddFaces(ctx, c, newFaces(3, 4), 10)
	ok(t, err)
	want.Faces = want.Faces.Face(id(3))
	check("after another change")
	do(`INSERT INTO collections (id, model, version, created, faces, changes) VALUES ('theirs', 'm', '1', 1, 0, 2)`)
	if about, err := s.Collection(ctx, "theirs"); err != nil || about.Digest != (service.Digest{Without: 2}) {
		t.Fatalf("a collection of the older program: %+v, %v", about, err)
	}
}
