package shelf_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/shelf"
)

// fork is a change that a store loses, and one that it gets in its place: with the same number, and the same number of faces.
type fork struct {
	name       string
	lost, gets func(tab *table)
}

func forks() []fork {
	return []fork{
		{"another face", func(tab *table) { tab.add(1, 50, 51) }, func(tab *table) { tab.add(1, 60, 61) }},
		{"another face goes", func(tab *table) { tab.remove(1, 20) }, func(tab *table) { tab.remove(1, 21) }},
		{"another user", func(tab *table) { tab.give(1, 20, "ann") }, func(tab *table) { tab.give(1, 20, "bob") }},
		{"another face of a user", func(tab *table) { tab.give(1, 20, "ann") }, func(tab *table) { tab.give(1, 21, "ann") }},
		{"users the other way round", func(tab *table) {
			tab.give(1, 20, "a")
			tab.give(1, 21, "b")
		}, func(tab *table) {
			tab.give(1, 20, "b")
			tab.give(1, 21, "a")
		}},
	}
}

// fallBack puts a collection back to what it was, and has something happen to it then.
func (t *table) fallBack(to *rows, then func(*table)) {
	t.mu.Lock()
	t.collections[1] = copyOf(to)
	t.mu.Unlock()
	then(t)
}

// onlyOriginals lets what a search reads be read, and nothing else.
func onlyOriginals(method string) error {
	if method == "Vectors" {
		return nil
	}
	return fmt.Errorf("%s was called", method)
}

// TestTheStoreComesToTheSameNumber by other changes than memory has, or a file, and from there to later ones. However it is noticed first,
// the collection is read anew, once.
func TestTheStoreComesToTheSameNumber(t *testing.T) {
	t.Parallel()
	for _, f := range forks() {
		for _, later := range []int{0, 1, 3} {
			for _, how := range []string{"a request", "the minute", "a file"} {
				t.Run(fmt.Sprintf("%s, %d later, %s", f.name, later, how), func(t *testing.T) {
					t.Parallel()
					w, tab := newDrawer(t), family()
					d := w.desk(tab)
					before := copyOf(tab.collections[1])
					f.lost(tab)
					stale := d.view(1)
					defer stale.Release()
					instead := func(tab *table) {
						f.gets(tab)
						for n := range later {
							tab.add(1, 70+n, 71+n)
						}
					}
					if how == "a file" { // which is written while the store falls back
						tab.before = func(method string) error {
							if method == "Mark" {
								tab.fallBack(before, instead)
							}
							return nil
						}
						w.wait(time.Hour)
						w.keep(d)
						w.wantFiles(d, "1.collection")
						tab.before = nil
						d = w.desk(tab)
					} else {
						tab.fallBack(before, instead)
					}
					if how == "the minute" {
						if err := d.Follow(t.Context(), tab.collection(1)); err != nil {
							t.Fatal(err)
						}
						tab.before = onlyOriginals
					}
					loads := tab.called("EachOwned")
					v := d.view(1)
					defer v.Release()
					wantState(t, tab, v, 0, 0)
					if v.Number() != tab.collection(1).Number {
						t.Errorf("number %d, want %d", v.Number(), tab.collection(1).Number)
					}
					if n := tab.called("EachOwned") - loads; how == "a request" && n != 1 {
						t.Errorf("the collection was read %d times, want once", n)
					}
					d.view(1).Release()
					if how == "a file" {
						w.wantFiles(d)
					}
				})
			}
		}
	}
}

// TestTheSameAgain: where the lost changes are made once more nothing is wrong with what is in memory.
func TestTheSameAgain(t *testing.T) {
	t.Parallel()
	for _, f := range forks() {
		tab := family()
		d := newDesk(t, tab)
		before := copyOf(tab.collections[1])
		f.lost(tab)
		d.view(1).Release()
		tab.fallBack(before, f.lost)
		tab.before = onlyOriginals
		v := d.view(1)
		wantState(t, tab, v, 0, 0)
		v.Release()
	}
}

// TestWhoHasReadBefore the store fell back is given what there is now, without its being read again.
func TestWhoHasReadBefore(t *testing.T) {
	t.Parallel()
	for _, f := range forks() {
		tab := family()
		before := copyOf(tab.collections[1])
		f.lost(tab)
		read := tab.collection(1)
		tab.fallBack(before, f.gets)
		d := newDesk(t, tab)
		d.view(1).Release()
		v, err := d.Acquire(t.Context(), read)
		if err != nil {
			t.Fatal(err)
		}
		wantState(t, tab, v, 0, 0)
		v.Release()
		if n := tab.called("EachOwned"); n != 1 {
			t.Errorf("%s: the collection was read %d times, want once", f.name, n)
		}
	}
}

