package report

import (
	"cmp"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// Video is one searched video with what was found in it.
type Video struct {
	Name      string // as the user named it
	Path      string // of the file, absolute, for links to it; empty where there is none
	Info      face.VideoInfo
	Sightings []face.Sighting // by time, then person
	// Portraits are the best portrait of each person of the video as JPEG, by person number; may lack some.
	Portraits map[int][]byte
	Warnings  []string
	// Cautions say how far the result is to be trusted: where so many faces are enrolled that some names will be wrong, or
	// where the video lies on its side.
	Cautions []string
	// Partial are those of the warnings that say what of the video was not searched.
	Partial []string
	// Track is the number of the video track, from 1; 0 where the file has one only.
	Track int
	// SampleRate is how often the video was looked at, in frames a second; 0: as often as the run says.
	SampleRate float64
	// Err says why the video failed; the rest is what was found until then, maybe nothing.
	Err     error
	Elapsed time.Duration // that the search took
}

// Gallery is who was searched for.
type Gallery struct {
	Faces  map[face.ID]face.Enrolled
	Person map[face.ID]string // the enrolled person's name, as the user's folder or file was called
	Photos map[face.ID][]byte // portrait of the enrolled face as JPEG; may lack some
}

// Run is one run of the command over one or several videos.
type Run struct {
	Videos []Video
	// By is by what table, CSV and page are laid out.
	By Grouping
	// Folder is where the page will lie, absolute: its links to the videos begin there. Without it there are none.
	Folder string
	// Notes say what of the places that were named was not searched, such as files that are no videos.
	Notes     []string
	Gallery   Gallery
	Threshold face.Similarity
	// SampleRate is how often the videos were looked at, in frames a second; 0 where each has its own.
	SampleRate float64
	// Of is how many videos were asked, of which Videos are those that somebody was found in, with nothing but matches; 0 where Videos are
	// all, with everybody in them.
	Of      int
	Version string
	When    time.Time
}

// rate is how often a video was looked at.
func (r *Run) rate(v *Video) float64 { return cmp.Or(v.SampleRate, r.SampleRate) }

// files is how many files the videos are of, as each track of a file is a video of its own.
func (r *Run) files() int {
	paths := map[string]bool{}
	for i := range r.Videos {
		paths[cmp.Or(r.Videos[i].Path, r.Videos[i].Name)] = true
	}
	return len(paths)
}

// name is what a person reads for an enrolled face. It never is empty.
func (g *Gallery) name(id face.ID) string {
	if name := g.Person[id]; name != "" {
		return name
	}
	if name := g.Faces[id].ExternalID; name != "" {
		return name
	}
	return id.String()
}
