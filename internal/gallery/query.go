package gallery

import (
	"fmt"
	"math"
	"sync/atomic"

	"github.com/spotter-video/spotter/internal/face"
)

// maxLimit is the most hits that a probe may ask for: Rekognition's limit on MaxFaces.
const maxLimit = 4096

// unlimited is the limit of a query that wants all faces, see [Gallery.Within].
const unlimited = math.MaxInt

// query is a probe made ready. It is shared by the workers of a search, read-only but for its floor.
type query struct {
	vector    []float32
	limit     int
	min       float32 // lowest canonical score wanted
	codes     []int8  // padded
	quantised quantised
	floor     *floor
}

// newQueries checks the probes and quantises them. The queries refer to the probes' vectors.
func newQueries(s *shape, probes []face.Probe) ([]query, error) {
	if err := checkProbes(s, probes); err != nil {
		return nil, err
	}
	return quantiseProbes(s, probes), nil
}

// newUnlimited makes queries for all faces, whatever the limits of the probes are.
func newUnlimited(s *shape, probes []face.Probe) ([]query, error) {
	for i := range probes {
		if err := checkProbe(s, &probes[i]); err != nil {
			return nil, fmt.Errorf("probe %d: %w", i, err)
		}
	}
	queries := quantiseProbes(s, probes)
	for i := range queries {
		queries[i].limit = unlimited
	}
	return queries, nil
}

func quantiseProbes(s *shape, probes []face.Probe) []query {
	queries := make([]query, len(probes))
	codes := make([]int8, len(probes)*s.padded)
	floors := make([]floor, len(probes))
	for i := range probes {
		p, q := &probes[i], &queries[i]
		q.vector, q.limit, q.min = p.Vector, p.Limit, float32(p.MinScore)
		q.codes = codes[i*s.padded : (i+1)*s.padded]
		q.quantised = quantise(q.codes, p.Vector)
		q.floor = &floors[i]
		q.reset()
	}
	return queries
}

// reset makes a query ready to be answered.
func (q *query) reset() {
	q.floor.bits.Store(0)
	q.floor.raise(q.min)
}

// checkProbes checks the probes of a search, which has limits.
func checkProbes(s *shape, probes []face.Probe) error {
	for i := range probes {
		p := &probes[i]
		if err := checkProbe(s, p); err != nil {
			return fmt.Errorf("probe %d: %w", i, err)
		}
		if p.Limit < 1 || p.Limit > maxLimit {
			return fmt.Errorf("probe %d: %w: limit %d is not within 1..%d", i, ErrProbe, p.Limit, maxLimit)
		}
	}
	return nil
}

func checkProbe(s *shape, p *face.Probe) error {
	switch {
	case len(p.Vector) != s.dim:
		return fmt.Errorf("%w: vector of %d values, the gallery has %d", ErrProbe, len(p.Vector), s.dim)
	case !isUnit(p.Vector):
		return fmt.Errorf("%w: vector is not a finite unit vector", ErrProbe)
	case math.IsNaN(float64(p.MinScore)):
		return fmt.Errorf("%w: lowest score is not a number", ErrProbe)
	}
	return nil
}

// floor is the score below which no face can belong to the answer any more. It only rises: all workers of a search
// profit from what each has found. The zero value stands for minus infinity.
type floor struct{ bits atomic.Uint32 }

// Scores are kept as integers that order as they do: positive floats have the highest bit set, the bits of negative ones
// are inverted.
const signBit = 1 << 31

func (f *floor) get() float32 {
	switch bits := f.bits.Load(); {
	case bits == 0:
		return float32(math.Inf(-1))
	case bits&signBit != 0:
		return math.Float32frombits(bits &^ signBit)
	default:
		return math.Float32frombits(^bits)
	}
}

func (f *floor) raise(score float32) {
	bits := math.Float32bits(score)
	if bits&signBit != 0 {
		bits = ^bits
	} else {
		bits |= signBit
	}
	for {
		old := f.bits.Load()
		if bits <= old || f.bits.CompareAndSwap(old, bits) {
			return
		}
	}
}
