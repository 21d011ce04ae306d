package shelf_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
	"github.com/spotter-video/spotter/internal/shelf"
)

// drawer is a folder of files, and a clock for those who use it.
type drawer struct {
	t      *testing.T
	folder string
	past   atomic.Int64 // how much time has passed
}

func newDrawer(t *testing.T) *drawer {
	t.Helper()
	return &drawer{t: t, folder: filepath.Join(t.TempDir(), "files")}
}

func (w *drawer) wait(d time.Duration) { w.past.Add(int64(d)) }

// desk makes a shelf that keeps files of all collections.
func (w *drawer) desk(tab *table) *desk {
	w.t.Helper()
	return newDesk(w.t, tab, w.files)
}

// files has a shelf keep files of all collections.
func (w *drawer) files(c *shelf.Config) {
	c.Files = shelf.Files{Folder: w.folder, Room: func(int64) bool { return true }}
	c.Now = func() time.Time { return time.Now().Add(time.Duration(w.past.Load())) }
}

// keep lets a shelf write files.
func (w *drawer) keep(d *desk) {
	w.t.Helper()
	if err := errors.Join(d.TidyFiles(d.table.all()), d.KeepFiles(w.t.Context())); err != nil {
		w.t.Fatal(err)
	}
}

// wantFiles closes a shelf, which ends what it does to files, and checks which there are.
func (w *drawer) wantFiles(d *desk, want ...string) {
	w.t.Helper()
	if err := d.Close(); err != nil {
		w.t.Fatal(err)
	}
	if got := w.list(); !slices.Equal(got, want) {
		w.t.Errorf("files are %q, want %q", got, want)
	}
}

func (w *drawer) list() (names []string) {
	w.t.Helper()
	list, err := os.ReadDir(w.folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Fatal(err)
	}
	for _, f := range list {
		names = append(names, f.Name())
	}
	return names
}

// one is the content of the only file.
func (w *drawer) one() (path string, content []byte) {
	w.t.Helper()
	names := w.list()
	if len(names) != 1 {
		w.t.Fatalf("files are %q, want one", names)
	}
	path = filepath.Join(w.folder, names[0])
	content, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	return path, content
}

// all is every collection, as a process reads them now and then.
func (t *table) all() (list []shelf.Collection) {
	t.mu.Lock()
	serials := slices.Sorted(maps.Keys(t.collections))
	t.mu.Unlock()
	for _, c := range serials {
		list = append(list, t.collection(c))
	}
	return list
}

// family is a collection of forty faces, of which some are somebody's.
func family() *table {
	tab := newTable(1)
	tab.add(1, 0, 40)
	tab.give(1, 3, "ann")
	tab.give(1, 5, "ann")
	tab.give(1, 7, "bob")
	return tab
}

func TestAFileIsReadInstead(t *testing.T) {
	t.Parallel()
	w, tab := newDrawer(t), family()
	d := w.desk(tab)
	d.view(1).Release()
	w.keep(d)
	if path, _ := w.one(); !isPrivate(t, path) || !isPrivate(t, w.folder) {
		t.Error("others may read it")
	}
	w.wantFiles(d, "1.collection")
	codes, owned := tab.called("Codes"), tab.called("EachOwned")
	tab.give(1, 5, "bob")
	tab.add(1, 40, 45)
	d = w.desk(tab)
	v := d.view(1)
	defer v.Release()
	wantFaces(t, v, count(45)...)
	wantUsers(t, v, map[string][]int{"ann": {3}, "bob": {5, 7}})
	if want := tab.collection(1).Number; v.Number() != want {
		t.Errorf("number %d, want %d", v.Number(), want)
	}
	if v.Owner(id(7)) != "bob" || v.Owner(id(8)) != "" {
		t.Error("owners are wrong")
	}
	if tab.called("Codes") != codes || tab.called("EachOwned") != owned {
		t.Error("the collection was read from the store")
	}
}

func isPrivate(t *testing.T, path string) bool {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()&0o077 == 0
}

