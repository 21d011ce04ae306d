package shelf

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// Config is what a shelf needs.
type Config struct {
	Feed Feed
	// NewGallery makes an empty gallery that leaves embeddings where they are, or keeps them if there are no originals (nil).
	NewGallery func(Originals) (Gallery, error)
	// Code makes the code of a face: what a gallery with originals keeps of it. All have CodeSize bytes.
	Code     func(id face.ID, vector []float32) []byte
	CodeSize int
	// Most is how many bytes collections may take in memory; 0 for no limit.
	Most   int64
	Files  Files
	Events Events
	Log    *slog.Logger
	Now    func() time.Time
}

// Shelf is collections in memory. Make it with [New].
type Shelf struct {
	config  Config
	began   time.Time
	flights sync.WaitGroup
	loads   chan struct{} // has an entry for each collection that is being read
	// keeping is held by who writes files, and destroying by who overwrites one.
	keeping, destroying sync.Mutex

	mu      sync.Mutex
	albums  map[int64]*album // by serial; guarded by mu, as are the following
	uses    int64            // how often one was used
	bytes   int64            // of all of them
	writing *writing         // the file that is being written; nil if none is
	busy    map[string]bool  // unfinished files that are being written, or destroyed
	closed  bool
}

// album is one collection: what is in memory of it, and how it gets there.
type album struct {
	serial int64
	name   string

	// The following is guarded by the shelf's lock.
	now    *state  // nil as long as it is not loaded
	flight *flight // that is under way; nil if none is
	used   int64   // when it was used last, by the shelf's count
	wanted int     // views that are out, and those who wait for one
	bytes  int64   // that it takes
	gone   bool    // it is on the shelf no longer
	// deleted is that the collection has been, too.
	deleted bool
	// file is what is in its file, written when one was written last, or was to be. goneAt is the number of the last change in
	// memory that deleted faces, and lost when it was.
	file    kept
	written time.Time
	goneAt  int64
	lost    time.Time
	// uncoded is the faces that have no code, or a damaged one, until codes are written.
	uncoded []face.ID

	// The galleries that states are snapshots of, nil as long as it is not loaded. Only the flight under way uses them.
	faces, users Gallery
}

// state is a collection at one number, immutable but for its count of holders.
type state struct {
	number int64
	digest Digest      // that the store had
	off    face.Digest // by what it differed from that of the faces here
	// missing is how many faces the store has counted that were not there when all were read: 0 unless its count is wrong.
	missing      int64
	size         int // faces that it has
	faces, users Snapshot
	owners       *owners
	holders      int // the album, and views; guarded by the shelf's lock
}

// flight is one load, or one catching up.
type flight struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when err is there
	err    error
}

// serves says whether a state has everything that a collection had when it was read. At its own number it must be the same one: a store
// that has lost changes may have come to that number by others.
func (x *state) serves(c Collection) bool {
	return x.number > c.Number || x.number == c.Number && x.digest == c.Digest
}

// doubtful says whether the store itself does not know which faces it has.
func (x *state) doubtful() bool { return x.missing != 0 || x.digest.Without == 0 && x.off != 0 }

// New makes an empty shelf. Close it when it is no longer needed.
func New(c Config) *Shelf {
	return &Shelf{config: c, began: c.Now(), albums: map[int64]*album{}, busy: map[string]bool{}, loads: make(chan struct{}, loadsAtOnce)}
}

// View is a collection as it was at one number. Its methods are safe for concurrent use.
type View struct {
	shelf    *Shelf
	album    *album
	state    *state
	released atomic.Bool
}

// Faces searches the collection's faces. Not to be used when the view has been released; the same is true of Users.
func (v *View) Faces() Searcher { return v.state.faces }

// Users searches the collection's users, each of whom is the direction of the sum of their faces. [View.Person] says whom an id that
// is found stands for.
func (v *View) Users() Searcher { return v.state.users }

// Person is the user whom an id stands for that was found among the users.
func (v *View) Person(key face.ID) string { return v.state.owners.person(key) }

// Owner says whose a face is; empty if nobody's.
func (v *View) Owner(id face.ID) string { return v.state.owners.of(id) }

// Number is that of the collection's last change in this view.
func (v *View) Number() int64 { return v.state.number }

