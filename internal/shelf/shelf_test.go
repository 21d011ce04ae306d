package shelf_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/shelf"
)

var errTable = errors.New("the table is broken")

func TestViewsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	tab := newTable(1)
	d := newDesk(t, tab)
	tab.add(1, 0, 3)
	tab.give(1, 0, "ann")
	tab.give(1, 1, "ann")
	before := d.view(1)
	defer before.Release()
	tab.remove(1, 2)
	tab.add(1, 5, 7)
	tab.give(1, 1, "bob")
	tab.give(1, 5, "ann")
	after := d.view(1)
	defer after.Release()
	wantFaces(t, before, 0, 1) // 2 is gone from the table, and so from everywhere
	wantUsers(t, before, map[string][]int{"ann": {0, 1}})
	wantFaces(t, after, 0, 1, 5, 6)
	wantUsers(t, after, map[string][]int{"ann": {0, 5}, "bob": {1}})
	if before.Number() != 3 || after.Number() != 7 {
		t.Errorf("views have the numbers %d and %d, want 3 and 7", before.Number(), after.Number())
	}
	// Without the shelf they go on as well.
	d.Drop(1)
	wantUsers(t, before, map[string][]int{"ann": {0, 1}})
	wantFaces(t, after, 0, 1, 5, 6)
	want := []string{"loaded collection 1 3", "sized collection 1 4", "sized collection 1 -1"}
	if diff := cmp.Diff(want, d.notes.take()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestCurrentMemoryReadsNothing(t *testing.T) {
	t.Parallel()
	tab := newTable(1)
	d := newDesk(t, tab)
	tab.add(1, 0, 3)
	old := tab.collection(1)
	tab.add(1, 3, 5)
	d.view(1).Release()
	tab.before = func(method string) error { return fmt.Errorf("%s was called", method) }
	for _, c := range []shelf.Collection{old, tab.collection(1)} { // who read an earlier number is served as well
		v, err := d.Acquire(t.Context(), c)
		if err != nil || v.Number() != 2 {
			t.Fatalf("%v, %v", v, err)
		}
		v.Release()
		v.Release()
	}
	if err := d.Follow(t.Context(), tab.collection(1)); err != nil {
		t.Error(err)
	}
}

// TestLoadsLeaveConnectionsToOthers needs many collections at once: the store has few connections, and each that is read holds one.
func TestLoadsLeaveConnectionsToOthers(t *testing.T) {
	t.Parallel()
	const collections, most = 40, 8
	tab := newTable()
	for c := range int64(collections) {
		tab.collections[c+1] = newRows()
		tab.add(c+1, 0, 3)
	}
	d := newDesk(t, tab)
	var now atomic.Int64
	var peaking sync.Mutex
	peak := int64(0)
	full := make(chan struct{})
	var once sync.Once
	tab.before = func(method string) error {
		if method != "EachOwned" {
			return nil
		}
		n := now.Add(1)
		defer now.Add(-1)
		peaking.Lock()
		peak = max(peak, n)
		peaking.Unlock()
		if n >= most {
			once.Do(func() { close(full) })
		}
		<-full
		runtime.Gosched()
		return nil
	}
	var all sync.WaitGroup
	for c := range int64(collections) {
		all.Go(func() { d.view(c + 1).Release() })
	}
	all.Wait()
	if peak != most {
		t.Errorf("%d collections were read at once, want %d", peak, most)
	}
}

// TestOneFlightForAll has many need a collection at once, while it is loaded and while it catches up.
func TestOneFlightForAll(t *testing.T) {
	t.Parallel()
	tab := newTable(1)
	tab.add(1, 0, 3)
	d := newDesk(t, tab)
	for round, method := range []string{"Codes", "Changes"} {
		reading, goOn := make(chan struct{}, 10), make(chan struct{})
		tab.before = func(m string) error {
			if m == method {
				reading <- struct{}{}
				<-goOn
			}
			return nil
		}
		calls := tab.called("Changes")
		var all sync.WaitGroup
		var views atomic.Int64
		for range 20 {
			all.Go(func() {
				v := d.view(1)
				views.Add(1)
				v.Release()
			})
		}
		<-reading
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := d.Acquire(gone, tab.collection(1)); !errors.Is(err, context.Canceled) {
			t.Errorf("who goes away is told %v", err)
		}
		if views.Load() > 0 {
			t.Error("somebody has a view before anything is read")
		}
		close(goOn)
		all.Wait()
		if n := tab.called("Changes") - calls; n != 1 || tab.called("EachOwned") != 1 {
			t.Errorf("round %d: changes were read %d times, want once for all", round, n)
		}
		tab.before = nil
		tab.add(1, 10+round, 11+round)
	}
}

// TestTheFlightGoesOn has the only one who needs a collection go away while it is loaded.
func TestTheFlightGoesOn(t *testing.T) {
	t.Parallel()
	tab := newTable(1)
	tab.add(1, 0, 3)
	d := newDesk(t, tab)
	reading, goOn := make(chan struct{}), make(chan struct{})
	tab.before = func(m string) error {
		if m == "Codes" && tab.called("Codes") == 0 {
			close(reading)
			<-goOn
		}
		return nil
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	away := errors.New("the client is away")
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if _, err := d.Acquire(ctx, tab.collection(1)); !errors.Is(err, away) {
			t.Errorf("who goes away is told %v", err)
		}
	})
	<-reading
	cancel(away)
	waiting.Wait()
	close(goOn)
	v := d.view(1)
	defer v.Release()
	wantFaces(t, v, 0, 1, 2)
	if n := tab.called("EachOwned"); n != 1 {
		t.Errorf("the collection was loaded %d times", n)
	}
}

