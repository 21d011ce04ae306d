package shelf

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
)

const (
	// changesAtOnce is how many changes are read at once, of each kind: some megabytes of codes.
	changesAtOnce = 4096
	// vectorsAtOnce is how many embeddings are read at once: 8 MB at 512 dimensions.
	vectorsAtOnce = 4096
)

// fly brings an album from one state, nil if it is not loaded, to one that has a collection's number at least. The caller takes
// over the hold on the new one. A fault costs this flight and not the process.
func (s *Shelf) fly(ctx context.Context, a *album, from *state, c Collection) (next *state, err error) {
	defer func() {
		if p := recover(); p != nil {
			next, err = nil, fmt.Errorf("the collection was being read: %v\n%s", p, debug.Stack())
		}
	}()
	if from == nil {
		return s.load(ctx, a, c)
	}
	d := &draft{shelf: s, serial: a.serial, faces: a.faces, users: a.users, number: from.number, owners: from.owners.clone()}
	if err = d.follow(ctx); err == nil && (d.missing() != from.missing || d.strayed(from.off, from.digest.Without)) {
		s.config.Log.LogAttrs(ctx, slog.LevelError, "memory and database differ: the collection is read anew",
			slog.String("collection_id", a.name), slog.Int64("number", d.number), slog.Int("faces", d.faces.Len()), slog.Int64("counted", d.total))
		err = errLost
	}
	if errors.Is(err, errLost) {
		s.discard(a) // faces that have been deleted may be in it
		return s.load(ctx, a, c)
	}
	if err != nil {
		return nil, err
	}
	return s.publish(a, d), nil
}

// publish makes a draft a state.
func (s *Shelf) publish(a *album, d *draft) *state {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.uncoded = append(a.uncoded, d.mend...)
	if d.goneAt > a.goneAt {
		a.goneAt, a.lost = d.goneAt, s.config.Now()
	}
	if a.file.there && a.file.number < a.goneAt || s.writing != nil && s.writing.serial == a.serial && s.writing.number < a.goneAt {
		s.discardLocked(a)
	}
	return &state{
		number: d.number, digest: d.digest, missing: d.missing(), off: d.off(), size: d.faces.Len(), owners: d.owners,
		faces: d.faces.Snapshot(), users: d.users.Snapshot(),
	}
}

// errLost is that the store does not know any more what has changed.
var errLost = errors.New("what has changed is not known any more")

// draft is a state in the making. What is done to the galleries stays where the rest is thrown away; whoever begins again finds it
// done.
type draft struct {
	shelf        *Shelf
	serial       int64
	faces, users Gallery
	number       int64  // up to which changes have been taken in
	latest       int64  // that of the store when it was asked last
	total        int64  // faces that it had then
	digest       Digest // that it had then
	goneAt       int64  // by which number the last faces had been deleted
	owners       *owners
	touched      map[string]bool  // users whose faces have become others
	uncoded      map[face.ID]bool // faces that have come without a good code
	mend         []face.ID        // those of which codes are to be written
}

// missing is how many faces the store has counted that are not in memory.
func (d *draft) missing() int64 { return d.total - int64(d.faces.Len()) }

// off is by what the store's digest differs from that of what is in memory. It stays the same as long as the two see the same changes.
func (d *draft) off() face.Digest { return d.digest.Faces ^ d.faces.Digest() ^ d.owners.digest }

// strayed says whether memory has seen other changes than the store since they were off by so much. It cannot be told across changes
// that are not in the digest.
func (d *draft) strayed(off face.Digest, without int64) bool {
	return d.digest.Without == without && d.off() != off
}

// follow takes in what has changed. Embeddings, of faces without codes and of those that make up users, are read in transactions of
// their own; they stay what they are for as long as they are there. Where one is not, there is more to follow.
func (d *draft) follow(ctx context.Context) error {
	d.touched, d.uncoded = map[string]bool{}, map[face.ID]bool{}
	for {
		if err := d.changes(ctx); err != nil {
			return err
		}
		settled, err := d.addUncoded(ctx)
		if err != nil {
			return err
		}
		same, err := d.setUsers(ctx)
		if err != nil || settled && same {
			return err
		}
	}
}

// changes takes in all changes up to the latest.
func (d *draft) changes(ctx context.Context) error {
	for {
		ch, err := d.shelf.config.Feed.Changes(ctx, d.serial, d.number, changesAtOnce)
		if err != nil {
			return err
		}
		d.latest, d.total, d.digest = ch.Latest, ch.Total, ch.Digest
		if ch.Lost {
			return errLost
		}
		if err := d.take(ch); err != nil {
			return err
		}
		if d.number = ch.To; ch.To >= ch.Latest {
			return nil
		}
	}
}

