package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/engine"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/outfile"
	"github.com/spotter-video/spotter/internal/report"
	"github.com/spotter-video/spotter/internal/video"
)

// Request is what to search for, where, and what to tell whom about it.
type Request struct {
	// Videos are files and folders, at least one. With In they choose among what the archive has, and may be none.
	Videos []string
	// Index is an archive that is asked first what a video shows, and is given what it does not know; see [Index]. Empty: nothing is
	// kept.
	Index string
	// In is an archive that is searched instead of videos, which need not be there.
	In string
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
func Search(ctx context.Context, c config.Config, r Request) (err error) {
	out := &events{listen: r.Listen}
	from, err := r.source(ctx, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	videos := from.videos
	annotated, err := annotatedPlaces(r.Annotate, videos, r.Force)
	if err != nil {
		return err
	}
	photos, err := listPeople(r.Faces, out.note)
	if err != nil {
		return err
	}
	if err = nothingRead(slices.Concat(r.Writes, annotated), from.reads(), photos, c); err != nil {
		return err
	}
	e, err := newEngine(c, r.Now, r.Trace)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	who, err := enrol(ctx, e, photos, r.Portraits, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, who.Close()) }()
	if r.Index != "" {
		if from.index, err = newIndexer(ctx, e, from.kept, out, len(videos), r.Now); err != nil {
			return err
		}
	}
	s := &searching{
		source: from, engine: e, people: who, out: out, portraits: r.Portraits, track: r.Track, now: r.Now, most: engine.Workers(c),
		annotated: annotated, frame: frameOf(who, c, r.Version, r.Now()),
	}
	s.frame.Notes = from.notes
	return s.run(ctx, r.Each)
}

// frameOf is what all videos of a search for some people have in common.
func frameOf(who *engine.People, c config.Config, version string, now time.Time) *report.Run {
	return &report.Run{
		Gallery:   report.Gallery{Faces: who.Faces, Person: who.Person, Photos: who.Portraits},
		Threshold: who.Threshold, SampleRate: float64(c.SampleRate), Version: version, When: now,
	}
}

// enrol makes a gallery of the photos. That nobody can be searched for is an error.
func enrol(ctx context.Context, e *engine.Engine, photos []engine.Photo, portraits bool, out *events) (*engine.People, error) {
	out.send(EnrolmentStarted{Photos: len(photos)})
	who, err := e.Enrol(ctx, photos, engine.Enrolment{
		Portraits: portraits,
		Progress:  func(done int) { out.send(PhotoDone{Done: done, Photos: len(photos)}) },
		Note:      out.note,
	})
	if err != nil {
		return nil, err
	}
	if len(who.Faces) == 0 {
		return nil, errors.Join(&NoFacesError{Photos: len(photos)}, who.Close())
	}
	out.send(EnrolmentDone{Faces: len(who.Faces), People: who.Count()})
	return who, nil
}

// searching is one [Search] under way.
type searching struct {
	*source
	engine    *engine.Engine
	people    *engine.People
	out       *events
	portraits bool
	track     int
	most      int // videos at once
	now       func() time.Time
	annotated []*outfile.Place // for each video; none where no copies are wanted
	frame     *report.Run
}

// run searches the videos side by side, at most as many at once as there are workers.
func (s *searching) run(ctx context.Context, each func(*Found) error) error {
	failed := 0
	err := inOrder(ctx, len(s.videos), s.most, s.video, func(tracks []*Found) error {
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

// video searches one video, each of its tracks for itself. What is wrong with the video is in the answer; an error is ctx's, or
// one of no video in particular.
func (s *searching) video(ctx context.Context, n int) ([]*Found, error) {
	began := s.now()
	if s.kept != nil {
		return s.known(ctx, n, began)
	}
	v, err := s.engine.Open(ctx, s.videos[n], s.track)
	if err != nil {
		return s.fail(ctx, n, began, err)
	}
	defer v.Close()
	all := make([]*Found, v.Tracks())
	for i := range all {
		t := &track{searching: s, n: n, file: v, i: i, number: v.Number(i), first: v.Number(0)}
		if all[i], err = t.search(ctx, began); err != nil {
			return nil, err
		}
		began = s.now()
	}
	return all, nil
}

// fail is the answer where there is nothing to search.
func (s *searching) fail(ctx context.Context, n int, began time.Time, failed error) ([]*Found, error) {
	f := &Found{frame: s.frame, path: s.videos[n], failed: failed, video: report.Video{Name: s.videos[n], Path: absolute(s.videos[n]), Err: failed, Elapsed: s.now().Sub(began)}}
	return []*Found{f}, s.done(ctx, n, f, nil)
}

// done tells of a track that has been searched, and of what is odd with it.
func (s *searching) done(ctx context.Context, n int, f *Found, odd []string) error {
	v := &f.video
	if video.KindOf(v.Err) == video.Unavailable { // of no video in particular
		return unavailable(v.Err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.out.send(VideoDone{
		Video: n, Path: v.Name, Length: v.Info.Duration, Faces: len(v.Sightings), Persons: persons(v.Sightings),
		Took: v.Elapsed, Warnings: odd, Err: f.failed,
	})
	return nil
}

// unavailable is what the decoder lacks on this machine.
func unavailable(err error) error {
	return &fault.EnvironmentError{Err: err, Mend: "'spotter doctor' says what is missing."}
}

// track is one of the tracks of a video that are searched.
type track struct {
	*searching
	n             int           // the video's number in the search
	file          *engine.Video // nil where it is not needed
	kept          *keptTrack    // what is kept of the track; nil where it is searched
	i             int           // the track's number among those that are searched
	number, first int           // its number in the file and that of the first one that is searched, from 1; 0 where the file has no other
}

// search searches the track, for which the clock runs since it began.
func (t *track) search(ctx context.Context, began time.Time) (*Found, error) {
	f := &Found{frame: t.frame, path: t.videos[t.n], video: report.Video{
		Name: trackPath(t.videos[t.n], t.number), Path: absolute(t.videos[t.n]), Track: t.number,
	}}
	v := &f.video
	if t.kept != nil {
		v.Err = t.recall(ctx, v)
	} else {
		v.Err = t.find(ctx, v)
	}
	v.Elapsed = t.now().Sub(began)
	f.failed = v.Err
	odd := slices.Concat(v.Warnings, v.Cautions)
	switch {
	case v.Err != nil || len(t.annotated) == 0:
	case t.i == 0:
		if f.failed = t.annotate(ctx, v); f.failed != nil {
			v.Warnings = append(v.Warnings, f.failed.Error()) // what was found is complete all the same
		}
	default: // how many tracks there are was not known when the copies got their names
		note := fmt.Sprintf("not annotated: the copy shows %s; annotate this one with --track %d", trackName(t.first), v.Track)
		v.Warnings, odd = append(v.Warnings, note), append(odd, note)
	}
	err := t.done(ctx, t.n, f, odd)
	if t.kept != nil {
		v.Elapsed = 0 // says nothing of the video
	}
	return f, err
}

// find fills in what the track shows, as far as it gets.
func (t *track) find(ctx context.Context, v *report.Video) error {
	found, err := t.file.Search(ctx, t.i, engine.Query{
		People: t.people, Portraits: t.portraits, Beside: len(t.videos),
		Started: func(info face.VideoInfo) {
			t.out.send(VideoStarted{Video: t.n, Videos: len(t.videos), Path: v.Name, Info: info})
		},
		Progress: func(analysed time.Duration, faces int) {
			t.out.send(VideoProgress{Video: t.n, Analysed: analysed, Faces: faces})
		},
	})
	fill(v, found)
	return err
}

// fill takes over what was found.
func fill(v *report.Video, found *engine.Findings) {
	v.Info, v.SampleRate, v.Sightings, v.Portraits = found.Info, found.SampleRate, found.Sightings, found.Portraits
	v.Warnings, v.Partial, v.Cautions = found.Warnings, found.Partial, found.Cautions
}

func persons(sightings []face.Sighting) int {
	most := 0
	for _, s := range sightings {
		most = max(most, s.Person+1)
	}
	return most
}

func trackName(n int) string { return fmt.Sprintf("track %d", n) }
