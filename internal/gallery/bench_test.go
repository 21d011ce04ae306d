package gallery

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
)

// randomRows is rows of a normal distribution: fast to make, and as hard as strangers are.
func randomRows(d dice, n, dim int) []float32 {
	rows := make([]float32, n*dim)
	for i := range n {
		row := rows[i*dim : (i+1)*dim]
		for j := range row {
			row[j] = float32(d.normal())
		}
		unitVector(row)
	}
	return rows
}

// BenchmarkSearch searches 64,000 faces of 512 dimensions, 33 MB of codes, on one thread. Larger galleries and the
// limit that memory sets: go run ./bench/gallery.
func BenchmarkSearch(b *testing.B) {
	const faces, dim = 64000, 512
	d := newSeeded(1)
	g := newGallery(b, dim, WithParallelism(1))
	rows := randomRows(d, faces, dim)
	if err := g.Add(numbers(0, faces), rows); err != nil {
		b.Fatal(err)
	}
	for _, k := range kernels() {
		for _, batch := range []int{1, 8, 64} {
			for _, want := range []struct {
				name  string
				probe face.Probe
			}{
				{"cosine>=0.4", face.Probe{MinScore: 0.4, Limit: 10}},
				{"top=10", face.Probe{MinScore: -1, Limit: 10}},
				{"top=4096", face.Probe{MinScore: -1, Limit: maxLimit}},
			} {
				probes := slices.Repeat([]face.Probe{want.probe}, batch)
				for i := range probes {
					probes[i].Vector = rows[i*dim : (i+1)*dim]
				}
				b.Run(fmt.Sprintf("%s/batch=%d/%s", k.name, batch, want.name), func(b *testing.B) {
					g.kernel = k
					for b.Loop() {
						if _, err := g.Search(b.Context(), probes); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N*batch), "ms/probe")
					b.ReportMetric(float64(faces*batch*b.N)/b.Elapsed().Seconds()/1e6, "Mfaces/s")
				})
			}
		}
	}
}

// BenchmarkWithin looks for every face within reach of 64 probes among 64,000 faces, on one thread: for few (the probes'
// copies), for a hundredth of all, and for all.
func BenchmarkWithin(b *testing.B) {
	const faces, dim, batch = 64000, 512, 64
	rows := randomRows(newSeeded(1), faces, dim)
	g := newGallery(b, dim, WithParallelism(1))
	if err := g.Add(numbers(0, faces), rows); err != nil {
		b.Fatal(err)
	}
	for _, k := range kernels() {
		for _, score := range []face.Score{0.4, 0.1, -1} {
			probes := make([]face.Probe, batch)
			for i := range probes {
				probes[i] = face.Probe{Vector: rows[i*dim : (i+1)*dim], MinScore: score}
			}
			b.Run(fmt.Sprintf("%s/cosine>=%v", k.name, score), func(b *testing.B) {
				g.kernel = k
				found := 0
				for b.Loop() {
					all, err := g.Within(b.Context(), probes)
					if err != nil {
						b.Fatal(err)
					}
					found = 0
					for _, of := range all {
						found += len(of)
					}
				}
				b.ReportMetric(float64(found)/batch, "found/probe")
				b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N*batch), "ms/probe")
			})
		}
	}
}

// BenchmarkClients has eight clients search a gallery of 100,000 faces at the same time: together, and each on its own.
func BenchmarkClients(b *testing.B) {
	const faces, dim, clients = 100_000, 512, 8
	g := newGallery(b, dim)
	rows := randomRows(newSeeded(1), faces, dim)
	if err := g.Add(numbers(0, faces), rows); err != nil {
		b.Fatal(err)
	}
	for name, joinBytes := range map[string]int{"together": 0, "apart": math.MaxInt} {
		b.Run(name, func(b *testing.B) {
			g.joinBytes = joinBytes
			b.SetParallelism((clients + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
			b.RunParallel(func(p *testing.PB) {
				probes := []face.Probe{{Vector: rows[:dim], MinScore: 0.4, Limit: 10}}
				for p.Next() {
					if _, err := g.Search(b.Context(), probes); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "searches/s")
		})
	}
}

// BenchmarkAdd enrols 4096 faces of 512 dimensions in one call.
func BenchmarkAdd(b *testing.B) {
	const faces, dim = 4096, 512
	rows, ids := randomRows(newSeeded(1), faces, dim), numbers(0, faces)
	for b.Loop() {
		g := newGallery(b, dim)
		if err := g.Add(ids, rows); err != nil {
			b.Fatal(err)
		}
		_ = g.Close()
	}
	b.ReportMetric(float64(faces*b.N)/b.Elapsed().Seconds(), "faces/s")
}
