package shelf_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
	"github.com/spotter-video/spotter/internal/shelf"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const dim = 8

// table is a store of collections that can be made to fail, and to have things happen while it is read.
type table struct {
	mu          sync.Mutex
	collections map[int64]*rows
	calls       map[string]int
	// before is called before a method does its work, without the lock; its error is the method's.
	before func(method string) error
	// page is how many numbers one page of changes has.
	page int64
}

// rows is one collection.
type rows struct {
	number, swept int64
	faces         map[face.ID]*row
	gone          map[face.ID]int64 // the number of the last deletion
	extra         int64             // what the store counts too many
	digest        shelf.Digest
	marks         map[shelf.Mark]bool
	// history is whose all faces were at each number.
	history map[int64]map[face.ID]string
}

type row struct {
	user   string
	number int64
	vector []float32
	code   []byte
}

func newTable(serials ...int64) *table {
	t := &table{collections: map[int64]*rows{}, calls: map[string]int{}, page: 1000}
	for _, c := range serials {
		t.collections[c] = newRows()
	}
	return t
}

func newRows() *rows {
	return &rows{faces: map[face.ID]*row{}, gone: map[face.ID]int64{}, history: map[int64]map[face.ID]string{}, marks: map[shelf.Mark]bool{}}
}

func id(n int) face.ID { return face.ID{0: byte(n >> 8), 1: byte(n), 15: 1} }

// vector is the embedding of face n: all different, around a circle.
func vector(n int) []float32 {
	v := make([]float32, dim)
	v[0], v[1] = float32(math.Cos(float64(n))), float32(math.Sin(float64(n)))
	_, _ = face.Normalize(v)
	return v
}

// change does something to a collection as one transaction.
func (t *table) change(c int64, do func(*rows)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.collections[c]
	before := r.sum()
	r.number++
	do(r)
	r.digest.Faces ^= before ^ r.sum()
	r.history[r.number] = map[face.ID]string{}
	for f, x := range r.faces {
		r.history[r.number][f] = x.user
	}
}

// sum is the digest of the faces that are there.
func (r *rows) sum() (d face.Digest) {
	for f, x := range r.faces {
		if d = d.Face(f); x.user != "" {
			d = d.Owner(f, x.user)
		}
	}
	return d
}

// add enrols faces from a up to and without b.
func (t *table) add(c int64, a, b int) {
	t.change(c, func(r *rows) {
		for n := a; n < b; n++ {
			r.faces[id(n)] = &row{number: r.number, vector: vector(n), code: gallery.Code(id(n), vector(n))}
		}
	})
}

func (t *table) remove(c int64, faces ...int) {
	t.change(c, func(r *rows) {
		for _, n := range faces {
			delete(r.faces, id(n))
			r.gone[id(n)] = r.number
		}
	})
}

// give makes a face somebody's.
func (t *table) give(c int64, n int, user string) {
	t.change(c, func(r *rows) { r.faces[id(n)].user, r.faces[id(n)].number = user, r.number })
}

// collection is what a request reads before it needs a view.
func (t *table) collection(c int64) shelf.Collection {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.collections[c]
	return shelf.Collection{Serial: c, Name: fmt.Sprintf("collection %d", c), Number: r.number, Faces: int64(len(r.faces)), Digest: r.digest}
}

// called is how often a method was called.
func (t *table) called(method string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.calls[method]
}

