package storetest

import (
	"bytes"
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

// testFacePaging checks that the pages of any query are what it selects, in order, whatever their size.
func testFacePaging(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	c := create(t, s, "people").Serial
	const n = 40
	addFaces(t, s, c, n)
	ok(t, s.CreateUser(ctx, c, "ann", 10, nil))
	var anns []face.ID
	for i := 3; i < n; i += 3 {
		anns = append(anns, id(i))
	}
	ok(t, associate(ctx, s, c, "ann", anns, n, nil))

	rapid.Check(t, func(r *rapid.T) {
		q := service.FaceQuery{Limit: rapid.IntRange(1, n+1).Draw(r, "limit")}
		if rapid.Bool().Draw(r, "of a user") {
			q.User = rapid.SampledFrom([]service.UserID{"ann", "bob"}).Draw(r, "user")
		}
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, 2*n), 0, n).Draw(r, "ids") {
			q.IDs = append(q.IDs, id(i))
		}
		var want []face.ID
		for i := range n {
			if (q.User == "" || q.User == "ann" && i > 0 && i%3 == 0) && (q.IDs == nil || slices.Contains(q.IDs, id(i))) {
				want = append(want, id(i))
			}
		}
		var got []face.ID
		for {
			page, err := s.Faces(ctx, c, q)
			if err != nil || len(page) > q.Limit {
				r.Fatalf("a page of %d with %d faces: %v", q.Limit, len(page), err)
			}
			if len(page) == 0 {
				break
			}
			for i := range page {
				got = append(got, page[i].ID)
			}
			q.After = &page[len(page)-1].ID
		}
		if diff := cmp.Diff(want, got); diff != "" {
			r.Fatalf("%+v (-want +got):\n%s", q, diff)
		}
	})
}

// model is one collection as it should be.
type model struct {
	faces   map[int]service.UserID
	users   map[service.UserID]bool
	changes int64
}

// changed counts a change of faces, if there was one.
func (m *model) changed(really bool) {
	if really {
		m.changes++
	}
}

func (m *model) of(u service.UserID) (n int) {
	for _, owner := range m.faces {
		if owner == u {
			n++
		}
	}
	return n
}

