package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/search"
	"github.com/spotter-video/spotter/internal/video"
)

// Video is a video file that is searched, each of its video tracks for itself. Most files have one; recorders of two cameras and
// of several programmes write more. Close it.
type Video struct {
	engine  *Engine
	path    string
	file    *os.File
	list    []int32 // the tracks to search, as the decoder numbers them; none where the decoder does not say
	all     []int32 // the tracks that there are
	planned *video.Plan
}

// Open opens a video and looks which tracks it has. track is the number of the one to search, from 1; 0 is all of them. A file that
// cannot be searched is a [*video.Error], or an error in a sentence that does not name the file.
func (e *Engine) Open(ctx context.Context, path string, track int) (_ *Video, err error) {
	defer e.trace.begin(0, "plan "+path)()
	// Opening must not wait for the other end of a pipe; the decoder refuses what is no file.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // the user names the video
	if err != nil {
		return nil, errors.New(fault.Reason(err))
	}
	v := &Video{engine: e, path: path, file: f}
	defer func() {
		if err != nil {
			v.Close()
		}
	}()
	const marked = -1 // the one that the file marks, or the first
	if v.planned, err = v.planTrack(ctx, marked); err != nil {
		return nil, err
	}
	v.all = v.planned.Videos
	switch n := len(v.all); {
	case track > max(n, 1):
		return nil, fmt.Errorf("the file has %s, and so no track %d", videoTracks(n), track)
	case track > 0 && n > 1:
		v.list = v.all[track-1 : track]
	default:
		v.list = v.all
	}
	return v, nil
}

func videoTracks(n int) string {
	if n == 1 {
		return "1 video track"
	}
	return fmt.Sprintf("%d video tracks", n)
}

// Close closes the file; that it was only read makes any error irrelevant.
func (v *Video) Close() { _ = v.file.Close() }

// Tracks is how many tracks are searched: they are numbered from 0 here.
func (v *Video) Tracks() int { return max(len(v.list), 1) }

// Number is the i-th searched track's number in the file, from 1; 0 where the file has no other.
func (v *Video) Number(i int) int {
	if len(v.all) < 2 {
		return 0
	}
	return slices.Index(v.all, v.list[i]) + 1
}

// plan plans the i-th track to be searched.
func (v *Video) plan(ctx context.Context, i int) (*video.Plan, error) {
	if len(v.list) == 0 || v.planned.Track.Stream == v.list[i] {
		return v.planned, nil
	}
	defer v.engine.trace.begin(0, "plan "+v.path)()
	return v.planTrack(ctx, v.list[i])
}

func (v *Video) planTrack(ctx context.Context, track int32) (*video.Plan, error) {
	return onceMore(ctx, func() (*video.Plan, error) { return v.engine.decoder.PlanTrack(ctx, v.file, track) })
}

// Query is what a video is searched for, and who is told how it goes.
type Query struct {
	People *People
	// Portraits asks for a picture of each person seen.
	Portraits bool
	// Beside is how many videos are searched at the same time, this one included: where they have fewer segments than there are
	// workers, decoders work further ahead.
	Beside int
	// Started, if set, is told what the video is before it is analysed.
	Started func(face.VideoInfo)
	// Progress, if set, is told how much of the video has been analysed, in all segments together, and how many faces have been
	// seen, each counted at each analysed time: one call at a time, by several goroutines.
	Progress func(analysed time.Duration, faces int)
}

// Findings are what a track of a video shows.
type Findings struct {
	Info       face.VideoInfo
	SampleRate float64         // frames a second that were looked at
	Sightings  []face.Sighting // by time, then person
	// Portraits are the best portrait of each person as JPEG, by person number; may lack some.
	Portraits map[int][]byte
	// Warnings are sentences about what is odd with the video. Partial are those that say what of it was not searched.
	Warnings, Partial []string
	// Cautions say how far the names are to be trusted.
	Cautions []string
}

// Search searches the i-th track. Even with an error it returns what it found, as far as it got. Segments are analysed side by side,
// and what fails of them fails alone.
func (v *Video) Search(ctx context.Context, i int, q Query) (*Findings, error) {
	f := &Findings{}
	plan, err := v.plan(ctx, i)
	if err != nil {
		return f, err
	}
	f.Info, f.SampleRate = plan.Info, v.engine.params.SampleRate
	if q.Started != nil {
		q.Started(f.Info)
	}
	a := newAnalysis(v.engine, v, plan, &q)
	segments, failed := a.run(ctx)
	f.Warnings, f.Partial = append(plan.Warnings, a.damage.Warnings()...), a.damage.Partial()
	defer v.engine.trace.begin(0, "finish "+v.path)()
	if err := v.engine.match(ctx, &v.engine.pipeline, f, segments, q.People); err != nil {
		return f, errors.Join(failed, err)
	}
	return f, failed
}

// match finds out who was seen.
func (e *Engine) match(ctx context.Context, by *pipeline, f *Findings, segments []*search.Tracklets, who *People) (err error) {
	enrolled := who.gallery.Snapshot()
	defer func() { err = errors.Join(err, enrolled.Close()) }()
	result, err := by.finish(ctx, segments, search.Matching{
		Gallery: enrolled, Threshold: who.Threshold, MaxMatches: int(e.config.MaxFaces),
		People: func(context.Context, []face.ID) (map[face.ID]string, error) { return who.Person, nil },
	})
	if err != nil {
		return err
	}
	f.Sightings, f.Portraits = result.Sightings, result.Portraits
	for _, said := range []string{
		sideways(result.Turn), caution(e.pack.Calibration(), who.Threshold, len(who.Faces), result.Persons),
	} {
		if said != "" {
			f.Cautions = append(f.Cautions, said)
		}
	}
	return nil
}

// Annotate writes a copy of the first searched track into a file that is there, with an ASS script burnt in: see
// [video.Decoder.Overlay]. progress is told how far the copy has come. It holds a worker's place: encoding is hard work.
func (v *Video) Annotate(ctx context.Context, script []byte, into string, progress func(time.Duration)) (err error) {
	rec, err := v.engine.recognizers.take(ctx)
	if err != nil {
		return err
	}
	defer v.engine.recognizers.give(rec)
	f, err := os.Open(v.path)
	if err != nil {
		return errors.New(fault.Reason(err))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	track := int32(-1)
	if len(v.list) > 0 {
		track = v.list[0]
	}
	return v.engine.decoder.Overlay(ctx, f, track, script, into, progress)
}