// TestDeletedFacesLeaveFiles: a file that has a deleted face goes at once, and another is written when no more follow.
func TestDeletedFacesLeaveFiles(t *testing.T) {
	t.Parallel()
	w, tab := newDrawer(t), family()
	d := w.desk(tab)
	d.view(1).Release()
	w.keep(d)
	_, content := w.one()
	if code := id(20); !bytes.Contains(content, code[:]) {
		t.Fatal("the face that is to be deleted is not in the file")
	}
	w.wait(time.Hour)
	tab.remove(1, 20)
	if err := d.Follow(t.Context(), tab.collection(1)); err != nil {
		t.Fatal(err)
	}
	w.keep(d)
	w.wantFiles(d)

	d = w.desk(tab)
	d.view(1).Release()
	w.wait(time.Hour)
	w.keep(d)
	_, content = w.one()
	if code := id(20); bytes.Contains(content, code[:]) {
		t.Error("the new file has the deleted face")
	}
	// Another one is deleted while nobody has the collection in memory, here or in a process that begins later.
	w.wantFiles(d, "1.collection")
	tab.remove(1, 21)
	d = w.desk(tab)
	v := d.view(1)
	defer v.Release()
	wantFaces(t, v, append(count(20), 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39)...)
	w.wantFiles(d)
}