// take takes in some changes. What was deleted may have been added again, and not the other way round.
func (d *draft) take(ch *Changes) error {
	if len(ch.Gone) > 0 {
		d.faces.Delete(ch.Gone)
		d.goneAt = ch.To
	}
	for _, id := range ch.Gone {
		delete(d.uncoded, id)
		d.own(id, "")
	}
	var codes []byte
	var fresh []face.ID
	for i := range ch.Faces {
		f := &ch.Faces[i]
		d.own(f.ID, f.User)
		if d.faces.Has(f.ID) {
			continue
		}
		fresh = append(fresh, f.ID)
		if len(f.Code) == d.shelf.config.CodeSize {
			codes = append(codes, f.Code...)
		}
	}
	if len(codes) > 0 {
		if _, err := d.faces.AddCodes(codes); err != nil {
			return err
		}
	}
	for _, id := range fresh {
		if !d.faces.Has(id) {
			d.uncoded[id] = true
		}
	}
	return nil
}

// own takes note of whose a face is.
func (d *draft) own(id face.ID, user string) {
	before := d.owners.set(id, user)
	if before == user {
		return
	}
	for _, u := range []string{before, user} {
		if u != "" {
			d.touched[u] = true
		}
	}
}

// addUncoded adds the faces that have come without a code by their embeddings. It says false if one has been deleted since.
func (d *draft) addUncoded(ctx context.Context) (settled bool, err error) {
	for ids := range slices.Chunk(slices.SortedFunc(maps.Keys(d.uncoded), compareIDs), vectorsAtOnce) {
		vectors, err := d.shelf.config.Feed.Vectors(ctx, d.serial, ids)
		if err != nil {
			return false, err
		}
		var b batch
		for _, v := range vectors {
			b.put(v.ID, v.Values)
		}
		if err := d.faces.Add(b.ids, b.vectors); err != nil {
			return false, err
		}
		d.mend = append(d.mend, b.ids...)
		for _, id := range b.ids {
			delete(d.uncoded, id)
		}
	}
	return len(d.uncoded) == 0, nil
}

// setUsers makes the embeddings of users anew whose faces have become others. It says false if one of these has been deleted since.
func (d *draft) setUsers(ctx context.Context) (settled bool, err error) {
	var users []string
	var ids []face.ID
	flush := func() error {
		vectors, err := d.shelf.config.Feed.Vectors(ctx, d.serial, ids)
		if err != nil {
			return err
		}
		if err = d.replaceUsers(users, vectors); err == nil {
			users, ids = nil, nil
		}
		return err
	}
	for _, user := range slices.Sorted(maps.Keys(d.touched)) {
		users, ids = append(users, user), append(ids, d.owners.held(user)...)
		if len(ids) >= vectorsAtOnce {
			if err := flush(); err != nil {
				return false, err
			}
		}
	}
	if len(users) > 0 {
		if err := flush(); err != nil {
			return false, err
		}
	}
	return len(d.touched) == 0, nil
}

// replaceUsers makes the embeddings of users, of whose faces the store has these now. A user of whose faces one has been deleted since
// is left for later.
func (d *draft) replaceUsers(users []string, vectors []Vector) error {
	known := make(map[face.ID][]float32, len(vectors))
	for _, v := range vectors {
		known[v.ID] = v.Values
	}
	var fresh people
	for _, user := range users {
		sum, same := []float32(nil), true
		for _, id := range d.owners.held(user) { // by id, so that the sum has the same bits in every process
			v := known[id]
			if same = v != nil; !same {
				break
			}
			sum = face.Plus(sum, v)
		}
		if !same {
			continue
		}
		delete(d.touched, user)
		key := keyOf(user)
		d.users.Delete([]face.ID{key})
		d.owners.people.Delete(person{key: key})
		fresh.put(user, sum)
	}
	return fresh.add(d.users, d.owners)
}

// batch is some faces and their embeddings.
type batch struct {
	ids     []face.ID
	vectors []float32
}

func (b *batch) put(id face.ID, vector []float32) {
	b.ids, b.vectors = append(b.ids, id), append(b.vectors, vector...)
}

// people is some users and their embeddings.
type people struct {
	batch
	users []person
}

// put adds a user with the sum of their faces' embeddings, which it takes over. Faces that point in opposite ways have none in
// common; such a user, and one without faces, is found by nobody.
func (p *people) put(user string, sum []float32) {
	if sum == nil {
		return
	}
	if _, err := face.Normalize(sum); err != nil {
		return
	}
	key := keyOf(user)
	p.batch.put(key, sum)
	p.users = append(p.users, person{key, user})
}

// add adds all of them to a gallery of users.
func (p *people) add(g Gallery, o *owners) error {
	if err := g.Add(p.ids, p.vectors); err != nil {
		return err
	}
	for _, u := range p.users {
		o.people.ReplaceOrInsert(u)
	}
	*p = people{}
	return nil
}