// testFaceModel does things at random and compares the store with a model after each.
func testFaceModel(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	runs := 0
	names := []service.UserID{"ann", "bob", "cy"}
	rapid.Check(t, func(r *rapid.T) {
		runs++
		name := service.CollectionID(fmt.Sprintf("run-%d", runs))
		c := create(t, s, name).Serial
		m := model{faces: map[int]service.UserID{}, users: map[service.UserID]bool{}}
		eager, lazy := newFollower(c), newFollower(c)
		now := day()
		user := func() service.UserID { return rapid.SampledFrom(names).Draw(r, "user") }
		span := func() (a, b int) {
			a = rapid.IntRange(0, 12).Draw(r, "from")
			return a, a + rapid.IntRange(0, 4).Draw(r, "faces")
		}
		r.Repeat(map[string]func(*rapid.T){
			"add": func(r *rapid.T) {
				a, b := span()
				added, err := s.AddFaces(ctx, c, newFaces(a, b), math.MaxInt64)
				var want []face.ID
				for i := a; i < b; i++ {
					if _, there := m.faces[i]; !there {
						m.faces[i] = ""
						want = append(want, id(i))
					}
				}
				if err != nil || !slices.Equal(added, want) {
					r.Fatalf("added %v, want %v: %v", added, want, err)
				}
				m.changed(len(want) > 0)
			},
			"delete": func(r *rapid.T) {
				a, b := span()
				deleted, associated, err := s.DeleteFaces(ctx, c, ids(a, b), now)
				if err != nil {
					r.Fatal(err)
				}
				m.changed(len(deleted) > 0)
				for i := a; i < b; i++ {
					owner, there := m.faces[i]
					if slices.Contains(deleted, id(i)) != (there && owner == "") || associated[id(i)] != owner {
						r.Fatalf("face %d of %q: deleted %v, associated %v", i, owner, deleted, associated)
					}
					if owner == "" {
						delete(m.faces, i)
					}
				}
			},
			"create user": func(r *rapid.T) {
				u := user()
				if err := s.CreateUser(ctx, c, u, 3, nil); (err == nil) == m.users[u] {
					r.Fatalf("user %s, there: %v: %v", u, m.users[u], err)
				}
				m.users[u] = true
			},
			"delete user": func(r *rapid.T) {
				u := user()
				if err := s.DeleteUser(ctx, c, u, nil); (err == nil) != m.users[u] {
					r.Fatalf("user %s, there: %v: %v", u, m.users[u], err)
				}
				delete(m.users, u)
				m.changed(m.of(u) > 0)
				for i, owner := range m.faces {
					if owner == u {
						m.faces[i] = ""
					}
				}
			},
			"associate": func(r *rapid.T) {
				u := user()
				a, b := span()
				possible := m.users[u] && m.of(u)+b-a <= 6
				for i := a; i < b; i++ {
					owner, there := m.faces[i]
					possible = possible && there && owner == ""
				}
				possible = possible || m.users[u] && a == b
				if err := associate(ctx, s, c, u, ids(a, b), 6, nil); (err == nil) != possible {
					r.Fatalf("associate %d to %d with %s, possible: %v: %v", a, b, u, possible, err)
				}
				m.changed(possible && a < b)
				if possible {
					for i := a; i < b; i++ {
						m.faces[i] = u
					}
				}
			},
			"disassociate": func(r *rapid.T) {
				u := user()
				a, b := span()
				possible := m.users[u]
				for i := a; i < b; i++ {
					possible = possible && m.faces[i] == u
				}
				if err := disassociate(ctx, s, c, u, ids(a, b), nil); (err == nil) != possible {
					r.Fatalf("let go of %d to %d of %s, possible: %v: %v", a, b, u, possible, err)
				}
				m.changed(possible && a < b)
				if possible {
					for i := a; i < b; i++ {
						m.faces[i] = ""
					}
				}
			},
			"follow": func(r *rapid.T) { lazy.follow(ctx, r, s, &m) },
			"sweep": func(r *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 15).Draw(r, "hours")) * time.Hour)
				if _, err := s.Sweep(ctx, now, 100); err != nil {
					r.Fatal(err)
				}
			},
			"": func(r *rapid.T) {
				compare(t, r, s, name, c, &m)
				eager.follow(ctx, r, s, &m)
			},
		})
	})
}

func compare(t *testing.T, r *rapid.T, s service.Store, name service.CollectionID, c service.Serial, m *model) {
	t.Helper()
	ctx := t.Context()
	codes, _, err := s.Codes(ctx, c, nil, codeSize, 100)
	if wanted := codesOf(slices.Sorted(maps.Keys(m.faces))...); err != nil || !bytes.Equal(codes, wanted) {
		r.Fatalf("codes are %x, want %x: %v", codes, wanted, err)
	}
	got := map[face.ID]service.UserID{}
	list, err := s.Faces(ctx, c, service.FaceQuery{Limit: 100})
	if err != nil {
		r.Fatal(err)
	}
	for _, f := range list {
		got[f.ID] = f.User
	}
	want := map[face.ID]service.UserID{}
	for i, owner := range m.faces {
		want[id(i)] = owner
	}
	if !maps.Equal(got, want) {
		r.Fatalf("faces are %v, want %v", got, want)
	}
	users, err := s.Users(ctx, c, 0, 100)
	if err != nil || len(users) != len(m.users) {
		r.Fatalf("users are %v, want %v: %v", users, m.users, err)
	}
	for _, u := range users {
		if (u.Status == service.UserActive) != (m.of(u.ID) > 0) {
			r.Fatalf("user %s with %d faces is %s", u.ID, m.of(u.ID), u.Status)
		}
	}
	about, err := s.Collection(ctx, name)
	if err != nil || about.Faces != int64(len(m.faces)) || about.Users != int64(len(m.users)) || about.Changes != m.changes ||
		about.Digest != digestOf(want) {
		r.Fatalf("counted are %+v, want %d faces, %d users, %d changes and the digest %x: %v",
			about, len(m.faces), len(m.users), m.changes, digestOf(want), err)
	}
}