// TestFilesOfNoUse are removed although their collections are not in memory, and others are not.
func TestFilesOfNoUse(t *testing.T) {
	t.Parallel()
	w, tab := newDrawer(t), newTable(1, 2, 3, 4, 5)
	for c := range int64(5) {
		tab.add(c+1, 0, 20)
	}
	d := w.desk(tab)
	for c := range int64(5) {
		d.view(c + 1).Release()
	}
	w.keep(d)
	w.wantFiles(d, "1.collection", "2.collection", "3.collection", "4.collection", "5.collection")

	tab.add(2, 30, 31) // what has changed may have lost faces
	delete(tab.collections, 3)
	delete(tab.collections, 4)
	fell := copyOf(tab.collections[5])
	fell.digest.Faces++ // the store has fallen back, and come to the same number by other changes
	tab.collections[5] = fell
	for name, age := range map[string]time.Duration{
		".new-old": 2 * time.Hour, ".old-killed": time.Minute, ".new-young": -time.Minute, "letter.txt": 2 * time.Hour,
	} {
		path := filepath.Join(w.folder, name)
		if err := os.WriteFile(path, []byte("a face"), 0o600); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(-age)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	d = w.desk(tab)
	if _, err := d.Acquire(t.Context(), shelf.Collection{Serial: 4, Name: "collection 4", Number: 1}); !errors.Is(err, shelf.ErrGone) {
		t.Fatalf("Acquire = %v", err)
	}
	w.keep(d)
	w.wantFiles(d, ".new-young", "1.collection", "letter.txt")

	d = w.desk(tab)
	d.view(1).Release()
	d.Drop(1)
	w.wantFiles(d, ".new-young", "letter.txt")
}

// TestNoFilesAnyMore: what was kept before they were switched off is neither used nor left.
func TestNoFilesAnyMore(t *testing.T) {
	t.Parallel()
	w, tab := newDrawer(t), family()
	d := w.desk(tab)
	d.view(1).Release()
	w.keep(d)
	w.wantFiles(d, "1.collection")
	none := func(c *shelf.Config) { c.Files = shelf.Files{Folder: w.folder, None: true} }
	d = newDesk(t, tab, none)
	d.view(1).Release()
	if got := tab.called("Marked"); got != 0 {
		t.Errorf("a file was read: %d", got)
	}
	w.wantFiles(d, "1.collection")
	d = newDesk(t, tab, none)
	w.keep(d)
	w.wantFiles(d)
}

// TestFilesAreNotWrittenTooOften: a file that is a little behind is as good as a new one.
func TestFilesAreNotWrittenTooOften(t *testing.T) {
	t.Parallel()
	w, tab := newDrawer(t), newTable(1)
	d := newDesk(t, tab, w.files, func(c *shelf.Config) { c.Files.Least = 10 })
	marks := func(when string, want int) {
		t.Helper()
		d.view(1).Release()
		w.wait(time.Hour)
		w.keep(d)
		if got := tab.called("Mark"); got != want {
			t.Errorf("%s, %d files have been written, want %d", when, got, want)
		}
	}
	tab.add(1, 0, 9)
	marks("too few faces", 0)
	tab.add(1, 9, 10)
	marks("enough faces", 1)
	marks("nothing new", 1)
	tab.add(1, 10, 100)
	marks("not much new", 1)
	tab.add(1, 100, 10_200)
	marks("much new", 2)
	tab.change(1, func(r *rows) { r.number += 10_001 })
	marks("many changes", 3)
	w.wait(15 * 24 * time.Hour)
	marks("after two weeks", 4)
	tab.change(1, func(r *rows) { r.number += 10_001 })
	d.view(1).Release()
	w.keep(d)
	w.wait(5 * time.Minute)
	w.keep(d)
	if got := tab.called("Mark"); got != 4 {
		t.Errorf("written again soon after: %d", got)
	}
	tab.remove(1, 1)
	w.wait(time.Hour)
	d.view(1).Release()
	w.wait(9 * time.Minute)
	w.keep(d)
	if got := tab.called("Mark"); got != 4 {
		t.Errorf("written soon after a face was deleted: %d", got)
	}
	for len(w.list()) > 0 { // it is overwritten side by side
		time.Sleep(time.Millisecond)
	}
	marks("long after", 5)
}

// slow is a gallery whose snapshots are not written to an end until they are told, or somebody should have ended it for long, and say
// when they begin.
type slow struct {
	shelf.Gallery
	began chan<- struct{}
	end   <-chan struct{}
}

func (g slow) Snapshot() shelf.Snapshot { return slowSnapshot{g.Gallery.Snapshot(), g.began, g.end} }

type slowSnapshot struct {
	shelf.Snapshot
	began chan<- struct{}
	end   <-chan struct{}
}

func (s slowSnapshot) Write(w io.Writer) error {
	s.began <- struct{}{}
	for range 10_000 {
		select {
		case <-s.end:
			return s.Snapshot.Write(w)
		default:
		}
		if _, err := w.Write(make([]byte, 4<<10)); err != nil {
			return err
		}
		time.Sleep(time.Millisecond) // or the disk is full
	}
	return s.Snapshot.Write(w)
}

// TestFilesThatTakeLong do not keep what was deleted elsewhere from being noticed, in whatever way that happens: the file of that
// collection goes, and one that is unwanted itself is not written to its end.
func TestFilesThatTakeLong(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		happens func(tab *table, d *desk) error
		want    []string // files in the end
	}{
		"nothing": {func(*table, *desk) error { return nil }, []string{"1.collection"}},
		"faces are added": {func(tab *table, d *desk) error {
			tab.add(1, 50, 60)
			return d.Follow(t.Context(), tab.collection(1))
		}, []string{"1.collection"}},
		"a face is deleted": {func(tab *table, d *desk) error {
			tab.remove(1, 20)
			return d.Follow(t.Context(), tab.collection(1))
		}, nil},
		"the collection is deleted": {func(tab *table, d *desk) error {
			tab.mu.Lock()
			defer tab.mu.Unlock()
			delete(tab.collections, 1)
			d.Drop(1)
			return nil
		}, nil},
		"the store loses changes": {func(tab *table, d *desk) error {
			tab.mu.Lock()
			tab.collections[1] = newRows()
			tab.mu.Unlock()
			return d.Follow(t.Context(), tab.collection(1))
		}, nil},
		"it is unloaded": {func(_ *table, d *desk) error { return d.unload(1) }, []string{"1.collection"}},
		"it is unloaded and changed": {func(tab *table, d *desk) error {
			tab.remove(1, 20)
			return d.unload(1)
		}, nil},
		"it is unloaded and loaded": {func(_ *table, d *desk) error {
			err := d.unload(1)
			d.view(1).Release()
			return err
		}, nil},
		"the shelf is closed": {func(_ *table, d *desk) error { return d.Close() }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, tab := newDrawer(t), family()
			tab.collections[2], tab.collections[3] = newRows(), newRows()
			tab.add(2, 0, 40)
			tab.add(3, 0, 40)
			d := w.desk(tab)
			d.view(2).Release()
			w.keep(d)
			w.wantFiles(d, "2.collection")

			began, end := make(chan struct{}, 2), make(chan struct{})
			d = newDesk(t, tab, w.files, func(c *shelf.Config) {
				c.Most = bytesOf(t, 40) * 5 / 2 // two collections
				c.NewGallery = func(from shelf.Originals) (shelf.Gallery, error) {
					g, err := newBox(from)
					return slow{g, began, end}, err
				}
			})
			d.view(2).Release()
			d.view(1).Release()
			var writing sync.WaitGroup
			writing.Go(func() {
				if err := d.KeepFiles(t.Context()); err != nil {
					t.Error(err)
				}
			})
			<-began
			if err := d.KeepFiles(t.Context()); err != nil {
				t.Errorf("a second one that keeps files: %v", err)
			}
			tab.remove(2, 7)
			if err := d.Follow(t.Context(), tab.collection(2)); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(w.folder, "2.collection")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the file with a deleted face: %v", err)
			}
			if err := test.happens(tab, d); err != nil {
				t.Fatal(err)
			}
			if err := d.TidyFiles(tab.all()); err != nil {
				t.Fatal(err)
			}
			if test.want != nil {
				close(end)
			}
			writing.Wait()
			w.wantFiles(d, test.want...)
		})
	}
}