// TestWhatFailsIsTriedAgain breaks each method of the table, once, while a collection is loaded and while it catches up.
func TestWhatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"Changes", "Codes", "Vectors", "EachVector", "EachOwned"} {
		for _, kind := range []string{"error", "panic"} {
			t.Run(method+" "+kind, func(t *testing.T) {
				t.Parallel()
				tab := newTable(1)
				tab.add(1, 0, 3)
				tab.give(1, 0, "ann")
				tab.collections[1].faces[id(1)].code = nil
				d := newDesk(t, tab)
				var broken atomic.Bool
				tab.before = func(m string) error {
					if m == method && broken.Swap(false) {
						if kind == "panic" {
							panic(errTable.Error())
						}
						return errTable
					}
					return nil
				}
				attempt := func(when string) {
					t.Helper()
					broken.Store(true)
					_, err := d.Acquire(t.Context(), tab.collection(1))
					if failed := !broken.Swap(false); failed != (err != nil) {
						t.Fatalf("%s: %v, failed: %v", when, err, failed)
					}
					if err != nil && !strings.Contains(err.Error(), errTable.Error()) {
						t.Errorf("%s: %v", when, err)
					}
				}
				attempt("load")
				before := d.view(1)
				defer before.Release()
				tab.change(1, func(r *rows) { r.faces[id(7)] = &row{number: r.number, vector: vector(7)} })
				tab.give(1, 1, "ann")
				attempt("catch up")
				wantFaces(t, before, 0, 1, 2)
				wantUsers(t, before, map[string][]int{"ann": {0}})
				after := d.view(1)
				defer after.Release()
				wantFaces(t, after, 0, 1, 2, 7)
				wantUsers(t, after, map[string][]int{"ann": {0, 1}})
			})
		}
	}
}

// TestChangesWhileItIsRead changes a collection between any two reads, as often as it is read.
func TestChangesWhileItIsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		tab := newTable(1)
		tab.add(1, 0, 4)
		tab.page = rapid.Int64Range(1, 4).Draw(r, "page")
		n := 0
		step := func() {
			if rapid.Bool().Draw(r, "another face") {
				n = rapid.IntRange(0, 6).Draw(r, "face")
			}
			tab.mu.Lock()
			x := tab.collections[1].faces[id(n)]
			owned := x != nil && x.user != ""
			tab.mu.Unlock()
			switch user := rapid.SampledFrom([]string{"", "ann", "bob"}).Draw(r, "user"); {
			case x == nil && rapid.Bool().Draw(r, "without a code"):
				tab.change(1, func(r *rows) { r.faces[id(n)] = &row{number: r.number, vector: vector(n)} })
			case x == nil:
				tab.add(1, n, n+1)
			case owned || user != "":
				tab.give(1, n, user)
			default:
				tab.remove(1, n)
			}
		}
		d := newDesk(t, tab)
		var budget atomic.Int64
		tab.before = func(string) error {
			if rapid.Bool().Draw(r, "something happens") && budget.Add(-1) >= 0 {
				step()
			}
			return nil
		}
		for range 8 {
			budget.Store(int64(rapid.IntRange(0, 12).Draw(r, "changes meanwhile")))
			v := d.view(1)
			budget.Store(0)
			wantNumber(t, tab, v)
			v.Release()
			step()
		}
		if n := tab.called("EachOwned"); n != 1 {
			r.Fatalf("the collection was read %d times, want once", n)
		}
		if t.Failed() {
			r.Fatal("see above")
		}
	})
}

