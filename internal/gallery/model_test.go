package gallery

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
)

// model is a gallery as plainly as it can be written: the answer that every kernel must give.
type model map[face.ID][]float32

func (m model) search(probes []face.Probe) [][]face.Hit {
	answers := make([][]face.Hit, len(probes))
	for i, p := range probes {
		hits := make([]face.Hit, 0, len(m))
		for id, v := range m {
			if s := face.Score(face.Dot(p.Vector, v)); s >= p.MinScore {
				hits = append(hits, face.Hit{ID: id, Score: s})
			}
		}
		slices.SortFunc(hits, func(a, b face.Hit) int {
			return cmp.Or(cmp.Compare(b.Score, a.Score), bytes.Compare(a.ID[:], b.ID[:]))
		})
		answers[i] = hits[:min(len(hits), p.Limit)]
	}
	return answers
}

func (m model) digest() (d face.Digest) {
	for id := range m {
		d = d.Face(id)
	}
	return d
}

// dice is what vectors are made from: a seeded generator, or a fuzzer's bytes.
type dice interface {
	below(n int) int
	normal() float64
}

type seeded struct{ *rand.Rand }

func newSeeded(seed uint64) seeded { return seeded{rand.New(rand.NewPCG(seed, 1))} }

func (s seeded) below(n int) int { return s.IntN(n) }

func (s seeded) normal() float64 { return s.NormFloat64() }

// vector makes a unit vector of one of the kinds that are hard for codes, bounds or ties.
func vector(d dice, dim int, others [][]float32) []float32 {
	v := make([]float32, dim)
	kind := d.below(7)
	switch {
	case kind == 0 && len(others) > 0: // the same again: a tie
		copy(v, others[d.below(len(others))])
		return v
	case kind <= 2 && len(others) > 0: // so near to another that codes can hardly tell them apart
		noise := math.Pow(10, -float64(1+d.below(8)))
		for i, x := range others[d.below(len(others))] {
			v[i] = x + float32(noise*d.normal()/math.Sqrt(float64(dim)))
		}
	case kind == 3: // one large value, which makes the step of the codes large
		for i := range v {
			v[i] = float32(0.01 * d.normal())
		}
		v[d.below(dim)] = 1
	case kind == 4: // values of one size: all codes at the end of their range
		for i := range v {
			v[i] = float32(1 - 2*d.below(2))
		}
	default:
		for i := range v {
			v[i] = float32(d.normal())
		}
	}
	if _, err := face.Normalize(v); err != nil {
		v[0] = 1
	}
	return v
}

func vectors(d dice, n, dim int) [][]float32 {
	var all [][]float32
	for range n {
		all = append(all, vector(d, dim, all))
	}
	return all
}

// number makes ids whose order is not that of the numbers.
func number(n int) face.ID {
	var id face.ID
	binary.LittleEndian.PutUint32(id[:], uint32(n))
	return id
}

func numbers(from, to int) []face.ID {
	var ids []face.ID
	for n := from; n < to; n++ {
		ids = append(ids, number(n))
	}
	return ids
}

// withChunkFaces makes chunks small, so that a test has many.
func withChunkFaces(n int) Option {
	return func(s *searcher) error {
		s.shape.faces = n
		return nil
	}
}

func newGallery(tb testing.TB, dim int, opts ...Option) *Gallery {
	tb.Helper()
	g, err := New(dim, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = g.Close() })
	return g
}

// enrol adds numbered vectors to a gallery and, where there is one, to a model.
func enrol(tb testing.TB, g *Gallery, m model, from int, all [][]float32) {
	tb.Helper()
	ids := numbers(from, from+len(all))
	if err := g.Add(ids, slices.Concat(all...)); err != nil {
		tb.Fatal(err)
	}
	for i, id := range ids {
		if m != nil {
			m[id] = all[i]
		}
	}
}