// unload uses other collections until there is no room for one.
func (d *desk) unload(c int64) error {
	for _, other := range []int64{2, 3} {
		d.view(other).Release()
	}
	if held := d.Held(); slices.Contains(held, c) {
		return fmt.Errorf("held are %v", held)
	}
	return nil
}

// TestFilesThatFail: whatever is the matter with a file, the collection is read from the store, and the file goes.
func TestFilesThatFail(t *testing.T) {
	t.Parallel()
	w, tab := newDrawer(t), family()
	d := w.desk(tab)
	d.view(1).Release()
	w.keep(d)
	path, good := w.one()
	w.wantFiles(d, "1.collection")
	other := newDrawer(t)
	elsewhere := family()
	elsewhere.collections[2] = newRows()
	elsewhere.add(2, 0, 30)
	d = other.desk(elsewhere)
	d.view(2).Release()
	other.keep(d)
	_, foreign := other.one()

	content := map[string][]byte{"empty": {}, "another collection's": foreign, "longer is not damaged": append(slices.Clone(good), 1, 2, 3)}
	for at := 0; at < len(good); at += 31 {
		content["cut "+string(rune('a'+at%26))+strings.Repeat("x", at/26)] = good[:at]
		changed := slices.Clone(good)
		changed[at] ^= 1 << (at % 8)
		content["changed "+string(rune('a'+at%26))+strings.Repeat("x", at/26)] = changed
	}
	for name, b := range content {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		before := tab.called("EachOwned")
		d := w.desk(tab)
		v := d.view(1)
		wantFaces(t, v, count(40)...)
		wantUsers(t, v, map[string][]int{"ann": {3, 5}, "bob": {7}})
		v.Release()
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if whole := name == "longer is not damaged"; (len(w.list()) == 1) != whole || (tab.called("EachOwned") == before) != whole {
			t.Fatalf("%s: files are %q", name, w.list())
		}
	}
	for name, spoil := range map[string]func(*rows){
		"the store was put back to before the file":     func(r *rows) { clear(r.marks) },
		"the store knows it and is behind all the same": func(r *rows) { r.number = 1 },
		"what was deleted since is not known any more":  func(r *rows) { r.number, r.swept = 50, 49 },
		"the store has many more faces": func(r *rows) {
			for n := range 50 {
				r.number++
				r.faces[id(100+n)] = &row{number: r.number, vector: vector(100 + n), code: gallery.Code(id(100+n), vector(100+n))}
			}
		},
		"the store has another face": func(r *rows) {
			r.faces[id(90)] = &row{number: 1, vector: vector(90), code: gallery.Code(id(90), vector(90))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, tab := newDrawer(t), family()
			d := w.desk(tab)
			d.view(1).Release()
			w.keep(d)
			w.wantFiles(d, "1.collection")
			spoil(tab.collections[1])
			d = w.desk(tab)
			v := d.view(1)
			defer v.Release()
			if got := len(search(t, v.Faces())); got != len(tab.collections[1].faces) {
				t.Errorf("%d faces, want %d", got, len(tab.collections[1].faces))
			}
			w.wantFiles(d)
		})
	}
}

