package batch

import (
	"fmt"
	"io"

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
	path   string // of the file, where it is known from an archive
}

// Output writes the results of a search.
type Output interface {
	// Add takes the next video in. Documents that stand for one video are written at once.
	Add(*Found) error
	// Close writes what needs all videos.
	Close() error
}

// NewOutput writes results to w in a format. columns is the width for a table; 0 where w is no terminal.
func NewOutput(f Format, w io.Writer, columns int) Output {
	switch f {
	case JSON:
		return documents{w}
	case CSV:
		return &whole{write: func(r *report.Run) error { return report.CSV(w, r) }}
	case HTML:
		return &whole{write: func(r *report.Run) error { return report.HTML(w, r) }, portraits: true}
	case Table:
	}
	return &whole{write: func(r *report.Run) error {
		return report.Table(w, r, report.TableOptions{Columns: columns})
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
	run       *report.Run
	portraits bool
	write     func(*report.Run) error
}

func (o *whole) Add(f *Found) error {
	if o.run == nil {
		run := *f.frame
		o.run = &run
	}
	video := f.video
	if !o.portraits {
		video.Portraits = nil // not to be kept for nothing
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
