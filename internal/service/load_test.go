package service_test

import (
	"encoding/binary"
	"math"
	"strconv"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// TestLoadReadsEveryFace looks for all faces of collections that are read in one piece, in several, and in whole ones only.
func TestLoadReadsEveryFace(t *testing.T) {
	t.Parallel()
	for _, faces := range []int{1, 2047, 2048, 2049, 4096} {
		t.Run(strconv.Itoa(faces), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.collection("people")
			c, err := b.store.Collection(t.Context(), "people")
			if err != nil {
				t.Fatal(err)
			}
			list := manyFaces(faces)
			if _, err = b.store.AddFaces(t.Context(), c.Serial, list, int64(faces)); err != nil {
				t.Fatal(err)
			}
			b.start()
			if err = b.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			all := face.Similarity(0)
			probe := list[faces/2].ID
			found, err := b.SearchFaces(t.Context(), "people", probe, service.Search{Threshold: &all})
			if err != nil {
				t.Fatal(err)
			}
			seen := map[face.ID]bool{probe: true}
			for _, h := range found.Hits {
				seen[h.Face.ID] = true
			}
			if len(seen) != faces || len(found.Hits) != faces-1 {
				t.Errorf("found %d faces beside the one searched for, %d different; want %d", len(found.Hits), len(seen)-1, faces-1)
			}
		})
	}
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