// TestAStoreThatIsAway is no fault of the file.
func TestAStoreThatIsAway(t *testing.T) {
	t.Parallel()
	w, tab := newDrawer(t), family()
	d := w.desk(tab)
	d.view(1).Release()
	w.keep(d)
	w.wantFiles(d, "1.collection")
	away := errors.New("the store is away")
	for _, method := range []string{"Marked", "Changes"} {
		d = w.desk(tab)
		tab.before = func(m string) error {
			if m == method {
				return away
			}
			return nil
		}
		if _, err := d.Acquire(t.Context(), tab.collection(1)); !errors.Is(err, away) {
			t.Errorf("%s: Acquire = %v", method, err)
		}
		w.wantFiles(d, "1.collection")
	}
}

// TestFilesThatCannotBeWritten leave nothing behind, and nobody without a collection.
func TestFilesThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	tab := family()
	broken := errors.New("broken")
	for name, x := range map[string]struct {
		change func(t *testing.T, c *shelf.Config)
		ctx    func(context.Context) context.Context
		want   string
	}{
		"no room": {func(_ *testing.T, c *shelf.Config) { c.Files.Room = func(int64) bool { return false } }, nil, "too little room"},
		"a file where the folder is to be": {func(t *testing.T, c *shelf.Config) {
			t.Helper()
			if err := os.WriteFile(c.Files.Folder, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, nil, "not a directory"},
		"the store does not take the mark": {func(_ *testing.T, c *shelf.Config) { c.Feed = markless{tab, broken} }, nil, "broken"},
		"it is broken off": {func(*testing.T, *shelf.Config) {}, func(ctx context.Context) context.Context {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx
		}, "canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newDrawer(t)
			d := newDesk(t, tab, func(c *shelf.Config) {
				c.Files = shelf.Files{Folder: w.folder, Room: func(int64) bool { return true }}
				x.change(t, c)
			})
			v := d.view(1)
			defer v.Release()
			ctx := t.Context()
			if x.ctx != nil {
				ctx = x.ctx(ctx)
			}
			if err := d.KeepFiles(ctx); err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("KeepFiles = %v, want %q", err, x.want)
			}
			wantFaces(t, v, count(40)...)
			if list, err := os.ReadDir(w.folder); err == nil && len(list) > 0 {
				t.Errorf("left: %v", list)
			}
		})
	}
}

type markless struct {
	*table
	err error
}

func (m markless) Mark(context.Context, int64, shelf.Mark) error { return m.err }