// TestFacesThatGoWhileTheyAreRead deletes faces after their changes have been read, and before their embeddings are.
func TestFacesThatGoWhileTheyAreRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ change, meanwhile func(*table) }{
		"without a code": {
			func(tab *table) {
				tab.change(1, func(r *rows) { r.faces[id(6)] = &row{number: r.number, vector: vector(6)} })
			},
			func(tab *table) { tab.remove(1, 6) },
		},
		"of a user": {
			func(tab *table) { tab.give(1, 2, "ann") },
			func(tab *table) { tab.give(1, 0, ""); tab.remove(1, 0) },
		},
		"of a user before": {
			func(tab *table) { tab.give(1, 0, ""); tab.remove(1, 0) },
			func(*table) {},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tab := newTable(1)
			tab.add(1, 0, 4)
			tab.give(1, 0, "ann")
			tab.give(1, 1, "ann")
			d := newDesk(t, tab)
			d.view(1).Release()
			test.change(tab)
			var once atomic.Bool
			tab.before = func(method string) error {
				if method == "Vectors" && !once.Swap(true) {
					test.meanwhile(tab)
				}
				return nil
			}
			v := d.view(1)
			defer v.Release()
			wantNumber(t, tab, v)
			if n := tab.called("EachOwned"); n != 1 || !once.Load() {
				t.Errorf("the collection was read %d times, want once; embeddings were read: %v", n, once.Load())
			}
		})
	}
}

// wantNumber checks that a view is the collection as it was at its number, but for the faces that have been deleted since.
func wantNumber(t *testing.T, tab *table, v *shelf.View) {
	t.Helper()
	r := tab.collections[1]
	var faces []int
	users := map[string][]int{}
	for n := range 7 {
		user, there := r.history[v.Number()][id(n)]
		if there && r.faces[id(n)] != nil {
			faces = append(faces, n)
		}
		if user != "" {
			users[user] = append(users[user], n)
		}
	}
	wantFaces(t, v, faces...)
	wantUsers(t, v, users)
}

