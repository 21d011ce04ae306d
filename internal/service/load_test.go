package service_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
	"github.com/spotter-video/spotter/internal/service"
)

// watched is a store that counts how often a collection's embeddings are read whole, and fails when it is told to.
type watched struct {
	service.Store
	wholes  int
	vectors error
	wholly  error
	codes   error
}

func (w *watched) Codes(ctx context.Context, c service.Serial, after *face.ID, size, limit int) ([]byte, *face.ID, error) {
	if w.codes != nil {
		return nil, nil, w.codes
	}
	return w.Store.Codes(ctx, c, after, size, limit)
}

func (w *watched) EachVector(ctx context.Context, c service.Serial, each func(service.Vector) error) error {
	w.wholes++
	if w.wholly != nil {
		return w.wholly
	}
	return w.Store.EachVector(ctx, c, each)
}

func (w *watched) Vectors(ctx context.Context, c service.Serial, ids []face.ID) ([]service.Vector, error) {
	if w.vectors != nil {
		return nil, w.vectors
	}
	return w.Store.Vectors(ctx, c, ids)
}

// watch has the bed's store watched, from the next start on.
func (b *bed) watch() *watched {
	w := &watched{Store: b.store}
	b.store = w
	return w
}

// TestLoadReadsEveryFace looks for all faces of collections that are read in one piece, in several, and in whole ones only;
// with codes, without, and with some that are missing or damaged.
func TestLoadReadsEveryFace(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		faces int
		codes string
		spoil func(n int, code []byte) []byte
	}{
		{1, "good", nil},
		{4095, "good", nil},
		{4096, "good", nil},
		{5000, "good", nil},
		{1, "missing", func(int, []byte) []byte { return nil }},
		{5000, "missing", func(int, []byte) []byte { return nil }},
		{5000, "some missing", func(n int, code []byte) []byte { return code[:n%2*len(code)] }},
		{5000, "one short", func(n int, code []byte) []byte { return code[min(n, 1):] }},
		{5000, "first damaged", func(n int, code []byte) []byte { code[len(code)-1] ^= byte(1 >> n); return code }},
		{5000, "last damaged", func(n int, code []byte) []byte { code[len(code)-1] ^= byte(n / 4999); return code }},
	} {
		t.Run(strconv.Itoa(test.faces)+" "+test.codes, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			w := b.watch()
			b.collection("people")
			c, err := b.store.Collection(t.Context(), "people")
			if err != nil {
				t.Fatal(err)
			}
			list := manyFaces(test.faces)
			for i := range list {
				list[i].Code = gallery.Code(list[i].ID, list[i].Vector)
				if test.spoil != nil {
					list[i].Code = test.spoil(i, list[i].Code)
				}
			}
			if _, err = b.store.AddFaces(t.Context(), c.Serial, list, int64(len(list))); err != nil {
				t.Fatal(err)
			}
			for round := range 2 {
				b.start()
				if err = b.Load(t.Context()); err != nil {
					t.Fatal(err)
				}
				if whole := test.spoil != nil && round == 0; (w.wholes == 1) != whole {
					t.Errorf("start %d has read the embeddings whole %d times, want: %v", round, w.wholes, whole)
				}
				w.wholes = 0
				if round == 0 {
					b.findsAll("people", list)
				}
				if err = b.MendCodes(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			b.findsAll("people", list)
		})
	}
}

// findsAll searches for all faces of a collection, as many as a search finds, by one of them.
func (b *bed) findsAll(c service.CollectionID, list []service.NewFace) {
	b.t.Helper()
	all := face.Similarity(0)
	probe := list[len(list)/2].ID
	found, err := b.SearchFaces(b.t.Context(), c, probe, service.Search{Threshold: &all})
	if err != nil {
		b.t.Fatal(err)
	}
	seen := map[face.ID]bool{probe: true}
	for _, h := range found.Hits {
		seen[h.Face.ID] = true
	}
	if want := min(len(list), 4096); len(seen) != want || len(found.Hits) != want-1 {
		b.t.Errorf("found %d faces beside the one searched for, %d different; want %d", len(found.Hits), len(seen)-1, want-1)
	}
}

// TestLoadFromFiles starts with a collection in a file, and reads from the database what has changed since.
func TestLoadFromFiles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.watch()
	b.start()
	b.collection("people")
	anna, berta := looks(1), looks(0, 1)
	first := b.index("people", "anna", anna)[0]
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(b.Load(t.Context()))
	ok(b.KeepFiles(t.Context()))
	if list, err := os.ReadDir(b.files); err != nil || len(list) != 1 {
		t.Fatalf("files are %v: %v", list, err)
	}
	second := b.index("people", "berta", berta)[0]
	b.start()
	w.codes = errors.New("all is read again")
	ok(b.Load(t.Context()))
	b.finds("from the file", "people", anna, first)
	b.finds("added after the file", "people", berta, second)
	_, err := b.DeleteFaces(t.Context(), "people", []face.ID{first})
	ok(err)
	b.finds("deleted", "people", anna)
	ok(b.Close())
	if list, err := os.ReadDir(b.files); err != nil || len(list) != 0 {
		t.Errorf("a face was deleted, and files are %v: %v", list, err)
	}
}

