package shelf

import (
	"context"
	"errors"
	"log/slog"

	"github.com/spotter-video/spotter/internal/face"
)

// loadBatch is how many faces are added to a gallery at once: enough that its locks and views, and the statement that reads
// them, cost nothing, and some megabytes.
const loadBatch = 4096

// loadsAtOnce is how many collections are read at once. Each holds a connection of the store for as long as its owned faces take, which is
// minutes for millions; others need some too, such as who says that this process lives.
const loadsAtOnce = 8

// load reads a collection into new galleries, from its file if there is one, and follows what happens to it meanwhile from the number on that it had before.
func (s *Shelf) load(ctx context.Context, a *album, c Collection) (*state, error) {
	select {
	case s.loads <- struct{}{}:
		defer func() { <-s.loads }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if a.faces == nil { // what has gone wrong in memory may have got into a file
		if x, err := s.fromFile(ctx, a, c); x != nil || err != nil {
			return x, err
		}
	}
	for again := false; ; {
		d, err := s.draft(a.serial)
		if err != nil {
			return nil, err
		}
		if err = d.load(ctx, c); err == nil && !again && d.strayed(0, 0) {
			s.config.Log.LogAttrs(ctx, slog.LevelWarn, "the database has lost changes while a collection was being read, or its digest is wrong: "+
				"it is read again", slog.String("collection_id", c.Name))
			again, err = true, errLost
		}
		if err == nil {
			a.closeGalleries() // of before
			a.faces, a.users = d.faces, d.users
			s.mu.Lock()
			a.uncoded = nil
			s.mu.Unlock()
			return s.publish(a, d), nil
		}
		err = errors.Join(err, d.faces.Close(), d.users.Close())
		if !errors.Is(err, errLost) {
			return nil, err
		}
		c.Number = d.latest // loading took so long
	}
}

// draft is an empty collection.
func (s *Shelf) draft(serial int64) (*draft, error) {
	faces, err := s.config.NewGallery(originals{s.config.Feed, serial})
	if err != nil {
		return nil, err
	}
	users, err := s.config.NewGallery(nil)
	if err != nil {
		return nil, errors.Join(err, faces.Close())
	}
	return &draft{shelf: s, serial: serial, faces: faces, users: users, owners: newOwners()}, nil
}

// load fills an empty draft: with codes, and with the embeddings of those faces only that have none.
func (d *draft) load(ctx context.Context, c Collection) error {
	d.number = c.Number
	l := loader{draft: d}
	if err := l.end(l.codes(ctx)); err != nil {
		return err
	}
	if err := l.owners(ctx); err != nil {
		return err
	}
	if err := d.follow(ctx); err != nil || d.missing() <= 0 {
		return err
	}
	before := len(d.mend)
	if err := l.end(d.shelf.config.Feed.EachVector(ctx, d.serial, l.take)); err != nil {
		return err
	}
	d.shelf.config.Log.LogAttrs(ctx, slog.LevelInfo, "faces have no codes, or damaged ones: new ones are made",
		slog.String("collection_id", c.Name), slog.Int("faces", len(d.mend)-before))
	return d.follow(ctx)
}

// originals reads the embeddings of a collection's faces for its gallery.
type originals struct {
	feed   Feed
	serial int64
}

// Originals implements the port of the same name.
func (o originals) Originals(ctx context.Context, ids []face.ID, each func(face.ID, []float32) error) error {
	list, err := o.feed.Vectors(ctx, o.serial, ids)
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

// loader fills a draft's galleries. Reading and adding take about as long as each other, so they go side by side: while one batch is
// being added the next one is read.
type loader struct {
	*draft
	next  batch      // is being read
	added chan error // has the outcome of the batch that is being added; nil if none is
}

// codes reads faces by their codes.
func (l *loader) codes(ctx context.Context) error {
	var after *face.ID
	for {
		codes, last, err := l.shelf.config.Feed.Codes(ctx, l.serial, after, l.shelf.config.CodeSize, loadBatch)
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
	if l.next.put(v.ID, v.Values); len(l.next.ids) < loadBatch {
		return nil
	}
	return l.flush()
}

// flush begins to add those of the faces that have been read by their embeddings which the gallery does not have yet.
func (l *loader) flush() error {
	full := l.next
	l.next = batch{}
	return l.add(func() error {
		fresh, dim := batch{}, len(full.vectors)/len(full.ids)
		for i, id := range full.ids {
			if !l.faces.Has(id) {
				fresh.put(id, full.vectors[i*dim:(i+1)*dim])
			}
		}
		l.mend = append(l.mend, fresh.ids...)
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

// owners reads whose faces are, and makes the users' embeddings. A user's faces come one after another, by id.
func (l *loader) owners(ctx context.Context) error {
	var user string
	var sum []float32
	var some people
	done := func() error {
		some.put(user, sum)
		sum = nil
		if len(some.ids) < loadBatch {
			return nil
		}
		return some.add(l.users, l.draft.owners)
	}
	err := l.shelf.config.Feed.EachOwned(ctx, l.serial, func(v Vector) error {
		if v.User != user {
			if err := done(); err != nil {
				return err
			}
			user = v.User
		}
		sum = face.Plus(sum, v.Values)
		l.draft.owners.set(v.ID, user)
		return nil
	})
	if err == nil {
		err = done()
	}
	if err != nil {
		return err
	}
	return some.add(l.users, l.draft.owners)
}