// TestLost has a collection lose track of its table, in both ways that there are.
func TestLost(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*rows){
		"what was deleted is forgotten": func(r *rows) { r.swept, r.gone = r.number, map[face.ID]int64{} },
		"a deletion left no trace":      func(r *rows) { r.gone = map[face.ID]int64{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tab := newTable(1)
			tab.add(1, 0, 3)
			d := newDesk(t, tab)
			d.view(1).Release()
			tab.remove(1, 1)
			tab.add(1, 7, 8)
			spoil(tab.collections[1])
			v := d.view(1)
			defer v.Release()
			wantFaces(t, v, 0, 2, 7)
			if n := tab.called("EachOwned"); n != 2 {
				t.Errorf("loaded %d times, want twice", n)
			}
			want := []string{"loaded collection 1 3", "sized collection 1 3"}
			if diff := cmp.Diff(want, d.notes.take()); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAWrongCountCostsNoLoads has the table count a face too many, for ever.
func TestAWrongCountCostsNoLoads(t *testing.T) {
	t.Parallel()
	tab := newTable(1)
	tab.add(1, 0, 3)
	tab.collections[1].extra = 1
	d := newDesk(t, tab)
	for n := range 3 {
		tab.add(1, 10+n, 11+n)
		d.view(1).Release()
	}
	if n := tab.called("EachOwned"); n != 1 {
		t.Errorf("loaded %d times, want once", n)
	}
}

func TestCodesAreMended(t *testing.T) {
	t.Parallel()
	tab := newTable(1)
	tab.add(1, 0, 5)
	tab.collections[1].faces[id(1)].code = nil
	tab.collections[1].faces[id(2)].code[3] ^= 1
	d := newDesk(t, tab)
	d.view(1).Release()
	tab.change(1, func(r *rows) { r.faces[id(9)] = &row{number: r.number, vector: vector(9), code: []byte("short")} })
	v := d.view(1)
	defer v.Release()
	wantFaces(t, v, 0, 1, 2, 3, 4, 9)
	for range 2 {
		if err := d.MendCodes(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := tab.called("SetCodes"); n != 1 {
		t.Errorf("codes were written %d times, want once", n)
	}
	wholes := tab.called("EachVector")
	other := newDesk(t, tab)
	all := other.view(1)
	defer all.Release()
	wantFaces(t, all, 0, 1, 2, 3, 4, 9)
	if tab.called("EachVector") != wholes {
		t.Error("all embeddings were read, though all codes are there")
	}
}

func TestDeletedCollections(t *testing.T) {
	t.Parallel()
	tab := newTable(1, 2)
	tab.add(1, 0, 3)
	tab.add(2, 0, 3)
	d := newDesk(t, tab)
	old := tab.collection(1)
	v := d.view(1)
	defer v.Release()
	// It is told by the table when somebody has to ask.
	tab.mu.Lock()
	delete(tab.collections, 1)
	tab.mu.Unlock()
	d.view(2).Release()
	late := old
	late.Number++
	if _, err := d.Acquire(t.Context(), late); !errors.Is(err, shelf.ErrGone) {
		t.Errorf("a collection that is gone: %v", err)
	}
	if held := d.Held(); !slices.Equal(held, []int64{2}) {
		t.Errorf("held are %v, want 2", held)
	}
	if _, err := d.Acquire(t.Context(), late); !errors.Is(err, shelf.ErrGone) || len(d.Held()) != 1 {
		t.Errorf("once more: %v, held are %v", err, d.Held())
	}
	// A new one of the name takes the place of the old one, which is told of no more.
	tab.mu.Lock()
	tab.collections[3] = newRows()
	tab.mu.Unlock()
	d.notes.take()
	anew, err := d.Acquire(t.Context(), shelf.Collection{Serial: 3, Name: "collection 2"})
	if err != nil {
		t.Fatal(err)
	}
	defer anew.Release()
	if held := d.Held(); !slices.Equal(held, []int64{3}) {
		t.Errorf("held are %v, want 3", held)
	}
	want := []string{"sized collection 2 -1", "loaded collection 2 0"}
	if diff := cmp.Diff(want, d.notes.take()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// TestDropMeanwhile drops a collection while it is loaded.
func TestDropMeanwhile(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]struct {
		do   func(*desk)
		want error
	}{
		"drop":  {func(d *desk) { d.Drop(1) }, shelf.ErrGone},
		"close": {func(d *desk) { _ = d.Close() }, shelf.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tab := newTable(1)
			tab.add(1, 0, 3)
			d := newDesk(t, tab)
			reading, goOn := make(chan struct{}), make(chan struct{})
			tab.before = func(m string) error {
				if m == "Codes" && tab.called(m) == 0 {
					close(reading)
					<-goOn
				}
				return nil
			}
			var all sync.WaitGroup
			all.Go(func() {
				if _, err := d.Acquire(t.Context(), tab.collection(1)); !errors.Is(err, end.want) {
					t.Errorf("who waits is told %v, want %v", err, end.want)
				}
			})
			<-reading
			all.Go(func() { end.do(d) })
			for len(d.Held()) > 0 && name == "drop" {
				runtime.Gosched()
			}
			if name == "close" {
				for !errors.Is(d.closedSays(), shelf.ErrClosed) {
					runtime.Gosched()
				}
			}
			close(goOn)
			all.Wait()
		})
	}
}

// closedSays is what a shelf answers to who needs a collection that is nowhere.
func (d *desk) closedSays() error {
	_, err := d.Acquire(d.t.Context(), shelf.Collection{Serial: 99})
	return err
}

func TestViewsOutliveTheShelf(t *testing.T) {
	t.Parallel()
	tab := newTable(1)
	tab.add(1, 0, 3)
	d := newDesk(t, tab)
	v := d.view(1)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	wantFaces(t, v, 0, 1, 2)
	v.Release()
	if _, err := d.Acquire(t.Context(), tab.collection(1)); !errors.Is(err, shelf.ErrClosed) {
		t.Errorf("a closed shelf says %v", err)
	}
	if _, err := v.Faces().Search(t.Context(), []face.Probe{{Vector: vector(0), Limit: 1}}); err == nil {
		t.Error("a view that was released is searched")
	}
}

// TestANumberThatIsNeverReached asks for more changes than the table knows of.
func TestANumberThatIsNeverReached(t *testing.T) {
	t.Parallel()
	tab := newTable(1)
	tab.add(1, 0, 3)
	d := newDesk(t, tab)
	c := tab.collection(1)
	c.Number = 5
	if _, err := d.Acquire(t.Context(), c); err == nil || !strings.Contains(err.Error(), "collection 1 has had 5 changes") {
		t.Errorf("the table is behind: %v", err)
	}
}
