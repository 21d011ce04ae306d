package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/spotter-video/spotter/internal/search"
	"github.com/spotter-video/spotter/internal/video"
)

// Record is what is kept of a track that has been analysed. With it is found out who was seen without looking at the video again.
type Record struct {
	// Terms are everything that decided how the track was analysed ([Engine.Terms]), Plan is how it was cut ([Video.Plan]).
	Terms, Plan []byte
	// Each calls each with what every segment gave that could be analysed ([Video.Analyse]), in order. It gives no pictures where they are
	// not wanted.
	Each func(pictures bool, each func(n int, data, pictures []byte) error) error
	// Failure says why others could not; empty where there are none.
	Failure string
}

// Terms are everything of this engine that decides what is kept of a video.
func (e *Engine) Terms(ctx context.Context) ([]byte, error) {
	r := e.termsBy(e.decoder.Check(ctx).Builds)
	r.Portraits = true
	return r.encode()
}

// Standing is what a record is worth to an engine.
type Standing int

// The standings. From those up to [OtherSettings] it can be told who was seen.
const (
	// Current: looking again would give the same bytes.
	Current Standing = iota
	// OtherDecoder: another build of the decoder read the video, which may give pictures that differ by a little.
	OtherDecoder
	// OtherSettings: the video was looked at more or less often, or otherwise in another way.
	OtherSettings
	// OtherModels: its faces cannot be compared with those of this engine.
	OtherModels
)

// StandingOf says what a record with terms is worth where the engine's own are these.
func StandingOf(terms, own []byte) (Standing, error) {
	if string(terms) == string(own) {
		return Current, nil
	}
	var r, o analysisRecord
	if err := errors.Join(json.Unmarshal(terms, &r), json.Unmarshal(own, &o)); err != nil {
		return 0, fmt.Errorf("read how a video was analysed: %w", err)
	}
	if r.Version > analysisVersion || r.Model != o.Model || r.Pack != o.Pack || r.Revision != o.Revision {
		return OtherModels, nil
	}
	r.Decoder = o.Decoder
	if r != o {
		return OtherSettings, nil
	}
	return OtherDecoder, nil
}

// Plan cuts the i-th track into segments: what [Video.Analyse] and a [Record] need, and how many there are.
func (v *Video) Plan(ctx context.Context, i int) (data []byte, segments int, err error) {
	plan, err := v.plan(ctx, i)
	if err != nil {
		return nil, 0, err
	}
	data, err = encodePlan(plan)
	return data, len(plan.Segments), err
}

// Analyse analyses the segments of a planned track side by side, but for those that are there already, and hands each to keep as soon as
// it is done: data and pictures that a [Record] gives back later. keep is called by several goroutines; its error ends everything. What is wrong
// with some segment is an error in the end; the others are kept. Of the query, People and Portraits are not used: portraits always
// are kept.
func (v *Video) Analyse(
	ctx context.Context, plan []byte, there []int, q Query, keep func(n int, data, pictures []byte) error,
) error {
	p, err := decodePlan(plan)
	if err != nil {
		return err
	}
	if q.Started != nil {
		q.Started(p.Info)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	q.Portraits = true
	a := newAnalysis(v.engine, v, p, &q)
	a.has = make(map[int]bool, len(there))
	for _, n := range there {
		a.has[n] = true
	}
	a.keep = func(n int, found *search.Tracklets, damage video.Damage) error {
		data, err := encodeSegment(&segmentData{Tracklets: *found, Damage: damage})
		if err == nil {
			err = keep(n, data, encodePortraits(found))
		}
		if err != nil {
			cancel(err)
		}
		return err
	}
	_, failed := a.run(ctx)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return failed
}

// Recall finds out who of some people was seen in a track, from what is kept of it: what [Video.Search] finds with the same
// settings. Even with an error, which then is the record's failure, it returns what is known.
func (e *Engine) Recall(ctx context.Context, r *Record, who *People, portraits bool) (*Findings, error) {
	f := &Findings{}
	by, plan, segments, err := e.read(r, portraits)
	if err != nil {
		return f, err
	}
	damage := plan.Damage
	tracklets := make([]*search.Tracklets, len(segments))
	for i, s := range segments {
		damage.Add(s.Damage)
		tracklets[i] = &s.Tracklets
	}
	f.Info, f.SampleRate = plan.Info, by.params.SampleRate
	f.Warnings, f.Partial = append(plan.Warnings, damage.Warnings()...), damage.Partial()
	if err := e.match(ctx, by, f, tracklets, who); err != nil {
		return f, err
	}
	if !portraits {
		f.Portraits = nil
	}
	if r.Failure != "" {
		return f, errors.New(r.Failure)
	}
	return f, nil
}

// read reads a record, by whose terms its pipeline goes.
func (e *Engine) read(r *Record, portraits bool) (by *pipeline, plan *video.Plan, segments []*segmentData, err error) {
	terms, err := readTerms(r.Terms)
	if err != nil {
		return nil, nil, nil, err
	}
	if own := e.termsBy(nil); terms.Model != own.Model || terms.Pack != own.Pack || terms.Revision != own.Revision {
		return nil, nil, nil, ErrOtherModels
	}
	by = &pipeline{pack: e.pack, decoder: e.decoder, params: terms.Params.params()}
	by.params.Scale = *e.pack.Scale()
	if err = by.params.Validate(); err != nil {
		return nil, nil, nil, fmt.Errorf("how the video was analysed: %w", err)
	}
	if plan, err = decodePlan(r.Plan); err != nil {
		return nil, nil, nil, err
	}
	err = r.Each(portraits, func(n int, data, pictures []byte) error {
		s, damaged := decodeSegment(data)
		if damaged == nil {
			damaged = decodePortraits(&s.Tracklets, bytes.Clone(pictures))
		}
		if damaged != nil {
			return fmt.Errorf("segment %d: %w", n, damaged)
		}
		segments = append(segments, s)
		return nil
	})
	return by, plan, slices.Clip(segments), err
}