// Release gives the view back. It may be called again.
func (v *View) Release() {
	if v.released.Swap(true) {
		return
	}
	s := v.shelf
	s.mu.Lock()
	defer s.mu.Unlock()
	v.album.wanted--
	s.letGo(v.state)
	s.trim(0)
}

// Acquire gives a view of a collection that has reached the number at least, to be released. The context ends the waiting only.
// Errors: [ErrGone], [ErrClosed], the context's, and those of the feed and of galleries.
func (s *Shelf) Acquire(ctx context.Context, c Collection) (*View, error) {
	for waiting, own := (*album)(nil), false; ; {
		v, a, f, began := s.take(ctx, c, waiting, own)
		switch {
		case v != nil:
			return v, nil
		case a == nil:
			return nil, ErrClosed
		}
		if own && began && s.behind(a, c.Number) {
			s.giveUp(a)
			return nil, fmt.Errorf("collection %s has had %d changes, and the store does not know of all of them any more", c.Name, c.Number)
		}
		waiting, own = a, began
		if err := f.wait(ctx); err != nil {
			s.giveUp(a)
			return nil, fmt.Errorf("collection %s in memory: %w", c.Name, err)
		}
	}
}

// Follow brings a collection up to its number if it is in memory, without counting as a use of it. Where memory is ahead, or has other
// faces at the same number, it asks the store: that may have lost changes, as a database that has failed over, and then the collection
// is read anew.
func (s *Shelf) Follow(ctx context.Context, c Collection) error {
	s.mu.Lock()
	a := s.albums[c.Serial]
	if a == nil || s.closed || a.now == nil || a.now.number == c.Number && a.now.digest == c.Digest {
		s.mu.Unlock()
		return nil
	}
	if a.flight == nil {
		s.begin(ctx, a, c)
	}
	f := a.flight
	s.mu.Unlock()
	if err := f.wait(ctx); err != nil && !errors.Is(err, ErrGone) {
		return fmt.Errorf("collection %s in memory: %w", c.Name, err)
	}
	return nil
}

// take gives a view, or else the flight that is to be waited for, which it has begun if there was none. Who has waited for the
// album before does so no longer; if that was a flight of their own (asked), memory is as new as what they have read of the
// collection, whatever its digest says. Without an album the shelf is closed.
func (s *Shelf) take(ctx context.Context, c Collection, waiting *album, asked bool) (v *View, a *album, f *flight, began bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if waiting != nil {
		waiting.wanted--
	}
	if s.closed {
		return nil, nil, nil, false
	}
	a = s.find(c)
	s.uses++
	a.used = s.uses
	a.wanted++
	if a.now != nil && (a.now.serves(c) || asked && a.now.number >= c.Number) {
		a.now.holders++
		return &View{shelf: s, album: a, state: a.now}, a, nil, false
	}
	if a.flight == nil {
		began = true
		s.begin(ctx, a, c)
	}
	return nil, a, a.flight, began
}

// giveUp is for who has waited for an album and does so no longer.
func (s *Shelf) giveUp(a *album) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.wanted--
	s.tidy(a)
	s.trim(0)
}

// tidy forgets an album of which nothing is in memory and that nobody waits for.
func (s *Shelf) tidy(a *album) {
	if a.now == nil && a.flight == nil && a.wanted == 0 && s.albums[a.serial] == a {
		delete(s.albums, a.serial)
	}
}

// behind says whether an album is loaded and has not reached a number.
func (s *Shelf) behind(a *album, number int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return a.now != nil && a.now.number < number
}

// find is the album of a collection. What the shelf has of an earlier collection of its name has been deleted. The caller holds the
// lock, as for everything below.
func (s *Shelf) find(c Collection) *album {
	a := s.albums[c.Serial]
	if a != nil {
		return a
	}
	for _, other := range s.albums {
		if other.name == c.Name && other.serial < c.Serial {
			s.removeForGood(other)
		}
	}
	a = &album{serial: c.Serial, name: c.Name}
	s.albums[c.Serial] = a
	return a
}

// begin begins a flight, which goes on when whoever has begun it goes away.
func (s *Shelf) begin(ctx context.Context, a *album, c Collection) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f, from := &flight{cancel: cancel, done: make(chan struct{})}, a.now
	a.flight = f
	if from == nil {
		s.trim(s.estimate(c.Faces))
	}
	s.flights.Go(func() {
		defer cancel()
		began := s.config.Now()
		next, err := s.fly(ctx, a, from, c)
		s.mu.Lock()
		defer s.mu.Unlock()
		a.flight = nil
		f.err = s.land(a, next, err, s.config.Now().Sub(began))
		close(f.done)
	})
}

