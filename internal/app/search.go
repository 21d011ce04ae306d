package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/outfile"
	"github.com/spotter-video/spotter/internal/report"
	"github.com/spotter-video/spotter/internal/video"
)

// SearchRequest is what to search for, where, and what to tell whom about it.
type SearchRequest struct {
	// Videos are files and folders, at least one.
	Videos []string
	// Faces is the folder of the people to look for, or a single photo.
	Faces string
	// Portraits asks for pictures of the people seen and enrolled, which an HTML page shows.
	Portraits bool
	// Annotate is the file that a copy of the video with boxes and names is written to, or a folder for the copies of
	// several videos. Empty: none is made.
	Annotate string
	// Force lets annotated copies replace files that are there already, whatever they are; never one that is read.
	Force bool
	// Writes are the places that the caller writes results to. None may be a file that the search reads.
	Writes []*outfile.Place
	// Track is the number of the video track to search, from 1; 0 searches all, each with a result of its own.
	Track int
	// Listen, if set, is told what happens, one event at a time, by several goroutines.
	Listen func(Event)
	// Trace, if set, is told of each piece of work when it is done, one at a time, by several goroutines.
	Trace func(Step)
	// Each is given what was found in each video, in the order of the videos, as soon as that of all videos before it has
	// been given. An error of it ends the search.
	Each func(*Found) error
	// Now is the clock.
	Now func() time.Time
	// Version is the program's, for reports.
	Version string
}

// Search looks for the people in the videos.
//
// Several videos are worked on at once, and several segments of each, on as many recognizers as there are workers; what
// is found depends on neither. A video that fails, or fails in part, is given to Each with the reason and with what was
// found all the same, and the others are searched; the error then is an [*IncompleteError]. Other errors are
// [*fault.UsageError], [*fault.EnvironmentError], [*NoFacesError], ctx's, and those of Each.
func Search(ctx context.Context, c config.Config, r SearchRequest) (err error) {
	out := &events{listen: r.Listen}
	videos, err := listVideos(r.Videos, func(path, reason string, lost bool) {
		out.send(Noted{Path: path, Reason: reason, Refused: lost})
	})
	if err != nil {
		return err
	}
	annotated, err := annotatedPlaces(r.Annotate, videos, r.Force)
	if err != nil {
		return err
	}
	photos, err := listPeople(r.Faces, func(path, reason string, lost bool) {
		out.send(Noted{Path: path, Reason: reason, Refused: lost})
	})
	if err != nil {
		return err
	}
	if err = nothingRead(slices.Concat(r.Writes, annotated), videos, photos, c); err != nil {
		return err
	}
	trace := newTimeline(r.Now, r.Trace)
	loaded := trace.begin(0, "load models")
	e, err := newEngine(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	e.trace = trace
	loaded()
	who, err := e.enrol(ctx, photos, r.Portraits, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, who.index.Close()) }()
	s := &searching{
		engine: e, people: who, out: out, portraits: r.Portraits, track: r.Track, now: r.Now, videos: videos, annotated: annotated,
		frame: &report.Run{
			Gallery: who.Gallery, Threshold: e.threshold(len(who.Faces)), SampleRate: float64(c.SampleRate),
			Version: r.Version, When: r.Now(),
		},
	}
	return s.run(ctx, r.Each)
}

// searching is one [Search] under way.
type searching struct {
	engine    *engine
	people    *people
	out       *events
	portraits bool
	track     int
	now       func() time.Time
	videos    []string
	annotated []*outfile.Place // for each video; none where no copies are wanted
	frame     *report.Run
}

// run searches the videos side by side, at most as many at once as there are workers.
func (s *searching) run(ctx context.Context, each func(*Found) error) error {
	failed := 0
	err := inOrder(ctx, len(s.videos), s.engine.recognizers.size(), s.video, func(tracks []*Found) error {
		complete := true
		for _, found := range tracks {
			complete = complete && found.failed == nil && len(found.video.Partial) == 0
			if err := each(found); err != nil {
				return err
			}
		}
		if !complete {
			failed++
		}
		return nil
	})
	if err == nil && failed > 0 {
		err = &IncompleteError{Failed: failed, Total: len(s.videos)}
	}
	return err
}

// video searches one video, each of its tracks for itself. What is wrong with the video is in the answer; an error is
// ctx's alone.
func (s *searching) video(ctx context.Context, n int) ([]*Found, error) {
	t := &tracks{searching: s, n: n}
	defer t.close()
	first, err := t.found(ctx, 0)
	all := []*Found{first}
	for i := 1; err == nil && i < len(t.list); i++ {
		var found *Found
		found, err = t.found(ctx, i)
		all = append(all, found)
	}
	return all, err
}

// found searches one track.
func (t *tracks) found(ctx context.Context, i int) (*Found, error) {
	s, n := t.searching, t.n
	began := s.now()
	f := &Found{frame: s.frame, video: report.Video{Name: s.videos[n]}}
	v := &f.video
	v.Err = t.find(ctx, i, v)
	if video.KindOf(v.Err) == video.Unavailable { // of no video in particular
		return nil, &fault.EnvironmentError{Err: v.Err, Mend: "'spotter doctor' says what is missing."}
	}
	v.Elapsed = s.now().Sub(began)
	f.failed = v.Err
	odd := slices.Concat(v.Warnings, v.Cautions)
	switch {
	case v.Err != nil || len(s.annotated) == 0:
	case i == 0:
		if f.failed = t.annotate(ctx, v); f.failed != nil {
			v.Warnings = append(v.Warnings, f.failed.Error()) // what was found is complete all the same
		}
	default: // how many tracks there are was not known when the copies got their names
		note := fmt.Sprintf("not annotated: the copy shows %s; annotate this one with --track %d", trackName(t.number(0)), v.Track)
		v.Warnings, odd = append(v.Warnings, note), append(odd, note)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.out.send(VideoDone{
		Video: n, Path: v.Name, Length: v.Info.Duration, Faces: len(v.Sightings), Persons: persons(v.Sightings),
		Took: v.Elapsed, Warnings: odd, Err: f.failed,
	})
	return f, nil
}

func persons(sightings []face.Sighting) int {
	most := 0
	for _, s := range sightings {
		most = max(most, s.Person+1)
	}
	return most
}

// clipTime writes a time within a video for an error message.
func clipTime(d time.Duration) string {
	d = d.Round(time.Second)
	return fmt.Sprintf("%d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
}
