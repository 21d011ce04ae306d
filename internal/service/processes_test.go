package service_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/shelf"
)

// beside is another process with the same database.
func (b *bed) beside(change ...func(*service.Settings)) *bed {
	b.t.Helper()
	other := &bed{t: b.t, store: b.store, now: b.clock(), objects: b.objects, videos: &readVideos{}, files: b.t.TempDir()}
	other.start(change...)
	return other
}

// finds checks who is found by a face of this look, with a similarity of 80.
func (b *bed) finds(when string, c service.CollectionID, f testFace, want ...face.ID) {
	b.t.Helper()
	found, err := b.SearchFacesByImage(b.t.Context(), c, photoOf(f), service.QualityNone, service.Search{})
	if err != nil {
		b.t.Errorf("%s: %v", when, err)
		return
	}
	var ids []face.ID
	for _, h := range found.Hits {
		ids = append(ids, h.Face.ID)
	}
	if !slices.Equal(ids, want) {
		b.t.Errorf("%s: found %v, want %v", when, ids, want)
	}
}

// findsUsers is the same for users.
func (b *bed) findsUsers(when string, c service.CollectionID, f testFace, want ...service.UserID) {
	b.t.Helper()
	found, err := b.SearchUsersByImage(b.t.Context(), c, photoOf(f), service.QualityNone, service.Search{})
	if err != nil {
		b.t.Errorf("%s: %v", when, err)
		return
	}
	var ids []service.UserID
	for _, h := range found.Hits {
		ids = append(ids, h.User.ID)
	}
	if !slices.Equal(ids, want) {
		b.t.Errorf("%s: found users %v, want %v", when, ids, want)
	}
}

// gives associates a face with a user.
func (b *bed) gives(c service.CollectionID, u service.UserID, id face.ID) {
	b.t.Helper()
	done, err := b.AssociateFaces(b.t.Context(), service.AssociateRequest{Collection: c, User: u, IDs: []face.ID{id}})
	if err != nil || len(done.Done) != 1 {
		b.t.Fatalf("%+v, %v", done, err)
	}
}

func (b *bed) deletes(c service.CollectionID, ids ...face.ID) {
	b.t.Helper()
	done, err := b.DeleteFaces(b.t.Context(), c, ids)
	if err != nil || len(done.Deleted) != len(ids) {
		b.t.Errorf("deleted %v of %v: %v", done, ids, err)
	}
}

// TestWhatOneProcessAnswersTheOtherKnows changes a collection in two processes that both have it in memory.
func TestWhatOneProcessAnswersTheOtherKnows(t *testing.T) {
	t.Parallel()
	a := setup(t)
	b := a.beside()
	a.collection("people")
	anna, berta := looks(1), looks(0, 1)
	a.finds("nobody is there", "people", anna)
	b.finds("nobody is there", "people", anna)

	id := a.index("people", "anna", anna)[0]
	b.finds("indexed there", "people", anna, id)
	other := b.index("people", "berta", berta)[0]
	a.finds("indexed there", "people", berta, other)
	if again := b.index("people", "anna", anna)[0]; again != id {
		t.Errorf("indexed again it is %v, was %v", again, id)
	}
	b.finds("indexed again", "people", anna, id)

	b.deletes("people", id)
	a.finds("deleted there", "people", anna)
	a.index("people", "anna", anna)
	b.finds("there again", "people", anna, id)
	a.deletes("people", id, other)
	b.finds("both are deleted", "people", anna)
	b.finds("both are deleted", "people", berta)
}