// TestTheStoreFallsBackDuringALoad: what was read before does not fit what is read afterwards.
func TestTheStoreFallsBackDuringALoad(t *testing.T) {
	t.Parallel()
	for _, f := range forks() {
		for _, method := range []string{"Codes", "EachOwned", "Changes"} {
			t.Run(f.name+", "+method, func(t *testing.T) {
				t.Parallel()
				tab := family()
				before := copyOf(tab.collections[1])
				f.lost(tab)
				d := newDesk(t, tab)
				var once sync.Once
				calls := 0
				tab.before = func(m string) error {
					if m == "Codes" {
						calls++
					}
					if m == method && (m != "Codes" || calls == 2) {
						once.Do(func() { tab.fallBack(before, f.gets) })
					}
					return nil
				}
				v := d.view(1)
				defer v.Release()
				wantState(t, tab, v, 0, 0)
			})
		}
	}
}

// TestAWrongDigestCostsNoLoads has the store's digest be off, for ever: it is found out by a load, and what comes after is still compared.
func TestAWrongDigestCostsNoLoads(t *testing.T) {
	t.Parallel()
	for without, loads := range map[int64]int{0: 2, 3: 1} {
		w, tab := newDrawer(t), family()
		tab.collections[1].digest = shelf.Digest{Faces: 12345, Without: without}
		var log strings.Builder
		d := newDesk(t, tab, w.files, func(c *shelf.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		for n := range 3 {
			tab.add(1, 100+n, 101+n)
			tab.give(1, 100+n, "ann")
			v := d.view(1)
			wantState(t, tab, v, 0, 0)
			v.Release()
		}
		if n := tab.called("EachOwned"); n != loads {
			t.Errorf("%d changes are not in the digest: read %d times, want %d", without, n, loads)
		}
		if said := strings.Contains(log.String(), "its digest is wrong"); said != (without == 0) {
			t.Errorf("%d changes are not in the digest: %s", without, log.String())
		}
		before := copyOf(tab.collections[1])
		tab.add(1, 200, 201)
		d.view(1).Release()
		tab.fallBack(before, func(tab *table) { tab.add(1, 210, 211) })
		v := d.view(1)
		wantState(t, tab, v, 0, 0)
		v.Release()
		w.keep(d)
		if want := map[int64][]string{0: nil, 3: {"1.collection"}}[without]; want == nil {
			w.wantFiles(d) // it would be refused
		} else {
			w.wantFiles(d, want...)
			codes := tab.called("Codes")
			v = w.desk(tab).view(1)
			wantState(t, tab, v, 0, 0)
			v.Release()
			if tab.called("Codes") != codes {
				t.Error("the file is not used")
			}
		}
	}
}

// TestOlderProgramsBeside change the collection and leave the digest as it is: that costs no load, and what comes after is compared.
func TestOlderProgramsBeside(t *testing.T) {
	t.Parallel()
	w, tab := newDrawer(t), family()
	d := w.desk(tab)
	older := func(do func()) {
		digest := tab.collections[1].digest
		do()
		digest.Without++
		tab.collections[1].digest = digest
	}
	see := func(d *desk) {
		t.Helper()
		v := d.view(1)
		defer v.Release()
		wantState(t, tab, v, 0, 0)
	}
	see(d)
	w.keep(d)
	older(func() { tab.add(1, 50, 52) })
	see(d)
	older(func() { tab.give(1, 50, "ann") })
	tab.add(1, 60, 61)
	see(d)
	see(w.desk(tab)) // with a file from before
	if n := tab.called("EachOwned"); n != 1 {
		t.Errorf("the collection was read %d times, want once", n)
	}
	before := copyOf(tab.collections[1])
	tab.add(1, 70, 71)
	see(d)
	tab.fallBack(before, func(tab *table) { tab.add(1, 80, 81) })
	see(d)
	older(func() { tab.remove(1, 20) })
	see(d)
}

// TestAStrayFollowerIsTold what it can do nothing about: a store that is behind for good is an error and not an endless search.
func TestAStrayFollowerIsTold(t *testing.T) {
	t.Parallel()
	tab := family()
	d := newDesk(t, tab)
	d.view(1).Release()
	c := tab.collection(1)
	c.Digest.Faces++ // nobody has this
	v, err := d.Acquire(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	v.Release()
	away := errors.New("the store is away")
	tab.before = func(string) error { return away }
	if _, err := d.Acquire(t.Context(), c); !errors.Is(err, away) {
		t.Errorf("while the store cannot be asked: %v", err)
	}
}
