package main

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
)

const (
	// facesEach is how many faces of one identity are enrolled.
	facesEach = 4
	// noise is how far the faces of one identity are apart: a mean cosine of about 0.55 between two of them.
	noise = 0.9
	// enrolAtOnce is how many faces are made and added in one call.
	enrolAtOnce = 1 << 14
)

// people makes embeddings like those of faces: dimensions carry less and less, so that strangers' scores deviate by
// 0.07, as the scores of real ones do.
type people struct{ weights []float64 }

func newPeople(dim int) *people {
	p := &people{weights: make([]float64, dim)}
	for i := range p.weights {
		p.weights[i] = 1 / math.Sqrt(1+float64(i)/40)
	}
	return p
}

// identity is what all pictures of one person have in common. The same number is the same identity.
func (p *people) identity(number int) []float64 {
	r := rand.New(rand.NewPCG(uint64(number), 0)) //nolint:gosec // reproducible on purpose
	v := make([]float64, len(p.weights))
	for i, w := range p.weights {
		v[i] = w * r.NormFloat64()
	}
	return v
}

// picture writes the unit vector of one picture of the identity with this number.
func (p *people) picture(dst []float32, identity []float64, number, picture int) error {
	r := rand.New(rand.NewPCG(uint64(number), uint64(1+picture))) //nolint:gosec // reproducible on purpose
	for i, x := range identity {
		dst[i] = float32(x + noise*p.weights[i]*r.NormFloat64())
	}
	_, err := face.Normalize(dst)
	return err
}

func (p *people) enrol(ctx context.Context, g *gallery.Gallery, faces int) error {
	return p.each(ctx, faces, g.Add)
}

// each makes so many faces and gives them to add, some thousand at once.
func (p *people) each(ctx context.Context, faces int, add func(ids []face.ID, vectors []float32) error) error {
	dim := len(p.weights)
	ids, rows := make([]face.ID, enrolAtOnce), make([]float32, enrolAtOnce*dim)
	var identity []float64
	for done := 0; done < faces; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(enrolAtOnce, faces-done)
		for i := range n {
			number, picture := (done+i)/facesEach, (done+i)%facesEach
			if picture == 0 {
				identity = p.identity(number)
			}
			binary.BigEndian.PutUint64(ids[i][8:], uint64(done+i))
			if err := p.picture(rows[i*dim:(i+1)*dim], identity, number, picture); err != nil {
				return err
			}
		}
		if err := add(ids[:n], rows[:n*dim]); err != nil {
			return err
		}
		done += n
	}
	return nil
}

// probes are pictures that are not enrolled, of identities spread over those that are.
func (p *people) probes(n, faces int) ([]face.Probe, error) {
	identities := (faces + facesEach - 1) / facesEach
	probes := make([]face.Probe, n)
	for i := range probes {
		probes[i] = face.Probe{Vector: make([]float32, len(p.weights)), MinScore: minScore, Limit: 100}
		number := i * identities / n
		if err := p.picture(probes[i].Vector, p.identity(number), number, facesEach); err != nil {
			return nil, err
		}
	}
	return probes, nil
}