// TestUsersOfTwoProcesses changes whose faces are in two processes that both have them in memory.
func TestUsersOfTwoProcesses(t *testing.T) {
	t.Parallel()
	a := setup(t)
	b := a.beside()
	ctx := t.Context()
	a.collection("people")
	anna := looks(1)
	id := a.index("people", "anna", anna)[0]
	for _, u := range []service.UserID{"anna", "berta"} {
		if err := a.CreateUser(ctx, "people", u, ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []*bed{a, b} {
		p.findsUsers("nobody has faces", "people", anna)
	}
	request := func(u service.UserID) service.AssociateRequest {
		return service.AssociateRequest{Collection: "people", User: u, IDs: []face.ID{id}}
	}
	if done, err := a.AssociateFaces(ctx, request("anna")); err != nil || len(done.Done) != 1 {
		t.Fatalf("associated %+v, %v", done, err)
	}
	b.findsUsers("associated there", "people", anna, "anna")
	done, err := b.AssociateFaces(ctx, request("berta"))
	if err != nil || len(done.Failed) != 1 || done.Failed[0].Reason != service.OtherUser || done.Failed[0].User != "anna" {
		t.Errorf("associating what is anna's with berta: %+v, %v", done, err)
	}
	if done, err = b.DisassociateFaces(ctx, request("anna")); err != nil || len(done.Done) != 1 || done.Status != service.UserCreated {
		t.Errorf("disassociated %+v, %v", done, err)
	}
	a.findsUsers("disassociated there", "people", anna)
	if done, err = a.AssociateFaces(ctx, request("berta")); err != nil || len(done.Done) != 1 {
		t.Errorf("associated %+v, %v", done, err)
	}
	b.findsUsers("another's by now", "people", anna, "berta")
	if err = b.DeleteUser(ctx, "people", "berta", ""); err != nil {
		t.Error(err)
	}
	a.findsUsers("deleted there", "people", anna)
	if deleted, err := a.DeleteFaces(ctx, "people", []face.ID{id}); err != nil || len(deleted.Deleted) != 1 {
		t.Errorf("deleted %+v, %v", deleted, err)
	}
}

// TestCollectionsOfTwoProcesses deletes a collection and makes another one of its name.
func TestCollectionsOfTwoProcesses(t *testing.T) {
	t.Parallel()
	a := setup(t)
	b := a.beside()
	ctx := t.Context()
	a.collection("people")
	anna := looks(1)
	old := a.index("people", "anna", anna)[0]
	b.finds("indexed there", "people", anna, old)
	if err := a.DeleteCollection(ctx, "people"); err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"index": func() error {
			_, err := b.IndexFaces(ctx, service.IndexRequest{Collection: "people", Image: photoOf(anna)})
			return err
		},
		"search": func() error {
			_, err := b.SearchFacesByImage(ctx, "people", photoOf(anna), "", service.Search{})
			return err
		},
		"delete": func() error { _, err := b.DeleteFaces(ctx, "people", []face.ID{old}); return err },
	} {
		wantKind(t, name+" in a deleted collection", call(), service.NotFound)
	}
	b.collection("people")
	a.finds("made anew", "people", anna)
	made := a.index("people", "anna", anna)[0]
	if made == old {
		t.Error("the face has its id of before")
	}
	b.finds("indexed there", "people", anna, made)
}

// TestManyAtTwoProcesses has many callers at both processes at once. Each follows a face of its own, which nobody else changes.
func TestManyAtTwoProcesses(t *testing.T) {
	t.Parallel()
	a := setup(t)
	processes := []*bed{a, a.beside(), a.beside(func(s *service.Settings) { s.GalleryMemory = 1 })}
	a.collection("people")
	ctx := t.Context()
	const callers, rounds = 6, 5
	all := face.Similarity(0)
	var running sync.WaitGroup
	for n := range callers {
		running.Go(func() {
			f := looks(1, float32(n+1)) // as a photo, each is another one
			user := service.UserID(strconv.Itoa(n))
			if err := a.CreateUser(ctx, "people", user, ""); err != nil {
				t.Error(err)
			}
			for round := range rounds {
				p := func(i int) *bed { return processes[(n+round+i)%len(processes)] }
				id := p(0).index("people", string(user), f)[0]
				sees := func(i int) (seen bool, who service.UserID) {
					found, err := p(i).SearchFacesByImage(ctx, "people", photoOf(f), service.QualityNone, service.Search{Threshold: &all})
					if err != nil {
						t.Error(err)
						return false, ""
					}
					for _, h := range found.Hits {
						if h.Face.ID == id {
							return true, h.Face.User
						}
					}
					return false, ""
				}
				if seen, _ := sees(1); !seen {
					t.Errorf("caller %d, round %d: what was indexed is not found", n, round)
				}
				r := service.AssociateRequest{Collection: "people", User: user, IDs: []face.ID{id}}
				if done, err := p(2).AssociateFaces(ctx, r); err != nil || len(done.Done) != 1 {
					t.Errorf("caller %d, round %d: associated %+v, %v", n, round, done, err)
				}
				found, err := p(0).SearchUsersByFace(ctx, "people", id, service.Search{Threshold: &all})
				if err != nil || !slices.ContainsFunc(found.Hits, func(h service.UserHit) bool { return h.User.ID == user }) {
					t.Errorf("caller %d, round %d: found users %+v, %v", n, round, found, err)
				}
				if done, err := p(1).DisassociateFaces(ctx, r); err != nil || len(done.Done) != 1 {
					t.Errorf("caller %d, round %d: disassociated %+v, %v", n, round, done, err)
				}
				p(2).deletes("people", id)
				if seen, _ := sees(0); seen {
					t.Errorf("caller %d, round %d: what was deleted is found", n, round)
				}
			}
		})
	}
	running.Wait()
}

// TestOneUserOfManyCallers has many callers associate faces with one user at the same time, in two processes: all of them succeed.
func TestOneUserOfManyCallers(t *testing.T) {
	t.Parallel()
	a := setup(t)
	b := a.beside()
	a.collection("people")
	ctx := t.Context()
	if err := a.CreateUser(ctx, "people", "anna", ""); err != nil {
		t.Fatal(err)
	}
	const callers = 12
	var running sync.WaitGroup
	for n := range callers {
		id := a.index("people", strconv.Itoa(n), looks(1, 0.01*float32(n)))[0]
		running.Go(func() {
			r := service.AssociateRequest{Collection: "people", User: "anna", IDs: []face.ID{id}, Token: strconv.Itoa(n)}
			done, err := []*bed{a, b}[n%2].AssociateFaces(ctx, r)
			if err != nil || len(done.Done) != 1 || len(done.Failed) != 0 {
				t.Errorf("associated %+v, %v", done, err)
			}
		})
	}
	running.Wait()
	if list, err := b.Faces(ctx, service.FaceList{Collection: "people", User: "anna"}); err != nil || len(list.Faces) != callers {
		t.Errorf("%d faces, %v", len(list.Faces), err)
	}
}

// TestStrangersFoundNoUserTogether has two processes found a user by faces that are not alike, at the same time: one of them is refused.
func TestStrangersFoundNoUserTogether(t *testing.T) {
	t.Parallel()
	a := setup(t)
	anna := func(n int) service.UserID { return service.UserID(fmt.Sprintf("anna %d", n)) }
	slow := &slowStore{Store: a.store}
	b := a.beside()
	a.store = slow
	a.start()
	a.collection("people")
	ctx := t.Context()
	one, two := a.index("people", "1", looks(1))[0], a.index("people", "2", looks(0, 1))[0]
	if err := a.CreateUser(ctx, "people", anna(1), ""); err != nil {
		t.Fatal(err)
	}
	slow.before = func() {
		done, err := b.AssociateFaces(ctx, service.AssociateRequest{Collection: "people", User: anna(1), IDs: []face.ID{two}})
		if err != nil || len(done.Done) != 1 {
			t.Errorf("the quicker one: %+v, %v", done, err)
		}
	}
	done, err := a.AssociateFaces(ctx, service.AssociateRequest{Collection: "people", User: anna(1), IDs: []face.ID{one}})
	if err != nil || len(done.Failed) != 1 || done.Failed[0].Reason != service.LowSimilarity {
		t.Errorf("the slower one: %+v, %v", done, err)
	}
}

// slowStore has something happen just before a face is associated, once.
type slowStore struct {
	service.Store
	before func()
}

func (s *slowStore) Associate(
	ctx context.Context, c service.Serial, u *service.User, ids []face.ID, most int, token *service.RequestToken,
) error {
	if before := s.before; before != nil {
		s.before = nil
		before()
	}
	return s.Store.Associate(ctx, c, u, ids, most, token)
}

// galleries keeps what is told of galleries.
type galleries struct {
	silence
	mu   sync.Mutex
	told []string
}

func (g *galleries) GalleryLoaded(c service.CollectionID, faces int, _ time.Duration) {
	g.put("loaded", c, faces)
}

func (g *galleries) GallerySize(c service.CollectionID, faces int) { g.put("size", c, faces) }

func (g *galleries) put(what string, c service.CollectionID, faces int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.told = append(g.told, fmt.Sprintf("%s %s %d", what, c, faces))
}

func (g *galleries) want(t *testing.T, want ...string) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if diff := cmp.Diff(want, g.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	g.told = nil
}

// standing is the store that a process uses, until another takes its place.
type standing struct{ service.Store }

// TestFailover has a standby take over that lacks the last change, and gets another one in its place: a process that goes on, and has the
// lost one in memory, learns of it with the next request, or with the next minute.
func TestFailover(t *testing.T) {
	t.Parallel()
	for _, minute := range []bool{false, true} {
		for _, later := range []int{0, 1} {
			primary, standby := setup(t), setup(t)
			now := &standing{primary.store}
			p := primary.beside()
			world := p.ports()
			world.Store = now
			p.startOn(world, service.DefaultSettings())
			var anna face.ID
			for _, b := range []*bed{primary, standby} { // what has got there
				b.collection("people")
				anna = b.index("people", "anna", looks(1))[0]
				for _, u := range []service.UserID{"ann", "bob"} {
					if err := b.CreateUser(t.Context(), "people", u, ""); err != nil {
						t.Fatal(err)
					}
				}
			}
			berta := primary.index("people", "berta", looks(0, 1))[0]
			primary.gives("people", "ann", anna)
			p.finds("before", "people", looks(0, 1), berta)
			p.findsUsers("before", "people", looks(1), "ann")

			now.Store = standby.store
			clara := standby.index("people", "clara", looks(0, 0, 1))[0]
			standby.gives("people", "bob", anna)
			for n := range later {
				standby.index("people", "more", looks(0, 0, 0, float32(n+1)))
			}
			if minute {
				if err := p.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			p.finds("lost", "people", looks(0, 1))
			p.finds("in its place", "people", looks(0, 0, 1), clara)
			p.findsUsers("in place of ann", "people", looks(1), "bob")
		}
	}
}

// TestRefresh changes and deletes collections that another process has in memory and that nobody searches there.
func TestRefresh(t *testing.T) {
	t.Parallel()
	a := setup(t)
	b := a.beside()
	ctx := t.Context()
	var told galleries
	world := b.ports()
	world.Events = &told
	b.startOn(world, service.DefaultSettings())
	for _, c := range []service.CollectionID{"people", "others", "more"} {
		a.collection(c)
		a.index(c, "anna", looks(1))
	}
	refresh := func() {
		t.Helper()
		if err := b.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
	}
	refresh()
	told.want(t) // nothing is loaded for it
	b.index("people", "anna", looks(1))
	b.index("others", "anna", looks(1))
	told.want(t) // and nothing for who changes the store
	for _, c := range []service.CollectionID{"people", "others"} {
		if _, err := b.SearchFacesByImage(ctx, c, photoOf(looks(1)), "", service.Search{}); err != nil {
			t.Fatal(err)
		}
	}
	told.want(t, "loaded people 1", "loaded others 1")
	refresh()
	told.want(t)
	a.index("people", "berta", looks(0, 1))
	a.index("more", "berta", looks(0, 1))
	refresh()
	told.want(t, "size people 2")
	if err := a.DeleteCollection(ctx, "people"); err != nil {
		t.Fatal(err)
	}
	refresh()
	told.want(t, "size people -1")
	if err := b.DeleteCollection(ctx, "others"); err != nil {
		t.Fatal(err)
	}
	told.want(t, "size others -1")
}

// TestLoadFillsTheRoom has room for one collection of two.
func TestLoadFillsTheRoom(t *testing.T) {
	t.Parallel()
	a := setup(t)
	a.collection("people")
	a.collection("others")
	anna := a.index("people", "anna", looks(1))[0]
	berta := a.index("others", "berta", looks(1))[0]
	var told galleries
	b := a.beside()
	world := b.ports()
	world.Events = &told
	settings := service.DefaultSettings()
	settings.GalleryMemory = int64(gallery.CodeSize(dim)) + 64 // what one face is thought to take
	b.startOn(world, settings)
	if err := b.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	told.want(t, "loaded people 1")
	if said := b.log(); !strings.Contains(said, "there is no memory for a collection") || !strings.Contains(said, "collection_id=others") {
		t.Errorf("logged: %s", said)
	}
	b.finds("not loaded", "others", looks(1), berta)
	told.want(t, "size people -1", "loaded others 1")
	b.finds("unloaded", "people", looks(1), anna)
}

// TestAFailureOfMemoryIsMadeUpFor has a gallery refuse what was enrolled, once, when that is in the store already.
func TestAFailureOfMemoryIsMadeUpFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var refuse atomic.Bool
	world := b.ports()
	world.NewGallery = refusing(&refuse)
	b.startOn(world, service.DefaultSettings())
	b.collection("people")
	b.index("people", "anna", looks(1))
	b.finds("nobody alike is there", "people", looks(0, 1))

	refuse.Store(true)
	request := service.IndexRequest{Collection: "people", Image: photoOf(looks(0, 1)), Quality: service.QualityNone}
	_, indexed := b.IndexFaces(t.Context(), request)
	_, searched := b.SearchFacesByImage(t.Context(), "people", photoOf(looks(0, 1)), "", service.Search{})
	if !errors.Is(indexed, errRefused) && !errors.Is(searched, errRefused) {
		t.Fatalf("nothing has failed: %v, %v", indexed, searched)
	}
	again, err := b.IndexFaces(t.Context(), request)
	if err != nil || len(again.Faces) != 1 {
		t.Fatalf("indexed again: %+v, %v", again, err)
	}
	b.finds("after the failure", "people", looks(0, 1), again.Faces[0].Face.ID)
}

// TestJobsMatchNoDeletedFaces deletes a face in another process before a job is finished, and in its own while it is.
func TestJobsMatchNoDeletedFaces(t *testing.T) {
	t.Parallel()
	for name, whole := range map[string]bool{"before": false, "meanwhile": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := setup(t)
			b := a.beside()
			a.collection("people")
			anna := a.index("people", "anna", looks(1))
			berta := a.index("people", "berta", looks(1, 0.1))
			b.finds("before", "people", looks(1), anna[0], berta[0])
			id := a.begin(a.request(a.objects.put("clip.mp4", clip())))
			remove := func() { a.deletes("people", anna...) }
			if whole {
				b.videos.matched = remove
			} else {
				remove()
			}
			for {
				task, more := a.take()
				if !more {
					break
				}
				if err := b.Run(t.Context(), task); err != nil {
					t.Fatal(err)
				}
			}
			for _, order := range []service.Order{service.ByTime, service.ByPerson} {
				for _, s := range b.pages(id, order, 0) {
					for _, h := range s.Hits {
						if h.Face.ID == anna[0] || h.Face.ExternalID == "" {
							t.Errorf("at %s, a match of %+v is kept", s.Time, h.Face)
						}
					}
				}
			}
			if first := b.pages(id, service.ByTime, 0)[0]; len(first.Hits) != 1 || first.Hits[0].Face.ID != berta[0] {
				t.Errorf("matches %+v, want berta alone", first.Hits)
			}
		})
	}
}

var errRefused = errors.New("no memory")

// refusing makes galleries that refuse the next faces when they are told to.
func refusing(refuse *atomic.Bool) func(shelf.Originals) (shelf.Gallery, error) {
	return func(from shelf.Originals) (shelf.Gallery, error) {
		g, err := newTestGallery(from)
		return &refusingGallery{g, refuse}, err
	}
}

type refusingGallery struct {
	shelf.Gallery
	refuse *atomic.Bool
}

func (g *refusingGallery) Add(ids []face.ID, vectors []float32) error {
	if len(ids) > 0 && g.refuse.Swap(false) {
		return errRefused
	}
	return g.Gallery.Add(ids, vectors)
}

func (g *refusingGallery) AddCodes(codes []byte) (int, error) {
	if g.refuse.Swap(false) {
		return 0, errRefused
	}
	return g.Gallery.AddCodes(codes)
}
