package service_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// people is one collection as it should be: by name, whose faces there are, and the users.
type people struct {
	faces map[face.ID]*enrolled
	users map[service.UserID]bool
}

type enrolled struct {
	vector []float32
	user   service.UserID
}

// TestTwoProcessesAnswerAsOne does things at random in two processes, of which one has no room for two collections at once, and compares
// every answer with that of a model which is one.
func TestTwoProcessesAnswerAsOne(t *testing.T) {
	t.Parallel()
	a := setup(t)
	tight := func(s *service.Settings) { s.GalleryMemory = 1 }
	processes, runs := []*bed{a, a.beside(tight)}, 0
	rapid.Check(t, func(r *rapid.T) {
		runs++
		m := machine{t: r, processes: processes, run: runs, model: map[service.CollectionID]*people{}}
		r.Repeat(map[string]func(*rapid.T){
			"index":              m.index,
			"delete":             m.remove,
			"create user":        m.createUser,
			"delete user":        m.deleteUser,
			"associate":          m.associate,
			"disassociate":       m.disassociate,
			"delete collection":  m.deleteCollection,
			"start a process":    func(*rapid.T) { processes[1].start(tight) },
			"refresh":            m.refresh,
			"search for a face":  m.searchFaces,
			"search for users":   m.searchUsers,
			"search for a photo": m.searchPhoto,
		})
	})
}

// machine is the things that are done.
type machine struct {
	t         *rapid.T
	processes []*bed
	run       int
	model     map[service.CollectionID]*people
}

func ok(r *rapid.T, err error) {
	if err != nil {
		r.Fatal(err)
	}
}

func (m *machine) process() *bed { return rapid.SampledFrom(m.processes).Draw(m.t, "process") }

// collection is one of two, which is made if it is not there.
func (m *machine) collection() (service.CollectionID, *people) {
	id := service.CollectionID(fmt.Sprintf("run-%d-%s", m.run, rapid.SampledFrom([]string{"a", "b"}).Draw(m.t, "collection")))
	if m.model[id] == nil {
		_, err := m.process().CreateCollection(m.processes[0].t.Context(), id, nil)
		ok(m.t, err)
		m.model[id] = &people{faces: map[face.ID]*enrolled{}, users: map[service.UserID]bool{}}
	}
	return id, m.model[id]
}

func (m *machine) user() service.UserID {
	return rapid.SampledFrom([]service.UserID{"ann", "bob"}).Draw(m.t, "user")
}

// some is some of a collection's faces, and now and then one that is not there.
func (m *machine) some(p *people) []face.ID {
	all := append(slices.SortedFunc(maps.Keys(p.faces), compareIDs), face.ID{9})
	return rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, min(3, len(all)), func(id face.ID) face.ID { return id }).Draw(m.t, "faces")
}

func compareIDs(a, b face.ID) int { return bytes.Compare(a[:], b[:]) }

// looksOf is one of eight looks, of which neighbours are alike.
func (m *machine) looks() (int, testFace) {
	n := rapid.IntRange(0, 7).Draw(m.t, "looks")
	return n, looks(1, float32(n)*0.3, float32(n%3)*0.2)
}

// refresh comes late enough for files of collections to be written again.
func (m *machine) refresh(r *rapid.T) {
	p := m.process()
	p.advance(11 * time.Minute)
	ok(r, p.Refresh(p.t.Context()))
	ok(r, p.KeepFiles(p.t.Context()))
}

func (m *machine) index(r *rapid.T) {
	c, p := m.collection()
	n, f := m.looks()
	done, err := m.process().IndexFaces(m.processes[0].t.Context(), service.IndexRequest{
		Collection: c, Image: photoOf(f), ExternalID: strconv.Itoa(n), Quality: service.QualityNone,
	})
	ok(r, err)
	if id := done.Faces[0].Face.ID; p.faces[id] == nil {
		p.faces[id] = &enrolled{vector: f.Vector}
	}
}

