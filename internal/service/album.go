package service

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/spotter-video/spotter/internal/face"
)

// shelf holds the collections that are in memory.
type shelf struct {
	mu     sync.Mutex
	albums map[Serial]*album // guarded by mu
}

// album is one collection in memory: the embeddings of its faces, and those of its users, each the direction of the sum of
// the user's faces. The store is the truth; an album follows it.
type album struct {
	serial Serial
	// turn holds one while the album is loaded or changed. It is a channel so that waiting ends with a context.
	turn   chan struct{}
	loaded atomic.Bool
	// dropped says that the collection has been deleted.
	dropped atomic.Bool

	faces, users Gallery // set once, before loaded

	mu     sync.RWMutex
	owner  map[face.ID]UserID // of the faces that are associated; guarded by mu, as are the following
	held   map[UserID][]face.ID
	people map[face.ID]UserID // whom the entries of users stand for
}

// album is a collection's, loaded.
func (s *Service) album(ctx context.Context, c *Collection) (*album, error) {
	a := s.shelf.album(c.Serial)
	if a.loaded.Load() {
		return a, nil
	}
	done, err := a.take(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if a.loaded.Load() {
		return a, nil
	}
	if err := s.load(ctx, c, a); err != nil {
		return nil, err
	}
	return a, nil
}

func (s *shelf) album(serial Serial) *album {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.albums[serial]
	if a == nil {
		a = &album{
			serial: serial, turn: make(chan struct{}, 1),
			owner: map[face.ID]UserID{}, held: map[UserID][]face.ID{}, people: map[face.ID]UserID{},
		}
		s.albums[serial] = a
	}
	return a
}

// drop forgets a collection that has been deleted. Searches under way end undisturbed; those that begin now find nothing
// to search.
func (s *Service) drop(serial Serial) error {
	s.shelf.mu.Lock()
	a := s.shelf.albums[serial]
	delete(s.shelf.albums, serial)
	s.shelf.mu.Unlock()
	if a == nil {
		return nil
	}
	a.dropped.Store(true) // before the galleries are closed, so that whoever meets a closed one knows why
	return a.close()
}

func (a *album) close() error {
	a.turn <- struct{}{}
	defer func() { <-a.turn }()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.faces == nil {
		return nil
	}
	return errors.Join(a.faces.Close(), a.users.Close())
}

// take waits for the turn to change the album; done gives it back.
func (a *album) take(ctx context.Context) (done func(), err error) {
	select {
	case a.turn <- struct{}{}:
		return func() { <-a.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// change takes the turn of a loaded album. Whatever is changed in the store under it and then in the album is seen in that
// order by everybody.
func (s *Service) change(ctx context.Context, id CollectionID) (*Collection, *album, func(), error) {
	c, err := s.searchable(ctx, id)
	if err != nil {
		return nil, nil, nil, err
	}
	a, err := s.album(ctx, c)
	if err != nil {
		return nil, nil, nil, err
	}
	done, err := a.take(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	return c, a, done, nil
}

// loadBatch is how many embeddings are added to a gallery at once: enough that its locks and views cost nothing, and some
// megabytes.
const loadBatch = 2048

// load reads the embeddings of a collection from the store. The caller has the turn.
func (s *Service) load(ctx context.Context, c *Collection, a *album) (err error) {
	began := s.Now()
	faces, err := s.NewGallery()
	if err != nil {
		return err
	}
	users, err := s.NewGallery()
	if err != nil {
		return errors.Join(err, faces.Close())
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, faces.Close(), users.Close())
		}
	}()
	l := loader{faces: faces, owner: map[face.ID]UserID{}, held: map[UserID][]face.ID{}, sums: map[UserID][]float32{}}
	if err := l.end(s.Store.EachVector(ctx, c.Serial, l.take)); err != nil {
		return err
	}
	people := map[face.ID]UserID{}
	for user, sum := range l.sums {
		if err := addUser(users, people, user, sum); err != nil {
			return err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faces, a.users, a.owner, a.held, a.people = faces, users, l.owner, l.held, people
	a.loaded.Store(true)
	s.Events.GalleryLoaded(c.ID, faces.Len(), s.Now().Sub(began))
	return nil
}

// loader fills an album from the store. Reading and adding take about as long as each other, so they go side by side: while
// one batch is being added the next one is read.
type loader struct {
	faces Gallery
	next  batch      // is being read
	added chan error // has the outcome of the batch that is being added; nil if none is
	spare batch      // belongs to that until then
	owner map[face.ID]UserID
	held  map[UserID][]face.ID
	sums  map[UserID][]float32
}

// batch is some faces and their embeddings.
type batch struct {
	ids     []face.ID
	vectors []float32
}

func (l *loader) take(v Vector) error {
	l.next.ids, l.next.vectors = append(l.next.ids, v.ID), append(l.next.vectors, v.Values...)
	if v.User != "" {
		l.owner[v.ID] = v.User
		l.held[v.User] = append(l.held[v.User], v.ID)
		l.sums[v.User] = plus(l.sums[v.User], v.Values)
	}
	if len(l.next.ids) < loadBatch {
		return nil
	}
	return l.flush()
}

// flush begins to add what has been read, once the batch before is in the gallery.
func (l *loader) flush() error {
	if err := l.await(); err != nil {
		return err
	}
	full := l.next
	l.next, l.spare = batch{l.spare.ids[:0], l.spare.vectors[:0]}, full
	added := make(chan error, 1)
	l.added = added
	go func() { added <- l.faces.Add(full.ids, full.vectors) }()
	return nil
}

// await says what became of the batch that is being added.
func (l *loader) await() error {
	if l.added == nil {
		return nil
	}
	err := <-l.added
	l.added = nil
	return err
}

// end adds what is left, unless reading has failed. Nothing is being added any more when it returns.
func (l *loader) end(err error) error {
	if err == nil && len(l.next.ids) > 0 {
		err = l.flush()
	}
	return errors.Join(err, l.await())
}

// plus adds v to a sum that may be nil.
func plus(sum, v []float32) []float32 {
	if sum == nil {
		sum = make([]float32, len(v))
	}
	for i, x := range v {
		sum[i] += x
	}
	return sum
}

// addUser puts a user's embedding into a gallery of users. Faces that point in opposite ways have none in common; such a
// user is found by nobody.
func addUser(users Gallery, people map[face.ID]UserID, user UserID, sum []float32) error {
	if _, err := face.Normalize(sum); err != nil {
		return nil //nolint:nilerr // as the comment says
	}
	id := userKey(user)
	people[id] = user
	return users.Add([]face.ID{id}, sum)
}

// userKey is the id of a user in a gallery of users.
func userKey(user UserID) face.ID {
	sum := sha256.Sum256([]byte(user))
	return face.ID(sum[:16])
}

// ownerOf says whom a face is associated with.
func (a *album) ownerOf(id face.ID) UserID {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.owner[id]
}

// personOf says whom an entry of the gallery of users stands for.
func (a *album) personOf(key face.ID) UserID {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.people[key]
}

// setUser makes these faces, with their embeddings, all that a user has. The caller has the turn.
func (a *album) setUser(user UserID, faces []Vector) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range a.held[user] {
		delete(a.owner, id)
	}
	delete(a.held, user)
	key := userKey(user)
	a.users.Delete([]face.ID{key})
	delete(a.people, key)
	var sum []float32
	for _, v := range faces {
		a.owner[v.ID] = user
		a.held[user] = append(a.held[user], v.ID)
		sum = plus(sum, v.Values)
	}
	if sum == nil {
		return nil
	}
	return addUser(a.users, a.people, user, sum)
}
