package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spotter-video/spotter/bench/internal/evaluation"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/search"
)

// lever is one way to spend more or less on a search.
type lever struct {
	name string
	pull func(*search.Params)
}

// levers are what is compared: the defaults, each of their economies undone, and some of them taken further.
func levers() []lever {
	return []lever{
		{"as it is", func(*search.Params) {}},
		{"look at the whole of every frame", func(p *search.Params) { p.WholeEvery = time.Millisecond }},
		{"look at the whole every 600 ms", func(p *search.Params) { p.WholeEvery = 600 * time.Millisecond }},
		{"embed every sample", func(p *search.Params) { p.Settled = 1 }},
		{"embed fewer samples (0.90)", func(p *search.Params) { p.Settled = 0.90 }},
		{"embed fewer samples (0.86)", func(p *search.Params) { p.Settled = 0.86 }},
	}
}

// tally is what a search asked of the recognizer.
type tally struct {
	Frames   int           `json:"frames"`
	Whole    int           `json:"whole"`    // looks at a whole small picture
	Followed int           `json:"followed"` // frames whose faces were only followed
	Crops    int           `json:"crops"`    // embedded
	Looking  time.Duration `json:"looking"`  // for faces
	Telling  time.Duration `json:"telling"`  // them apart
}

func (t *tally) add(o tally) {
	t.Frames, t.Whole, t.Followed = t.Frames+o.Frames, t.Whole+o.Whole, t.Followed+o.Followed
	t.Crops, t.Looking, t.Telling = t.Crops+o.Crops, t.Looking+o.Looking, t.Telling+o.Telling
}

// work is a recognizer that counts what it is asked for.
type work struct {
	*recognizer.Recognizer
	tally
}

// processor is the time that this thread has computed: other work on the machine does not count.
func processor() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_THREAD, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Detect implements search.Detector.
func (w *work) Detect(ctx context.Context, f *face.Frame, look face.Look) ([]face.Detection, error) {
	if len(look.Follow) > 0 {
		w.Followed++
	} else {
		w.Whole++
	}
	defer func(from time.Duration) { w.Looking += processor() - from }(processor())
	return w.Recognizer.Detect(ctx, f, look)
}

// Embed implements search.Embedder.
func (w *work) Embed(ctx context.Context, crop *face.Crop) (face.Sample, error) {
	w.Crops++
	defer func(from time.Duration) { w.Telling += processor() - from }(processor())
	return w.Recognizer.Embed(ctx, crop)
}

// EmbedView implements search.Embedder.
func (w *work) EmbedView(ctx context.Context, crop *face.Crop, mirrored bool) (face.Sample, error) {
	w.Crops++
	defer func(from time.Duration) { w.Telling += processor() - from }(processor())
	return w.Recognizer.EmbedView(ctx, crop, mirrored)
}

// pulled is what a lever costs and what is found with it, over all clips at several rates.
type pulled struct {
	Lever string `json:"lever"`
	tally
	Points int `json:"points"`
	// Hits are the points found at these similarities.
	Hits71, Hits80, Hits90 int
	LeftOut                int       `json:"leftOut"`
	Nearest                float64   `json:"nearest"`
	Enrolled               wholeness `json:"enrolled"`
	// Clips are the points found of each clip at 80, in the clips' order.
	Clips []int `json:"clips"`
}

func (p pulled) String() string {
	return fmt.Sprintf("%-34s %5d frames, %5d whole looks, %5d followed, %5d crops; detector %5.1f s, embedder %5.1f s; recall at 71 %5.1f, "+
		"80 %5.1f, 90 %5.1f %% (at 80 by clip %v); %d wrong names, nearest %.1f; %v", p.Lever, p.Frames, p.Whole, p.Followed, p.Crops,
		p.Looking.Seconds(), p.Telling.Seconds(), 100*evaluation.Share(p.Hits71, p.Points), 100*evaluation.Share(p.Hits80, p.Points), 100*evaluation.Share(p.Hits90, p.Points), p.Clips,
		p.LeftOut, p.Nearest, p.Enrolled)
}

// leverRates are the frames a second at which levers are compared: the same faces at other moments.
func leverRates() []float64 { return []float64{4, 5, 6, 7} }

// pullLevers searches all clips with each lever pulled.
func (m *measuring) pullLevers(ctx context.Context) (err error) {
	if m.only != "levers" {
		return nil
	}
	l, err := newLaboratory(m.options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	runtime.LockOSThread() // whose time is measured
	defer runtime.UnlockOSThread()
	for _, lever := range levers() {
		if len(m.extra) > 0 && !slices.Contains(m.extra, lever.name) {
			continue
		}
		p := pulled{Lever: lever.name}
		for _, c := range clips() {
			before := p.Hits80
			for _, rate := range leverRates() {
				params := search.DefaultParams(*l.pack.Scale())
				params.SampleRate = rate
				lever.pull(&params)
				if err := p.search(ctx, l, c, params, m.options); err != nil {
					return err
				}
			}
			p.Clips = append(p.Clips, p.Hits80-before)
		}
		m.Levers = append(m.Levers, p)
		fmt.Fprintln(m.w, p)
	}
	return nil
}

func (p *pulled) search(ctx context.Context, l *laboratory, c clip, params search.Params, o options) error {
	gt, err := evaluation.ReadTruth(o.path(c.Truth))
	if err != nil {
		return err
	}
	a, err := l.analyseWith(ctx, o.path(c.Video), params)
	if err != nil {
		return fmt.Errorf("analyse %s: %w", c.Name, err)
	}
	if err = a.enrol(ctx, o.path(c.Faces)); err != nil {
		return err
	}
	for _, t := range a.stretches {
		p.Frames += t.Frames
	}
	p.add(a.work.tally)
	all, err := a.answer(ctx, 50, everybody)
	if err != nil {
		return err
	}
	for _, at := range []struct {
		threshold float64
		hits      *int
	}{{71, &p.Hits71}, {80, &p.Hits80}, {90, &p.Hits90}} {
		s := evaluation.Score(a.document(all), gt, at.threshold)
		*at.hits += s.Hits
	}
	p.Points += evaluation.Score(a.document(all), gt, 80).Points
	n, err := c.studyNames(ctx, a, gt, o)
	p.LeftOut, p.Nearest = p.LeftOut+n.LeftOut, max(p.Nearest, n.Nearest)
	p.Enrolled.add(n.Enrolled)
	return err
}

// document is an answer as the command line gives it, as far as it is scored.
func (a *analysed) document(r *search.Result) *evaluation.Document {
	d := &evaluation.Document{}
	d.Persons = make([]evaluation.SeenFace, len(r.Sightings))
	for i, s := range r.Sightings {
		d.Persons[i].Timestamp = int(s.Time.Milliseconds())
		for _, m := range s.Matches {
			var f evaluation.MatchedFace
			f.Similarity, f.Face.ExternalImageId = float64(m.Similarity), a.person(m.ID)
			d.Persons[i].FaceMatches = append(d.Persons[i].FaceMatches, f)
		}
	}
	return d
}