// TestFilesOfRandomLives changes a collection at random, by processes that begin and end, and now and then puts the store back to a
// backup. Whatever is in memory is what the store has.
func TestFilesOfRandomLives(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 2))
		w, tab := newDrawer(t), newTable(1)
		tab.add(1, 0, 30)
		d := w.desk(tab)
		var backup *rows
		next, fromFiles, fallen := 30, 0, 0
		for step := range 120 {
			r := tab.collections[1]
			switch random.IntN(9) {
			case 0, 1:
				n := 1 + random.IntN(5)
				tab.add(1, next, next+n)
				next += n
			case 2:
				n := random.IntN(next)
				if x := r.faces[id(n)]; x != nil && x.user == "" && len(r.faces) > 1 {
					tab.remove(1, n)
				}
			case 3:
				if n := random.IntN(next); r.faces[id(n)] != nil {
					tab.give(1, n, []string{"", "ann", "bob"}[random.IntN(3)])
				}
			case 4:
				w.wait(time.Hour)
				w.keep(d)
			case 5, 6:
				if err := d.Close(); err != nil {
					t.Fatal(err)
				}
				d = w.desk(tab)
			case 7:
				switch {
				case random.IntN(3) > 0:
				case backup == nil || random.IntN(2) == 0:
					backup = copyOf(r)
				default: // under a server that runs, as a database that fails over, or has stopped
					stopped := random.IntN(2) == 0
					if stopped {
						if err := d.Close(); err != nil {
							t.Fatal(err)
						}
					}
					tab.collections[1] = copyOf(backup)
					if stopped {
						d = w.desk(tab)
					} else {
						fallen++
					}
				}
			case 8:
				if err := d.Follow(t.Context(), tab.collection(1)); err != nil {
					t.Fatal(err)
				}
			}
			if random.IntN(3) == 0 {
				before := tab.called("Marked") - tab.called("Codes")
				v := d.view(1)
				if tab.called("Marked")-tab.called("Codes") > before {
					fromFiles++
				}
				if fallen == 0 || v.Number() <= tab.collections[1].number { // or the minute is not over
					wantState(t, tab, v, seed, step)
				}
				v.Release()
			}
			if t.Failed() {
				return
			}
		}
		if fromFiles == 0 && seed == 0 {
			t.Error("no file was ever used")
		}
	}
}

func copyOf(r *rows) *rows {
	c := *r
	c.faces, c.gone, c.history, c.marks = map[face.ID]*row{}, maps.Clone(r.gone), maps.Clone(r.history), maps.Clone(r.marks)
	for f, x := range r.faces {
		one := *x
		c.faces[f] = &one
	}
	return &c
}

// wantState compares a view with what the store has.
func wantState(t *testing.T, tab *table, v *shelf.View, seed uint64, step int) {
	t.Helper()
	r := tab.collections[1]
	got := map[face.ID]string{}
	for _, h := range search(t, v.Faces()) {
		got[h.ID] = v.Owner(h.ID)
	}
	users := map[string]bool{}
	for _, h := range search(t, v.Users()) {
		users[v.Person(h.ID)] = true
	}
	if !maps.Equal(got, r.history[r.number]) {
		t.Errorf("seed %d, step %d: %d faces, and %d are in the store", seed, step, len(got), len(r.faces))
	}
	for _, x := range r.faces {
		if x.user != "" && !users[x.user] {
			t.Errorf("seed %d, step %d: %s is not found", seed, step, x.user)
		}
	}
}

// watch looks at a file that is to go. What it returns checks that nothing of so many bytes is left on the disk.
func (w *drawer) watch(path string, size int) (wantZeros func()) {
	w.t.Helper()
	f, err := os.Open(path)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = f.Close() })
	return func() {
		w.t.Helper()
		left := make([]byte, size)
		if _, err := f.ReadAt(left, 0); err != nil {
			w.t.Fatal(err)
		}
		if slices.ContainsFunc(left, func(b byte) bool { return b != 0 }) {
			w.t.Error("what was in a file that has gone is still on the disk")
		}
	}
}

// TestFilesAreOverwritten reads what is left of a file that was removed.
func TestFilesAreOverwritten(t *testing.T) {
	t.Parallel()
	w, tab := newDrawer(t), family()
	d := w.desk(tab)
	d.view(1).Release()
	w.keep(d)
	path, content := w.one()
	wantZeros := w.watch(path, len(content))
	tab.remove(1, 20)
	d.view(1).Release()
	w.wantFiles(d)
	wantZeros()
}