// TestLoadWhileTheDatabaseIsAway wants that to be told from a collection that cannot be read, which costs itself only.
func TestLoadWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.watch()
	b.collection("people")
	c, err := b.store.Collection(t.Context(), "people")
	if err != nil {
		t.Fatal(err)
	}
	list := manyFaces(10)
	if _, err = b.store.AddFaces(t.Context(), c.Serial, list, int64(len(list))); err != nil {
		t.Fatal(err)
	}
	w.wholly = service.Errorf(service.Unavailable, "The database is away.")
	b.start()
	wantKind(t, "load", b.Load(t.Context()), service.Unavailable)
	w.wholly = errors.New("a damaged page")
	if err := b.Load(t.Context()); err != nil {
		t.Error(err)
	}
	w.wholly = nil
	if err := b.Load(t.Context()); err != nil {
		t.Error(err)
	}
	b.findsAll("people", list)
}

// TestSearchWithoutOriginals searches while the embeddings that decide cannot be read, or are gone.
func TestSearchWithoutOriginals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.watch()
	b.start()
	b.collection("people")
	ann := b.index("people", "ann", looks(1, 0.1))[0]
	bob := b.index("people", "bob", looks(1, 0.2))[0]
	c, err := b.store.Collection(t.Context(), "people")
	if err != nil {
		t.Fatal(err)
	}
	search := func() ([]face.ID, error) {
		one := service.Search{Max: 1}
		found, err := b.SearchFacesByImage(t.Context(), "people", photoOf(looks(1, 0.1)), service.QualityNone, one)
		if err != nil {
			return nil, err
		}
		var ids []face.ID
		for _, h := range found.Hits {
			ids = append(ids, h.Face.ID)
		}
		return ids, nil
	}
	want := func(id face.ID) {
		t.Helper()
		if ids, err := search(); err != nil || len(ids) != 1 || ids[0] != id {
			t.Errorf("found %v, want %v: %v", ids, id, err)
		}
	}
	want(ann)
	w.vectors = errors.New("the disk is gone")
	if ids, err := search(); !errors.Is(err, w.vectors) || service.KindOf(err) != service.Internal {
		t.Errorf("embeddings cannot be read: %v, %v", ids, err)
	}
	w.vectors = service.Errorf(service.NotFound, "the collection is gone")
	if ids, err := search(); service.KindOf(err) != service.NotFound {
		t.Errorf("the collection is deleted meanwhile: %v, %v", ids, err)
	}
	w.vectors = nil
	// Deleted in the store, and not yet in memory.
	if _, _, err := b.store.DeleteFaces(t.Context(), c.Serial, []face.ID{ann}, b.clock()); err != nil {
		t.Fatal(err)
	}
	want(bob)
}

// manyFaces are faces all around a circle.
func manyFaces(n int) []service.NewFace {
	list := make([]service.NewFace, n)
	for i := range list {
		angle := 2 * math.Pi * float64(i) / float64(n)
		binary.BigEndian.PutUint32(list[i].ID[:], uint32(i))
		list[i].Vector = []float32{float32(math.Cos(angle)), float32(math.Sin(angle)), 0, 0}
	}
	return list
}

// TestEnrolledFacesHaveCodes starts anew after faces were enrolled: nobody reads their embeddings.
func TestEnrolledFacesHaveCodes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.watch()
	b.start()
	b.collection("people")
	for n := range 3 {
		b.index("people", strconv.Itoa(n), looks(1, float32(n)), looks(0, 1, float32(n)))
	}
	b.start()
	if err := b.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.wholes > 0 {
		t.Error("a collection was read whole")
	}
}

// TestADamagedCollectionCostsItselfOnly gives one collection a face whose embedding has been cut.
func TestADamagedCollectionCostsItselfOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.collection("damaged")
	b.collection("whole")
	b.index("damaged", "anna", looks(1))
	berta := b.index("whole", "berta", looks(0, 1))[0]
	b.store = &spoilt{Store: b.store, collection: 1}
	b.start()
	if err := b.Load(t.Context()); err != nil {
		t.Fatalf("the start fails: %v", err)
	}
	if said := b.log(); !strings.Contains(said, "collection_id=damaged") || !strings.Contains(said, "restore a backup") ||
		strings.Contains(said, "collection_id=whole") {
		t.Errorf("the log says %s", said)
	}
	if found, err := b.SearchFaces(t.Context(), "whole", berta, service.Search{}); err != nil {
		t.Errorf("the other collection: %v, %v", found, err)
	}
	if _, err := b.SearchFaces(t.Context(), "damaged", berta, service.Search{}); err == nil || service.KindOf(err) != 0 {
		t.Errorf("the damaged collection: %v", err)
	}
}

// spoilt is a store in which the embeddings of one collection cannot be read.
type spoilt struct {
	service.Store
	collection service.Serial
}

func (s *spoilt) EachOwned(ctx context.Context, c service.Serial, each func(service.Vector) error) error {
	if c == s.collection {
		return errors.New("face x: 7 bytes are no float32 values")
	}
	return s.Store.EachOwned(ctx, c, each)
}