func (m *machine) remove(r *rapid.T) {
	c, p := m.collection()
	ids := m.some(p)
	done, err := m.process().DeleteFaces(m.processes[0].t.Context(), c, ids)
	ok(r, err)
	for _, id := range ids {
		switch f := p.faces[id]; {
		case f == nil:
			if !slices.Contains(done.Unknown, id) {
				r.Fatalf("deleted %+v, and %v is not there", done, id)
			}
		case f.user == "":
			if delete(p.faces, id); !slices.Contains(done.Deleted, id) {
				r.Fatalf("deleted %+v, and %v is nobody's", done, id)
			}
		default:
			if !slices.Contains(done.Associated, service.AssociatedFace{ID: id, User: f.user}) {
				r.Fatalf("deleted %+v, and %v is %s's", done, id, f.user)
			}
		}
	}
}

func (m *machine) createUser(r *rapid.T) {
	c, p := m.collection()
	u := m.user()
	if err := m.process().CreateUser(m.processes[0].t.Context(), c, u, ""); (err == nil) == p.users[u] {
		r.Fatalf("user %s, there %v: %v", u, p.users[u], err)
	}
	p.users[u] = true
}

func (m *machine) deleteUser(r *rapid.T) {
	c, p := m.collection()
	u := m.user()
	if err := m.process().DeleteUser(m.processes[0].t.Context(), c, u, ""); (err == nil) != p.users[u] {
		r.Fatalf("user %s, there %v: %v", u, p.users[u], err)
	}
	delete(p.users, u)
	for _, f := range p.faces {
		if f.user == u {
			f.user = ""
		}
	}
}

// change associates faces with a user, or ends that, and compares what became of each with the model.
func (m *machine) change(
	r *rapid.T, do func(*bed, service.AssociateRequest) (*service.Associated, error),
	changed func(f *enrolled, u service.UserID) bool, to func(service.UserID) service.UserID,
) {
	c, p := m.collection()
	all := face.Similarity(0)
	q := service.AssociateRequest{Collection: c, User: m.user(), IDs: m.some(p), Threshold: &all}
	done, err := do(m.process(), q)
	if !p.users[q.User] {
		if service.KindOf(err) != service.NotFound {
			r.Fatalf("user %s is not there: %+v, %v", q.User, done, err)
		}
		return
	}
	ok(r, err)
	want := service.Associated{Status: service.UserCreated}
	for _, id := range q.IDs {
		switch f := p.faces[id]; {
		case f == nil:
			want.Failed = append(want.Failed, service.NotAssociated{ID: id, Reason: service.UnknownFace})
		case f.user != "" && f.user != q.User:
			want.Failed = append(want.Failed, service.NotAssociated{ID: id, Reason: service.OtherUser, User: f.user})
		case changed(f, q.User):
			want.Done = append(want.Done, id)
			f.user = to(q.User)
		}
	}
	for _, f := range p.faces {
		if f.user == q.User {
			want.Status = service.UserActive
		}
	}
	if fmt.Sprint(*done) != fmt.Sprint(want) {
		r.Fatalf("became of it %+v, want %+v", *done, want)
	}
}

func (m *machine) associate(r *rapid.T) {
	m.change(r, func(b *bed, q service.AssociateRequest) (*service.Associated, error) {
		return b.AssociateFaces(b.t.Context(), q)
	}, func(f *enrolled, _ service.UserID) bool { return f.user == "" }, func(u service.UserID) service.UserID { return u })
}

func (m *machine) disassociate(r *rapid.T) {
	m.change(r, func(b *bed, q service.AssociateRequest) (*service.Associated, error) {
		return b.DisassociateFaces(b.t.Context(), q)
	}, func(f *enrolled, u service.UserID) bool { return f.user == u }, func(service.UserID) service.UserID { return "" })
}

func (m *machine) deleteCollection(r *rapid.T) {
	c, _ := m.collection()
	ok(r, m.process().DeleteCollection(m.processes[0].t.Context(), c))
	delete(m.model, c)
}

