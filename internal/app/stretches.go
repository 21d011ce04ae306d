package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/report"
	"github.com/spotter-video/spotter/internal/search"
	"github.com/spotter-video/spotter/internal/video"
)

// find searches one track of a video and fills in what it finds, as far as it gets.
func (t *tracks) find(ctx context.Context, i int, v *report.Video) (err error) {
	s, n := t.searching, t.n
	planned := s.engine.trace.begin(0, "plan "+v.Name)
	plan, err := t.plan(ctx, i)
	planned()
	if v.Track = t.number(i); v.Track > 0 {
		v.Name += " (" + trackName(v.Track) + ")"
	}
	if err != nil {
		return err
	}
	v.Info = plan.Info
	s.out.send(VideoStarted{Video: n, Videos: len(s.videos), Path: v.Name, Info: plan.Info})
	a := &analysis{
		searching: s, n: n, file: t.file, plan: plan, advance: newAdvance(n, len(plan.Segments), s.out), damage: plan.Damage,
	}
	tracklets, failed := a.run(ctx)
	v.Warnings, v.Partial = append(plan.Warnings, a.damage.Warnings()...), a.damage.Partial()
	defer s.engine.trace.begin(0, "finish "+v.Name)()
	people := s.people.index.Snapshot()
	defer func() { err = errors.Join(err, people.Close()) }()
	result, err := search.Finish(ctx, tracklets, search.Matching{
		Gallery: people, Cohort: s.engine.pack.Cohort(), Calibration: s.engine.pack.Calibration(),
		Threshold: s.frame.Threshold, MaxMatches: int(s.engine.config.MaxFaces),
		Params: s.engine.params,
		People: func(context.Context, []face.ID) (map[face.ID]string, error) { return s.people.Person, nil },
	})
	if err != nil {
		return errors.Join(failed, err)
	}
	v.Sightings, v.Portraits = result.Sightings, result.Portraits
	for _, said := range []string{
		sideways(result.Turn), caution(s.engine.pack.Calibration(), s.frame.Threshold, len(s.people.Faces), result.Persons),
	} {
		if said != "" {
			v.Cautions = append(v.Cautions, said)
		}
	}
	return failed
}

// analysis is one video whose segments are analysed side by side.
type analysis struct {
	*searching
	n       int // the video's number in the search
	file    *os.File
	plan    *video.Plan
	advance *advance

	mu       sync.Mutex
	tracks   []*search.Tracklets // of each segment; guarded by mu, as are the following
	failures []error
	damage   video.Damage // of all segments together
}

// run analyses all segments, each on a recognizer of its own. A segment that fails fails alone; the answer holds what the
// others found, and what it had found itself until then.
func (a *analysis) run(ctx context.Context) ([]*search.Tracklets, error) {
	n := len(a.plan.Segments)
	a.tracks, a.failures = make([]*search.Tracklets, n), make([]error, n)
	var group sync.WaitGroup
	for i := range a.plan.Segments {
		if a.hopeless() {
			a.failures[i] = errors.New("not searched, as the decoder took too long before")
			break
		}
		rec, err := a.engine.recognizers.take(ctx)
		if err != nil {
			a.keep(i, nil, video.Damage{}, err)
			break
		}
		group.Go(func() {
			defer a.engine.recognizers.give(rec)
			var damage video.Damage
			tracks, err := onceMore(ctx, func() (tracks *search.Tracklets, err error) {
				tracks, damage, err = a.segment(ctx, rec, &a.plan.Segments[i])
				return tracks, err
			})
			a.keep(i, tracks, damage, err)
		})
	}
	group.Wait()
	return a.collect()
}

// hopeless says that a segment ran into the time limit: those that follow may take as long, one after another.
func (a *analysis) hopeless() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.ContainsFunc(a.failures, func(err error) bool { return video.KindOf(err) == video.Timeout })
}

func (a *analysis) keep(segment int, tracks *search.Tracklets, damage video.Damage, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tracks[segment], a.failures[segment] = tracks, err
	a.damage.Add(damage)
}

// collect puts together what the segments gave. Of several failures the earliest in the video is told.
func (a *analysis) collect() (tracks []*search.Tracklets, err error) {
	for i := range a.tracks {
		if a.tracks[i] != nil {
			tracks = append(tracks, a.tracks[i])
		}
		if err == nil && a.failures[i] != nil {
			err = a.failures[i]
			if len(a.plan.Segments) > 1 {
				seg := &a.plan.Segments[i]
				err = fmt.Errorf("between %s and %s: %w", clipTime(seg.From), clipTime(seg.To), err)
			}
		}
	}
	return tracks, err
}

// segment analyses one segment.
func (a *analysis) segment(
	ctx context.Context, rec *recognizer.Recognizer, seg *video.Segment,
) (_ *search.Tracklets, damage video.Damage, err error) {
	name := fmt.Sprintf("%s from %s to %s", a.videos[a.n], clipTime(seg.From), clipTime(seg.To))
	defer a.engine.trace.begin(a.engine.recognizers.number(rec), name)()
	stream, err := a.engine.decoder.Open(ctx, a.file, a.plan, *seg, video.StreamOptions{
		SampleRate: a.engine.params.SampleRate, Lookahead: a.lookahead(),
	})
	if err != nil {
		return nil, video.Damage{}, err
	}
	defer func() {
		damage = stream.Stats().Damage
		err = errors.Join(err, stream.Close())
	}()
	in := search.Stretch{
		Index: seg.Index, Frames: stream, Detector: rec, Embedder: rec, Params: a.engine.params,
		Cohort:   a.engine.pack.Cohort(),
		Progress: func(at time.Duration, faces int) { a.advance.reached(seg.Index, at-seg.From, faces) },
	}
	lookUpright(&in, rec, a.plan)
	if a.portraits {
		in.Portrait = func(p *face.Picture, d *face.Detection) []byte { return portraitJPEG(rec.Portrait(p, d)) }
	}
	tracks, err := search.Analyze(ctx, in)
	if err == nil {
		a.advance.reached(seg.Index, seg.To-seg.From, 0)
	}
	return tracks, damage, err
}

// lookahead is how many frames a decoder may work ahead. A lone worker takes turns with its decoder, so that both together
// keep one core busy. Several overlap by a frame, as each turn costs a wake-up (a sixth of the time with two workers on
// two cores). Where there are fewer segments than workers, decoders use the cores left over: three frames even out that
// some take longer to decode than others.
func (a *analysis) lookahead() int {
	const alternate, overlap, ahead = 1, 2, 3
	switch workers := a.engine.recognizers.size(); {
	case len(a.plan.Segments)*len(a.videos) < workers:
		return ahead
	case workers == 1:
		return alternate
	default:
		return overlap
	}
}
