package service

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
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
	// uncoded is the faces that had no code, or a damaged one, when the album was loaded, until codes are written.
	uncoded []face.ID
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
		if KindOf(err) == NotFound {
			s.shelf.remove(c.Serial)
		}
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

// remove gives the album of a collection that is gone, if there is one, and has it no longer.
func (s *shelf) remove(serial Serial) *album {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.albums[serial]
	delete(s.albums, serial)
	return a
}

// drop forgets a collection that has been deleted. Searches under way end undisturbed; those that begin now find nothing
// to search.
func (s *Service) drop(serial Serial) error {
	a := s.shelf.remove(serial)
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

// change takes the turn of a collection's loaded album. Whatever is changed in the store under it and then in the album is
// seen in that order by everybody. A collection that has been deleted since it was read is told by the store.
func (s *Service) change(ctx context.Context, c *Collection) (a *album, done func(), err error) {
	if a, err = s.album(ctx, c); err != nil {
		return nil, nil, named(err, c)
	}
	done, err = a.take(ctx)
	return a, done, err
}

// loadBatch is how many faces are added to a gallery at once: enough that its locks and views, and the statement that reads
// them, cost nothing, and some megabytes.
const loadBatch = 4096

// load reads the faces of a collection from the store. The caller has the turn.
func (s *Service) load(ctx context.Context, c *Collection, a *album) (err error) {
	began := s.ports.Now()
	faces, err := s.ports.NewGallery(originals{s.ports.Store, c.Serial})
	if err != nil {
		return err
	}
	users, err := s.ports.NewGallery(nil)
	if err != nil {
		return errors.Join(err, faces.Close())
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, faces.Close(), users.Close())
		}
	}()
	l := loader{faces: faces, owner: map[face.ID]UserID{}, held: map[UserID][]face.ID{}, sums: map[UserID][]float32{}}
	if err := s.readFaces(ctx, c, &l); err != nil {
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
	a.faces, a.users, a.owner, a.held, a.people, a.uncoded = faces, users, l.owner, l.held, people, l.uncoded
	a.loaded.Store(true)
	s.ports.Events.GalleryLoaded(c.ID, faces.Len(), s.ports.Now().Sub(began))
	return nil
}

// readFaces fills a loader: with codes, and with the embeddings of those faces only that have none.
func (s *Service) readFaces(ctx context.Context, c *Collection, l *loader) error {
	if err := l.end(l.codes(ctx, s.ports.Store, c.Serial, s.ports.CodeSize)); err != nil {
		return err
	}
	now, err := s.ports.Store.Collection(ctx, c.ID) // what the caller has read may be from before the last change
	if err != nil {
		return err
	}
	if now.Serial != c.Serial {
		return errNoCollection(c.ID)
	}
	if int64(l.faces.Len()) < now.Faces {
		if err := l.end(s.ports.Store.EachVector(ctx, c.Serial, l.take)); err != nil {
			return err
		}
		s.ports.Log.LogAttrs(ctx, slog.LevelInfo, "faces have no codes, or damaged ones: new ones are made",
			slog.String("collection_id", string(c.ID)), slog.Int("faces", len(l.uncoded)))
	}
	return s.ports.Store.EachOwned(ctx, c.Serial, l.own)
}

// originals reads the embeddings of a collection's faces for its gallery.
type originals struct {
	store  Store
	serial Serial
}

// Originals implements the port of the same name.
func (o originals) Originals(ctx context.Context, ids []face.ID, each func(face.ID, []float32) error) error {
	list, err := o.store.Vectors(ctx, o.serial, ids)
	if err != nil {
		return err
	}
	for _, v := range list {
		if err := each(v.ID, v.Values); err != nil {
			return err
		}
	}
	return nil
}

// loader fills an album from the store. Reading and adding take about as long as each other, so they go side by side: while
// one batch is being added the next one is read.
type loader struct {
	faces   Gallery
	next    batch      // is being read
	added   chan error // has the outcome of the batch that is being added; nil if none is
	uncoded []face.ID
	owner   map[face.ID]UserID
	held    map[UserID][]face.ID
	sums    map[UserID][]float32
}

// batch is some faces and their embeddings.
type batch struct {
	ids     []face.ID
	vectors []float32
}

// codes reads faces by their codes.
func (l *loader) codes(ctx context.Context, store Store, serial Serial, size int) error {
	var after *face.ID
	for {
		codes, last, err := store.Codes(ctx, serial, after, size, loadBatch)
		if err != nil || last == nil {
			return err
		}
		if err := l.add(func() (err error) {
			_, err = l.faces.AddCodes(codes)
			return err
		}); err != nil {
			return err
		}
		after = last
	}
}

// take reads a face by its embedding.
func (l *loader) take(v Vector) error {
	l.next.ids, l.next.vectors = append(l.next.ids, v.ID), append(l.next.vectors, v.Values...)
	if len(l.next.ids) < loadBatch {
		return nil
	}
	return l.flush()
}

// own takes note of whose a face is.
func (l *loader) own(v Vector) error {
	l.owner[v.ID] = v.User
	l.held[v.User] = append(l.held[v.User], v.ID)
	l.sums[v.User] = plus(l.sums[v.User], v.Values)
	return nil
}

// flush begins to add those of the faces that have been read by their embeddings which the gallery does not have yet.
func (l *loader) flush() error {
	full := l.next
	l.next = batch{}
	return l.add(func() error {
		fresh, dim := batch{}, len(full.vectors)/len(full.ids)
		for i, id := range full.ids {
			if !l.faces.Has(id) {
				fresh.ids = append(fresh.ids, id)
				fresh.vectors = append(fresh.vectors, full.vectors[i*dim:(i+1)*dim]...)
			}
		}
		l.uncoded = append(l.uncoded, fresh.ids...)
		return l.faces.Add(fresh.ids, fresh.vectors)
	})
}

// add begins to add a batch, once the one before is in the gallery.
func (l *loader) add(do func() error) error {
	if err := l.await(); err != nil {
		return err
	}
	added := make(chan error, 1)
	l.added = added
	go func() { added <- do() }()
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

// takeUncoded gives the faces that need codes, once.
func (a *album) takeUncoded() []face.ID {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := a.uncoded
	a.uncoded = nil
	return list
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
