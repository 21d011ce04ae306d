package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
)

// minScore is about where the default pack's similarity reaches 80 (false match rate 1e-4).
const minScore = 0.4

// enough is how many seconds of one search are measured; a slow one is not repeated for the sake of its rounds.
const enough = 5.0

// report is all that was measured.
type report struct {
	Faces     int      `json:"faces"`
	Dim       int      `json:"dim"`
	ScanBytes int      `json:"scan_bytes"`
	Limits    []limit  `json:"read_limits"`
	Searches  []search `json:"searches"`
	// Lean is of a gallery without originals in memory; nil where that was not asked for.
	Lean *leanReport `json:"lean,omitempty"`
}

// limit is how fast memory can be read.
type limit struct {
	Method      string  `json:"method"`
	Threads     int     `json:"threads"`
	GBPerSecond float64 `json:"gb_per_second"`

	seconds []float64 // a round each
}

// search is what one kernel does with one size of batch.
type search struct {
	Kernel               string  `json:"kernel"`
	Threads              int     `json:"threads"`
	Batch                int     `json:"batch"`
	MillisecondsPerProbe float64 `json:"ms_per_probe"`
	FacesPerSecond       float64 `json:"faces_per_second"` // times probes
	GBPerSecond          float64 `json:"gb_per_second"`
	ShareOfLimit         float64 `json:"share_of_limit"` // best round against best round
	MedianShare          float64 `json:"median_share"`   // of the rounds' own shares
	HitsPerProbe         float64 `json:"hits_per_probe"`

	seconds []float64 // a round each
	shares  []float64 // likewise: what the readings before and after it took, of what it took
	in      *gallery.Snapshot
	probes  []face.Probe
}

func measure(ctx context.Context, s *settings, now func() time.Time) (*report, error) {
	g, err := gallery.New(s.dim)
	if err != nil {
		return nil, err
	}
	defer func() { _ = g.Close() }()
	people := newPeople(s.dim)
	if err = people.enrol(ctx, g, s.faces); err != nil {
		return nil, fmt.Errorf("enrol %d faces: %w", s.faces, err)
	}
	r := &report{Faces: s.faces, Dim: s.dim, ScanBytes: g.ScanBytes()}
	memory, free, err := newMemory(r.ScanBytes)
	if err != nil {
		return nil, err
	}
	defer free()
	all := g.Snapshot()
	defer func() { _ = all.Close() }()
	for _, threads := range s.threads {
		l := limit{Method: readMethod(), Threads: threads}
		for _, kernel := range s.kernels {
			found, err := measureKernel(ctx, s, all, people, kernel, &l, memory, now)
			if err != nil {
				return nil, fmt.Errorf("kernel %s, %d threads: %w", kernel, threads, err)
			}
			r.Searches = append(r.Searches, found...)
		}
		r.Limits = append(r.Limits, l)
	}
	r.finish()
	return r, nil
}

func measureKernel(
	ctx context.Context, s *settings, all *gallery.Snapshot, people *people, kernel string, l *limit, memory []byte,
	now func() time.Time,
) ([]search, error) {
	faces, err := all.With(gallery.WithKernel(kernel), gallery.WithParallelism(l.Threads))
	if err != nil {
		return nil, err
	}
	defer func() { _ = faces.Close() }()
	searches := make([]search, len(s.batches))
	for i, batch := range s.batches {
		probes, err := people.probes(batch, s.faces)
		if err != nil {
			return nil, err
		}
		searches[i] = search{Kernel: kernel, Threads: l.Threads, Batch: batch, in: faces, probes: probes}
	}
	for range s.rounds {
		for i := range searches {
			if err := searches[i].time(ctx, l, memory, now); err != nil {
				return nil, err
			}
		}
	}
	return searches, nil
}

// time searches once, between two readings of as many bytes, so that a neighbour's noise meets all three alike.
func (m *search) time(ctx context.Context, l *limit, memory []byte, now func() time.Time) error {
	if sum(m.seconds) > enough {
		return nil
	}
	before := timeRead(memory, l.Threads, now)
	start := now()
	hits, err := m.in.Search(ctx, m.probes)
	if err != nil {
		return err
	}
	seconds := now().Sub(start).Seconds()
	after := timeRead(memory, l.Threads, now)
	l.seconds = append(l.seconds, before, after)
	m.seconds = append(m.seconds, seconds)
	m.shares = append(m.shares, (before+after)/2/seconds)
	m.count(hits)
	return nil
}

func (m *search) count(hits [][]face.Hit) {
	total := 0
	for _, h := range hits {
		total += len(h)
	}
	m.HitsPerProbe = float64(total) / float64(len(hits))
}

// timeRead reads all the memory once, with so many threads at a time.
func timeRead(memory []byte, threads int, now func() time.Time) float64 {
	part := len(memory) / threads / readStep * readStep
	start := now()
	var all sync.WaitGroup
	for i := range threads {
		all.Go(func() { read(memory[i*part : (i+1)*part]) })
	}
	all.Wait()
	return now().Sub(start).Seconds() * float64(len(memory)) / float64(part*threads)
}

// finish turns times into figures.
func (r *report) finish() {
	best := map[int]float64{}
	for i := range r.Limits {
		l := &r.Limits[i]
		best[l.Threads] = slices.Min(l.seconds)
		l.GBPerSecond = float64(r.ScanBytes) / best[l.Threads] / 1e9
	}
	for i := range r.Searches {
		m := &r.Searches[i]
		seconds := slices.Min(m.seconds)
		m.MillisecondsPerProbe = seconds * 1e3 / float64(m.Batch)
		m.FacesPerSecond = float64(r.Faces*m.Batch) / seconds
		m.GBPerSecond = float64(r.ScanBytes) / seconds / 1e9
		m.ShareOfLimit = best[m.Threads] / seconds
		m.MedianShare = median(m.shares)
	}
}

func sum(v []float64) float64 {
	var s float64
	for _, x := range v {
		s += x
	}
	return s
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	return v[len(v)/2]
}