// wait waits for a flight's end.
func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// land takes over what a flight has brought.
func (s *Shelf) land(a *album, next *state, err error, took time.Duration) error {
	if a.gone || s.closed {
		if next != nil {
			next.holders = 1
			s.letGo(next)
		}
		a.closeGalleries()
		if a.gone {
			return ErrGone
		}
		return ErrClosed
	}
	if err != nil {
		if errors.Is(err, ErrGone) {
			s.removeForGood(a)
		}
		s.tidy(a)
		return err
	}
	before := a.now
	a.now, next.holders = next, 1
	s.bytes -= a.bytes
	a.bytes = a.faces.Bytes() + a.users.Bytes() + next.owners.bytes()
	s.bytes += a.bytes
	if before == nil {
		s.config.Events.Loaded(a.name, a.faces.Len(), took)
	} else {
		s.letGo(before)
		s.config.Events.Sized(a.name, a.faces.Len())
	}
	s.trim(0)
	return nil
}

// letGo is for one holder of a state who needs it no longer.
func (s *Shelf) letGo(x *state) {
	if x.holders--; x.holders > 0 {
		return
	}
	// What closing a snapshot says is of no use: nothing can be lost with it.
	_, _ = x.faces.Close(), x.users.Close()
}

// remove takes an album off the shelf. Views that are out stay as they are.
func (s *Shelf) remove(a *album) {
	if a.gone {
		return
	}
	a.gone = true
	delete(s.albums, a.serial)
	s.bytes -= a.bytes
	if a.now != nil {
		s.letGo(a.now)
		if !s.named(a.name) {
			s.config.Events.Sized(a.name, -1)
		}
	}
	if a.flight != nil {
		a.flight.cancel() // its end closes the galleries
		return
	}
	a.closeGalleries()
}

// removeForGood takes an album off the shelf whose collection has been deleted.
func (s *Shelf) removeForGood(a *album) {
	a.deleted = true
	s.discardLocked(a)
	s.remove(a)
}

// named says whether a loaded collection has this name.
func (s *Shelf) named(name string) bool {
	for _, a := range s.albums {
		if a.name == name && a.now != nil {
			return true
		}
	}
	return false
}

// closeGalleries gives the memory back that no snapshot holds. Only the end of a flight, or who knows that there is none, may do so.
func (a *album) closeGalleries() {
	if a.faces != nil {
		_, _ = a.faces.Close(), a.users.Close() // as in letGo
	}
	a.faces, a.users = nil, nil
}

// trim unloads collections until there is room for so many bytes more, or nothing is left that can be unloaded.
func (s *Shelf) trim(more int64) {
	for s.config.Most > 0 && s.bytes+more > s.config.Most {
		var oldest *album
		for _, a := range s.albums {
			if a.now != nil && a.wanted == 0 && a.flight == nil && a.used < s.uses && (oldest == nil || a.used < oldest.used) {
				oldest = a
			}
		}
		if oldest == nil {
			return
		}
		s.remove(oldest)
	}
}

// idBytes is what a gallery takes for a face beside its code: its id, and an entry in an index of ids.
const idBytes = 64

func (s *Shelf) estimate(faces int64) int64 { return faces * (int64(s.config.CodeSize) + idBytes) }

// Fits says whether a collection of so many faces can be loaded without unloading another one.
func (s *Shelf) Fits(faces int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.config.Most <= 0 || s.bytes+s.estimate(faces) <= s.config.Most
}

// Held is the serials of the collections that are in memory.
func (s *Shelf) Held() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.albums))
}

// Drop forgets a collection that has been deleted. Views that are out stay as they are.
func (s *Shelf) Drop(serial int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.albums[serial]; a != nil {
		s.removeForGood(a)
	}
}

// Close ends what is under way and frees the memory, but for that of views, which is freed when they are released.
func (s *Shelf) Close() error {
	s.mu.Lock()
	s.closed = true
	if s.writing != nil {
		s.writing.cancel(ErrClosed)
	}
	for _, a := range s.albums {
		if a.flight != nil {
			a.flight.cancel()
		}
	}
	s.mu.Unlock()
	s.flights.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.albums {
		s.remove(a)
	}
	return nil
}
