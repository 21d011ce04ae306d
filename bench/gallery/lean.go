package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
)

// leanReport is what a gallery takes that leaves its originals elsewhere, and how many of them its searches need.
type leanReport struct {
	// ByVectors and ByCodes are seconds to fill it, without what making the faces takes.
	ByVectors float64 `json:"seconds_by_vectors"`
	ByCodes   float64 `json:"seconds_by_codes"`
	// Resident is bytes of memory a face, with the index of ids; 0 where that cannot be told.
	Resident float64 `json:"resident_bytes_a_face"`
	Asked    []asked `json:"originals"`
}

// asked is what searches of one kind ask for.
type asked struct {
	MinScore  face.Score `json:"min_score"`
	Limit     int        `json:"limit"`
	Hits      float64    `json:"hits_per_probe"`
	Originals float64    `json:"originals_per_probe"`
}

// remade is originals that are made again when they are asked for.
type remade struct {
	people *people
	count  atomic.Int64
}

func (r *remade) Originals(_ context.Context, ids []face.ID, each func(face.ID, []float32) error) error {
	vector := make([]float32, len(r.people.weights))
	for _, id := range ids {
		number, picture := int(binary.BigEndian.Uint64(id[8:]))/facesEach, int(id[15])%facesEach //nolint:gosec // enrol counts
		if err := r.people.picture(vector, r.people.identity(number), number, picture); err != nil {
			return err
		}
		if err := each(id, vector); err != nil {
			return err
		}
	}
	r.count.Add(int64(len(ids)))
	return nil
}

// leanKinds are searches as they are made: at a similarity of 80 and of 50 with the default pack (4.76 and 2.5 deviations of
// 0.07, which is what real strangers' scores deviate by; those of this program by a little less), for the best few of a
// tracklet, and for as many as can be asked for.
func leanKinds() []asked {
	const deviation, at80, at50 = 0.07, 4.76, 2.5
	return []asked{
		{MinScore: at80 * deviation, Limit: 100},
		{MinScore: at50 * deviation, Limit: 10},
		{MinScore: at50 * deviation, Limit: 4096},
		{MinScore: -1, Limit: 10},
		{MinScore: -1, Limit: 4096},
	}
}

func measureLean(ctx context.Context, s *settings, now func() time.Time) (*leanReport, error) {
	r, people := &leanReport{Asked: leanKinds()}, newPeople(s.dim)
	from := &remade{people: people}
	slow, err := gallery.NewWithOriginals(s.dim, from)
	if err != nil {
		return nil, err
	}
	defer func() { _ = slow.Close() }()
	fast, err := gallery.NewWithOriginals(s.dim, from)
	if err != nil {
		return nil, err
	}
	defer func() { _ = fast.Close() }()
	err = people.each(ctx, s.faces, func(ids []face.ID, rows []float32) (err error) {
		start := now()
		err = slow.Add(ids, rows)
		r.ByVectors += now().Sub(start).Seconds()
		return err
	})
	if err != nil {
		return nil, err
	}
	_ = slow.Close()
	before := resident()
	err = people.each(ctx, s.faces, func(ids []face.ID, rows []float32) (err error) {
		codes := make([]byte, 0, len(ids)*gallery.CodeSize(s.dim))
		for i, id := range ids {
			codes = append(codes, gallery.Code(id, rows[i*s.dim:(i+1)*s.dim])...)
		}
		start := now()
		_, err = fast.AddCodes(codes)
		r.ByCodes += now().Sub(start).Seconds()
		return err
	})
	if err != nil {
		return nil, err
	}
	if before > 0 {
		r.Resident = float64(resident()-before) / float64(s.faces)
	}
	for i := range r.Asked {
		if err := r.Asked[i].measure(ctx, fast, from, s.faces); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (a *asked) measure(ctx context.Context, g *gallery.Gallery, from *remade, faces int) error {
	const probes = 16
	list, err := from.people.probes(probes, faces)
	if err != nil {
		return err
	}
	from.count.Store(0)
	for i := range list { // one by one, so that no original serves two
		list[i].MinScore, list[i].Limit = a.MinScore, a.Limit
		hits, err := g.Search(ctx, list[i:i+1])
		if err != nil {
			return err
		}
		a.Hits += float64(len(hits[0])) / probes
	}
	a.Originals = float64(from.count.Load()) / probes
	return nil
}

func (r *leanReport) print(out io.Writer) error {
	fmt.Fprintf(out, "\nwithout originals in memory: %.0f bytes a face; filled in %.2f s by vectors, %.2f s by codes\n\n",
		r.Resident, r.ByVectors, r.ByCodes)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "lowest score\tlimit\thits/probe\toriginals/probe\t")
	for _, a := range r.Asked {
		fmt.Fprintf(w, "%.3f\t%d\t%.1f\t%.1f\t\n", a.MinScore, a.Limit, a.Hits, a.Originals)
	}
	return w.Flush()
}

// resident is how many bytes of memory the process has; 0 where that cannot be told.
func resident() int64 {
	content, err := os.ReadFile("/proc/self/statm")
	var size, pages int64
	if err != nil {
		return 0
	}
	if _, err := fmt.Sscan(string(content), &size, &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
