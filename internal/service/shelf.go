package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/shelf"
)

// newShelf makes the shelf on which the service has collections in memory.
func newShelf(p *Ports, s *Settings) *shelf.Shelf {
	return shelf.New(shelf.Config{
		Feed: feed{p.Store, p.Now}, NewGallery: p.NewGallery, Code: p.Code, CodeSize: p.CodeSize, Most: s.GalleryMemory, Files: p.Files,
		Events: told{p.Events}, Log: p.Log, Now: p.Now,
	})
}

// acquire gives a view of a collection, to be released, that has everything that was in the store when the collection was read.
// A change is not made in memory: who makes it changes the store, and every later view has it. [NotFound].
func (s *Service) acquire(ctx context.Context, c *Collection) (*shelf.View, error) {
	v, err := s.shelf.Acquire(ctx, onShelf(c))
	if errors.Is(err, shelf.ErrGone) {
		return nil, errNoCollection(c.ID)
	}
	return v, err
}

func onShelf(c *Collection) shelf.Collection {
	return shelf.Collection{Serial: int64(c.Serial), Name: string(c.ID), Number: c.Changes, Faces: c.Faces, Digest: shelf.Digest(c.Digest)}
}

// feed is the store as the shelf reads it.
type feed struct {
	store Store
	now   func() time.Time
}

// gone says of what has been deleted that it has.
func gone(err error) error {
	if KindOf(err) == NotFound {
		return fmt.Errorf("%w: %w", shelf.ErrGone, err)
	}
	return err
}

// Changes implements [shelf.Feed], as all of the following do.
func (f feed) Changes(ctx context.Context, c, after int64, limit int) (*shelf.Changes, error) {
	ch, err := f.store.Changes(ctx, Serial(c), after, limit)
	if err != nil {
		return nil, gone(err)
	}
	out := &shelf.Changes{
		To: ch.To, Latest: ch.Latest, Total: ch.Total, Digest: shelf.Digest(ch.Digest), Gone: ch.Gone, Lost: ch.Lost, Faces: make([]shelf.Face, len(ch.Faces)),
	}
	for i, x := range ch.Faces {
		out.Faces[i] = shelf.Face{ID: x.ID, User: string(x.User), Code: x.Code}
	}
	return out, nil
}

func (f feed) Codes(
	ctx context.Context, c int64, after *face.ID, size, limit int,
) (codes []byte, last *face.ID, err error) {
	codes, last, err = f.store.Codes(ctx, Serial(c), after, size, limit)
	return codes, last, gone(err)
}

func (f feed) Vectors(ctx context.Context, c int64, ids []face.ID) ([]shelf.Vector, error) {
	list, err := f.store.Vectors(ctx, Serial(c), ids)
	out := make([]shelf.Vector, len(list))
	for i, v := range list {
		out[i] = shelf.Vector{ID: v.ID, User: string(v.User), Values: v.Values}
	}
	return out, gone(err)
}

func (f feed) EachVector(ctx context.Context, c int64, each func(shelf.Vector) error) error {
	return gone(f.store.EachVector(ctx, Serial(c), eachOf(each)))
}

func (f feed) EachOwned(ctx context.Context, c int64, each func(shelf.Vector) error) error {
	return gone(f.store.EachOwned(ctx, Serial(c), eachOf(each)))
}

func eachOf(each func(shelf.Vector) error) func(Vector) error {
	return func(v Vector) error { return each(shelf.Vector{ID: v.ID, User: string(v.User), Values: v.Values}) }
}

func (f feed) SetCodes(ctx context.Context, c int64, codes []shelf.Code) error {
	list := make([]Code, len(codes))
	for i, x := range codes {
		list[i] = Code(x)
	}
	return gone(f.store.SetCodes(ctx, Serial(c), list))
}

func (f feed) Mark(ctx context.Context, c int64, mark shelf.Mark) error {
	return gone(f.store.Mark(ctx, Serial(c), Mark(mark), f.now()))
}

func (f feed) Marked(ctx context.Context, c int64, mark shelf.Mark) (bool, error) {
	there, err := f.store.Marked(ctx, Serial(c), Mark(mark), f.now())
	return there, gone(err)
}

// told tells of what is in memory.
type told struct{ events Events }

// Loaded implements [shelf.Events], as Sized does.
func (t told) Loaded(name string, faces int, took time.Duration) {
	t.events.GalleryLoaded(CollectionID(name), faces, took)
}

func (t told) Sized(name string, faces int) { t.events.GallerySize(CollectionID(name), faces) }
