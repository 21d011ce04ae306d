package gallery

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
)

// bytesDice takes what it decides from a fuzzer's bytes; when they are used up, everything is 0.
type bytesDice struct{ rest []byte }

func (b *bytesDice) next() int {
	if len(b.rest) == 0 {
		return 0
	}
	x := b.rest[0]
	b.rest = b.rest[1:]
	return int(x)
}

func (b *bytesDice) below(n int) int { return (b.next()<<8 | b.next()) % n }

func (b *bytesDice) normal() float64 { return float64(b.next()-128) / 64 }

// FuzzSearch lives through additions, deletions and searches that the bytes decide, with every kernel, and compares
// each answer with brute force.
func FuzzSearch(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x10\x20one gallery of few faces, and then some more of them\x00\x01\x02\x03\x04\x05\x06\x07"))
	f.Add(slices.Repeat([]byte{0, 31, 7, 0, 1, 200}, 60))
	d := newSeeded(1)
	random := make([]byte, 3000)
	for i := range random {
		random[i] = byte(d.below(256))
	}
	f.Add(random)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, k := range Kernels() {
			fuzzLife(t, &bytesDice{rest: data}, k)
		}
	})
}

func fuzzLife(t *testing.T, d *bytesDice, kernel string) {
	t.Helper()
	dim := 1 + d.below(40)
	g := newGallery(t, dim, WithKernel(kernel), withChunkFaces(blockFaces*(1+d.below(3))))
	m := model{}
	var all [][]float32
	for step := 0; step < 12 && len(d.rest) > 0; step++ {
		if d.below(3) == 0 {
			from := d.below(len(all) + 1)
			gone := numbers(from, from+d.below(len(all)+1))
			g.Delete(gone)
			for _, id := range gone {
				delete(m, id)
			}
			continue
		}
		fresh := vectors(d, d.below(40), dim)
		enrol(t, g, m, len(all), fresh)
		all = append(all, fresh...)
	}
	probes := make([]face.Probe, 1+d.below(10))
	for i := range probes {
		p := &probes[i]
		p.Vector, p.Limit, p.MinScore = vector(d, dim, all), 1+d.below(maxLimit), -2
		if len(all) > 0 && d.below(2) == 0 {
			p.MinScore = face.Score(canonical(p.Vector, all[d.below(len(all))]))
		}
	}
	got, err := g.Search(context.Background(), probes)
	if diff := cmp.Diff(m.search(probes), got); err != nil || diff != "" {
		t.Fatalf("%s: %v: not the answer of brute force (-want +got):\n%s", kernel, err, diff)
	}
}