// hit is what a search finds, as the model sees it.
type wanted struct {
	id         string
	score      face.Score
	similarity face.Similarity
}

// best is the entries that are similar to a probe: the most similar first, and of those that are as similar the lowest id.
func best(entries map[string][]float32, probe []float32, least face.Similarity) (list []wanted) {
	model := testModel()
	i := model.Cohort.Impostors(probe)
	for id, vector := range entries {
		score := face.Score(float32(face.Dot(probe, vector)))
		if s := model.Calibration.Similarity(score, i); s >= least {
			list = append(list, wanted{id, score, s})
		}
	}
	slices.SortFunc(list, func(a, b wanted) int { return cmp.Or(-cmp.Compare(a.score, b.score), cmp.Compare(a.id, b.id)) })
	return list
}

func (p *people) vectors(but face.ID) map[string][]float32 {
	all := map[string][]float32{}
	for id, f := range p.faces {
		if id != but {
			all[id.String()] = f.vector
		}
	}
	return all
}

func (m *machine) search() (service.Search, face.Similarity) {
	least := rapid.SampledFrom([]face.Similarity{0, 80, 90}).Draw(m.t, "least")
	return service.Search{Threshold: &least}, least
}

// compare compares what was found with the model, down to whose the faces are.
func (m *machine) compare(r *rapid.T, p *people, found *service.FacesFound, want []wanted) {
	if len(found.Hits) != len(want) {
		r.Fatalf("found %+v, want %+v", found.Hits, want)
	}
	for i, h := range found.Hits {
		if h.Face.ID.String() != want[i].id || h.Similarity != want[i].similarity || h.Face.User != p.faces[h.Face.ID].user {
			r.Fatalf("found %+v as number %d, want %+v", h, i, want[i])
		}
	}
}

func (m *machine) searchFaces(r *rapid.T) {
	c, p := m.collection()
	probe := m.some(p)[0]
	q, least := m.search()
	found, err := m.process().SearchFaces(m.processes[0].t.Context(), c, probe, q)
	if p.faces[probe] == nil {
		if e := (*service.Error)(nil); !errors.As(err, &e) || e.Kind != service.Invalid {
			r.Fatalf("a face that is not there: %v, %v", found, err)
		}
		return
	}
	ok(r, err)
	m.compare(r, p, found, best(p.vectors(probe), p.faces[probe].vector, least))
}

func (m *machine) searchPhoto(r *rapid.T) {
	c, p := m.collection()
	_, f := m.looks()
	q, least := m.search()
	found, err := m.process().SearchFacesByImage(m.processes[0].t.Context(), c, photoOf(f), service.QualityNone, q)
	ok(r, err)
	m.compare(r, p, found, best(p.vectors(face.ID{}), f.Vector, least))
}

func (m *machine) searchUsers(r *rapid.T) {
	c, p := m.collection()
	_, f := m.looks()
	q, least := m.search()
	found, err := m.process().SearchUsersByImage(m.processes[0].t.Context(), c, photoOf(f), service.QualityNone, q)
	ok(r, err)
	sums := map[string][]float32{}
	for _, id := range slices.SortedFunc(maps.Keys(p.faces), compareIDs) {
		if f := p.faces[id]; f.user != "" {
			sums[string(f.user)] = face.Plus(sums[string(f.user)], f.vector)
		}
	}
	for _, sum := range sums {
		_, err := face.Normalize(sum)
		ok(r, err)
	}
	want := best(sums, f.Vector, least)
	got := map[string]face.Similarity{}
	for _, h := range found.Hits {
		got[string(h.User.ID)] = h.Similarity
	}
	for _, w := range want {
		if s, there := got[w.id]; !there || s != w.similarity || len(got) != len(want) {
			r.Fatalf("found users %+v, want %+v", found.Hits, want)
		}
	}
	if len(got) != len(want) {
		r.Fatalf("found users %+v, want %+v", found.Hits, want)
	}
}
