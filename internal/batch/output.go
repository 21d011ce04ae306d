package batch

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/engine"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/report"
)

// Format is a form in which results are written.
type Format int

// The formats.
const (
	Table Format = iota // for a terminal
	CSV                 // a row per appearance
	HTML                // one page
	JSON                // a GetFaceSearch document a line
)

// Found is what a search found in one video. It is read-only.
type Found struct {
	// frame is what all videos of the search have in common; its list of videos is empty.
	frame *report.Run
	path  string // of the video, as the user named it
	video report.Video
	// failed says what could not be done, be it searching or annotating.
	failed error
	// none says that this is no video: only the frame counts.
	none bool
}

// Output writes the results of a search.
type Output interface {
	// Add takes the next video in. Documents that stand for one video are written at once.
	Add(*Found) error
	// Close writes what needs all videos.
	Close() error
}

// Layout says how results are laid out. The zero value is a table for no terminal, video by video.
type Layout struct {
	// ByPerson lays a table, CSV and a page out person by person: in which videos each is. Documents are one a video all the
	// same.
	ByPerson bool
	// Columns is the width for a table; 0 where it is written to no terminal.
	Columns int
	// Page is the file that a page is written to. Its links to the videos begin in that file's folder.
	Page string
}

// NewOutput writes results to w in a format.
func NewOutput(f Format, w io.Writer, l Layout) Output {
	switch f {
	case JSON:
		return documents{w}
	case CSV:
		return &whole{layout: l, write: func(r *report.Run) error { return report.CSV(w, r) }}
	case HTML:
		return &whole{layout: l, write: func(r *report.Run) error { return report.HTML(w, r) }, portraits: true}
	case Table:
	}
	return &whole{layout: l, write: func(r *report.Run) error {
		return report.Table(w, r, report.TableOptions{Columns: l.Columns})
	}}
}

// documents writes a document a line, and keeps nothing.
type documents struct{ w io.Writer }

func (d documents) Add(f *Found) error {
	document := awsapi.FaceSearch{
		Status: awsapi.Succeeded, Name: f.path, Video: f.video.Info, Sightings: f.video.Sightings,
		Enrolled: func(id face.ID) (face.Enrolled, bool) {
			e, ok := f.frame.Gallery.Faces[id]
			return e, ok
		},
	}
	if f.video.Err != nil {
		document.Status, document.Message = awsapi.Failed, f.video.Err.Error()
	} else {
		document.Message = engine.Message(f.video.Partial, f.video.Cautions)
	}
	if f.video.Track > 0 {
		document.Tag = trackName(f.video.Track)
	}
	return awsapi.WriteFaceSearch(d.w, document)
}

func (documents) Close() error { return nil }

// whole writes a report of all videos at the end.
type whole struct {
	layout    Layout
	run       *report.Run
	portraits bool
	write     func(*report.Run) error
}

func (o *whole) Add(f *Found) error {
	if o.run == nil {
		run := *f.frame
		if o.layout.ByPerson {
			run.By = report.ByPerson
		}
		if o.layout.Page != "" {
			run.Folder = filepath.Dir(absolute(o.layout.Page))
		}
		o.run = &run
	}
	if f.none {
		return nil
	}
	video := f.video
	switch { // not to be kept for nothing
	case !o.portraits:
		video.Portraits = nil
	case o.layout.ByPerson:
		video.Portraits = report.PortraitsOfFound(&video, &o.run.Gallery, cmp.Or(video.SampleRate, o.run.SampleRate))
	}
	o.run.Videos = append(o.run.Videos, video)
	return nil
}

func (o *whole) Close() error {
	if o.run == nil {
		return nil
	}
	if err := o.write(o.run); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