// read runs the work of a method.
func (t *table) read(ctx context.Context, method string, c int64, do func(*rows)) error {
	if t.before != nil {
		if err := t.before(method); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls[method]++
	r := t.collections[c]
	if r == nil {
		return shelf.ErrGone
	}
	do(r)
	return nil
}

// Changes implements [shelf.Feed], as the following do.
func (t *table) Changes(ctx context.Context, c, after int64, _ int) (out *shelf.Changes, err error) {
	err = t.read(ctx, "Changes", c, func(r *rows) {
		out = &shelf.Changes{To: min(after+t.page, r.number), Latest: r.number, Total: int64(len(r.faces)) + r.extra, Digest: r.digest}
		if out.Lost = after < r.swept || after > r.number; out.Lost {
			return
		}
		for f, x := range r.faces {
			if x.number > after && x.number <= out.To {
				out.Faces = append(out.Faces, shelf.Face{ID: f, User: x.user, Code: x.code})
			}
		}
		for f, number := range r.gone {
			if number > after && number <= out.To {
				out.Gone = append(out.Gone, f)
			}
		}
	})
	return out, err
}

func (t *table) Codes(ctx context.Context, c int64, after *face.ID, size, limit int) (codes []byte, last *face.ID, err error) {
	err = t.read(ctx, "Codes", c, func(r *rows) {
		for _, f := range sorted(r) {
			if after != nil && bytes.Compare(f[:], after[:]) <= 0 || r.faces[f].code == nil || limit == 0 {
				continue
			}
			limit--
			if last = &f; len(r.faces[f].code) == size {
				codes = append(codes, r.faces[f].code...)
			}
		}
	})
	return codes, last, err
}

func (t *table) Vectors(ctx context.Context, c int64, ids []face.ID) (list []shelf.Vector, err error) {
	err = t.read(ctx, "Vectors", c, func(r *rows) {
		for _, f := range ids {
			if x := r.faces[f]; x != nil {
				list = append(list, shelf.Vector{ID: f, User: x.user, Values: x.vector})
			}
		}
	})
	return list, err
}

func (t *table) EachVector(ctx context.Context, c int64, each func(shelf.Vector) error) error {
	return t.each(ctx, "EachVector", c, each, func(*row) bool { return true })
}

func (t *table) EachOwned(ctx context.Context, c int64, each func(shelf.Vector) error) error {
	return t.each(ctx, "EachOwned", c, each, func(x *row) bool { return x.user != "" })
}

func (t *table) each(ctx context.Context, method string, c int64, each func(shelf.Vector) error, wanted func(*row) bool) error {
	var list []shelf.Vector
	err := t.read(ctx, method, c, func(r *rows) {
		for _, f := range sorted(r) {
			if x := r.faces[f]; wanted(x) {
				list = append(list, shelf.Vector{ID: f, User: x.user, Values: x.vector})
			}
		}
	})
	if method == "EachOwned" {
		slices.SortStableFunc(list, func(a, b shelf.Vector) int { return bytes.Compare([]byte(a.User), []byte(b.User)) })
	}
	for _, v := range list {
		if err == nil {
			err = each(v)
		}
	}
	return err
}

func (t *table) SetCodes(ctx context.Context, c int64, codes []shelf.Code) error {
	return t.read(ctx, "SetCodes", c, func(r *rows) {
		for _, x := range codes {
			if r.faces[x.ID] != nil {
				r.faces[x.ID].code = x.Data
			}
		}
	})
}

func (t *table) Mark(ctx context.Context, c int64, mark shelf.Mark) error {
	return t.read(ctx, "Mark", c, func(r *rows) { r.marks[mark] = true })
}

func (t *table) Marked(ctx context.Context, c int64, mark shelf.Mark) (there bool, err error) {
	err = t.read(ctx, "Marked", c, func(r *rows) { there = r.marks[mark] })
	return there, err
}

func sorted(r *rows) []face.ID {
	return slices.SortedFunc(maps.Keys(r.faces), func(a, b face.ID) int { return bytes.Compare(a[:], b[:]) })
}

// box is a gallery as the shelf wants it.
type box struct{ *gallery.Gallery }

func (b box) Snapshot() shelf.Snapshot { return b.Gallery.Snapshot() }

func newBox(from shelf.Originals) (shelf.Gallery, error) {
	if from == nil {
		g, err := gallery.New(dim)
		return box{g}, err
	}
	g, err := gallery.NewWithOriginals(dim, from)
	return box{g}, err
}

// notes keeps what it is told.
type notes struct {
	mu   sync.Mutex
	list []string
}

func (n *notes) Loaded(name string, faces int, _ time.Duration) { n.put("loaded", name, faces) }
func (n *notes) Sized(name string, faces int)                   { n.put("sized", name, faces) }

func (n *notes) put(what, name string, faces int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, fmt.Sprintf("%s %s %d", what, name, faces))
}

func (n *notes) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := n.list
	n.list = nil
	return list
}

// desk is a shelf of a test.
type desk struct {
	*shelf.Shelf
	t     *testing.T
	table *table
	notes notes
}

func newDesk(t *testing.T, tab *table, change ...func(*shelf.Config)) *desk {
	t.Helper()
	d := &desk{t: t, table: tab}
	c := shelf.Config{
		Feed: tab, NewGallery: newBox, Code: gallery.Code, CodeSize: gallery.CodeSize(dim), Events: &d.notes,
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
	}
	for _, do := range change {
		do(&c)
	}
	d.Shelf = shelf.New(c)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// view acquires a view of a collection as it is now.
func (d *desk) view(c int64) *shelf.View {
	d.t.Helper()
	v, err := d.Acquire(d.t.Context(), d.table.collection(c))
	if err != nil {
		d.t.Fatal(err)
	}
	return v
}

// wantFaces checks which faces a view has, all of which are found by any of them.
func wantFaces(t *testing.T, v *shelf.View, want ...int) {
	t.Helper()
	hits := search(t, v.Faces())
	var ids []face.ID
	for _, h := range hits {
		ids = append(ids, h.ID)
	}
	slices.SortFunc(ids, func(a, b face.ID) int { return bytes.Compare(a[:], b[:]) })
	var wanted []face.ID
	for _, n := range want {
		wanted = append(wanted, id(n))
	}
	if !slices.Equal(ids, wanted) {
		t.Errorf("faces are %v, want %v", ids, want)
	}
}

func search(t *testing.T, s shelf.Searcher) []face.Hit {
	t.Helper()
	hits, err := s.Search(t.Context(), []face.Probe{{Vector: vector(0), MinScore: -2, Limit: 4096}})
	if err != nil {
		t.Fatal(err)
	}
	return hits[0]
}

// wantUsers checks which users a view has, and how similar they are to face 0: whose faces they have.
func wantUsers(t *testing.T, v *shelf.View, want map[string][]int) {
	t.Helper()
	hits := search(t, v.Users())
	if len(hits) != len(want) {
		t.Errorf("%d users, want %d", len(hits), len(want))
	}
	for _, h := range hits {
		user := v.Person(h.ID)
		var sum []float32
		for _, n := range want[user] {
			sum = face.Plus(sum, vector(n))
			if v.Owner(id(n)) != user {
				t.Errorf("face %d is %q's, want %s's", n, v.Owner(id(n)), user)
			}
		}
		if sum == nil {
			t.Errorf("user %q is found", user)
			continue
		}
		if _, err := face.Normalize(sum); err != nil || face.Score(float32(face.Dot(sum, vector(0)))) != h.Score {
			t.Errorf("user %s has a score of %v, want that of the faces %v", user, h.Score, want[user])
		}
	}
}