// TestFilesAreOverwrittenWhenReplaced reads what is left of a file that a newer one has taken the place of.
func TestFilesAreOverwrittenWhenReplaced(t *testing.T) {
	t.Parallel()
	w, tab := newDrawer(t), family()
	d := w.desk(tab)
	d.view(1).Release()
	w.keep(d)
	path, content := w.one()
	wantZeros := w.watch(path, len(content))
	tab.change(1, func(r *rows) { r.number += 10_001 })
	d.view(1).Release()
	w.wait(time.Hour)
	w.keep(d)
	if _, newer := w.one(); bytes.Equal(newer, content) {
		t.Fatal("no newer file was written")
	}
	wantZeros()
	w.wantFiles(d, "1.collection")
}

// TestTheStoreFallsBack while a process goes on, as a database that fails over and loses its last changes: what memory and its file
// have of these goes.
func TestTheStoreFallsBack(t *testing.T) {
	t.Parallel()
	for _, written := range []bool{false, true} {
		w, tab := newDrawer(t), family()
		d := w.desk(tab)
		before := copyOf(tab.collections[1])
		tab.add(1, 50, 51)
		d.view(1).Release()
		if written {
			w.keep(d)
		}
		tab.collections[1] = before
		if err := d.Follow(t.Context(), tab.collection(1)); err != nil {
			t.Fatal(err)
		}
		w.wait(time.Hour)
		w.keep(d)
		tab.add(1, 60, 61)
		v := d.view(1)
		wantState(t, tab, v, 0, 0)
		v.Release()
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		d = w.desk(tab)
		v = d.view(1)
		wantState(t, tab, v, 0, 0)
		v.Release()
		w.wantFiles(d, "1.collection")
	}
}

// TestFilesOfDoubtGo: where the store does not know any more what has been deleted, a file may have it.
func TestFilesOfDoubtGo(t *testing.T) {
	t.Parallel()
	w, tab := newDrawer(t), family()
	d := w.desk(tab)
	d.view(1).Release()
	w.keep(d)
	tab.remove(1, 20)
	tab.collections[1].swept = tab.collections[1].number
	d.view(1).Release()
	w.keep(d)
	w.wantFiles(d)
}

// TestWhatHappensWhileAFileIsWritten deletes a face, and the collection, in the middle of it.
func TestWhatHappensWhileAFileIsWritten(t *testing.T) {
	t.Parallel()
	for name, happen := range map[string]func(tab *table, d *desk) error{
		"a face is deleted": func(tab *table, d *desk) error {
			tab.remove(1, 20)
			return d.Follow(t.Context(), tab.collection(1))
		},
		"the collection is deleted": func(_ *table, d *desk) error {
			d.Drop(1)
			return nil
		},
		"a face is deleted while it is not in memory": func(tab *table, d *desk) error {
			err := d.unload(1)
			tab.remove(1, 20)
			d.view(1).Release()
			return err
		},
	} {
		w, tab := newDrawer(t), family()
		for c := range int64(2) {
			tab.collections[c+2] = newRows()
			tab.add(c+2, 0, 39)
		}
		d := newDesk(t, tab, w.files, func(c *shelf.Config) { c.Most, c.Files.Least = bytesOf(t, 40)*3/2, 40 })
		d.view(1).Release()
		happened := false
		tab.before = func(method string) (err error) {
			if method == "Mark" {
				happened = true
				if err = happen(tab, d); err != nil {
					t.Error(err)
				}
			}
			return err
		}
		if w.keep(d); !happened {
			t.Fatal("no file was written")
		}
		if w.wantFiles(d); t.Failed() {
			t.Fatal(name)
		}
	}
}

// TestNoFilesOfDoubt: what is not as the store has it is not written.
func TestNoFilesOfDoubt(t *testing.T) {
	t.Parallel()
	w, tab := newDrawer(t), family()
	tab.collections[1].extra = 1
	d := w.desk(tab)
	d.view(1).Release()
	w.keep(d)
	w.wantFiles(d)

	w, tab = newDrawer(t), family()
	tab.collections[1].faces[id(9)].code = nil
	d = w.desk(tab)
	d.view(1).Release()
	if w.keep(d); len(w.list()) > 0 {
		t.Error("a file keeps a later start from finding that codes are missing")
	}
	if err := d.MendCodes(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.keep(d)
	w.wantFiles(d, "1.collection")
}
