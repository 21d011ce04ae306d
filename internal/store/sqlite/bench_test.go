package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/spotter-video/spotter/internal/service"
)

// BenchmarkAddFaces enrols faces of 512 values in batches into a collection that grows.
func BenchmarkAddFaces(b *testing.B) {
	for _, size := range []struct {
		name  string
		faces int
	}{{"batch=1", 1}, {"batch=100", 100}, {"batch=4096", 4096}} {
		b.Run(size.name, func(b *testing.B) {
			s := newStore(b, openDB(b, filepath.Join(b.TempDir(), "spotter.db")), nil)
			c := &service.Collection{ID: "people"}
			must(b, s.CreateCollection(context.Background(), c))
			n := 0
			for b.Loop() {
				b.StopTimer()
				batch := someFaces(n, size.faces, 512)
				n += size.faces
				b.StartTimer()
				_, err := s.AddFaces(context.Background(), c.Serial, batch, 1<<40)
				must(b, err)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "faces/s")
		})
	}
}

// BenchmarkEachVector reads a collection of 100,000 faces as it is read when it is loaded.
func BenchmarkEachVector(b *testing.B) {
	const faces = 100_000
	s := newStore(b, openDB(b, filepath.Join(b.TempDir(), "spotter.db")), nil)
	c := &service.Collection{ID: "people"}
	must(b, s.CreateCollection(context.Background(), c))
	for n := 0; n < faces; n += 1000 {
		_, err := s.AddFaces(context.Background(), c.Serial, someFaces(n, 1000, 512), 1<<40)
		must(b, err)
	}
	for b.Loop() {
		n := 0
		must(b, s.EachVector(context.Background(), c.Serial, func(service.Vector) error { n++; return nil }))
		if n != faces {
			b.Fatalf("%d vectors", n)
		}
	}
	b.ReportMetric(float64(b.N)*faces/b.Elapsed().Seconds(), "faces/s")
}
