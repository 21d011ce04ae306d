package service

import (
	"context"
	"os"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// Objects fetches photos and videos from buckets. Safe for concurrent use.
//
// Errors are [*Error]: [BadObject] for what is not there or may not be read, [VideoTooLarge] for what is over a limit,
// [Unavailable] for what may pass.
type Objects interface {
	// Stat says what state the object is in. The answer's Version is set where the bucket keeps versions.
	Stat(ctx context.Context, o Object) (ObjectInfo, error)
	// Read is the content of an object of at most limit bytes; a larger one is ImageTooLarge.
	Read(ctx context.Context, o Object, limit int64) ([]byte, error)
	// Open is a local file for the content that the object had when it was pinned; if it has another one now, that is
	// BadObject, here or when a part is fetched. The file may be shared with others: read it at offsets only. Closing gives it back.
	Open(ctx context.Context, o Object, pinned ObjectInfo) (LocalFile, error)
}

// VideoFile is a video on this machine, of which parts may be missing until they are fetched.
type VideoFile interface {
	File() *os.File
	// Fetch waits until the bytes from..to are there, and says up to where all after from are. Errors as of [Objects].
	Fetch(ctx context.Context, from, to int64) (end int64, err error)
}

// LocalFile is an object's content on this machine.
type LocalFile interface {
	VideoFile
	// Verify says whether the file still is what was pinned: BadObject if not. Ask after having read.
	Verify(ctx context.Context) error
	Close() error
}

// Photos finds faces in photos. Safe for concurrent use; a call waits until it is its turn.
type Photos interface {
	// Look finds the faces of an encoded photo, the largest first and at most 100. Errors are [*Error]: [BadImage],
	// [ImageTooLarge], [Invalid] for one that is too small.
	Look(ctx context.Context, image []byte, want Wanted) ([]PhotoFace, error)
}

// Wanted is what to find out about the faces of a photo beside where they are; each costs time.
type Wanted struct {
	Attributes bool
	// Probe asks for the embedding to search with, Template for the one to enrol.
	Probe, Template bool
}

// PhotoFace is a face found in a photo.
type PhotoFace struct {
	Detail
	// Height is the box's height in pixels of the photo.
	Height float32
	// Probe and Template are unit vectors, nil where they were not asked for.
	Probe, Template []float32
	// Weak says that the embedder can make little of the face.
	Weak bool
}

// Videos gives eyes for stored videos. Safe for concurrent use.
type Videos interface {
	// Terms are what decides how this process analyses videos, as a document of JSON: it is kept with the jobs that begin here.
	Terms() ([]byte, error)
	// Under gives the eyes that keep to terms; nil for those of before there were any, which are this process's own. [Elsewhere] if
	// this process cannot.
	Under(terms []byte) (Eyes, error)
}

// Eyes analyse stored videos. What they return as bytes is opaque to everybody else and the same for the same input and terms, in
// every process. Safe for concurrent use. Errors are [*Error]: [Invalid] for a video that cannot be searched, with the
// reason, [Unavailable] for what may pass, and [Elsewhere] for what a newer process has kept.
type Eyes interface {
	// Plan looks at a video and cuts it into segments.
	Plan(ctx context.Context, f VideoFile) (*JobPlan, error)
	// Segment follows the faces of one segment; with attributes it also says what each looks like each time.
	Segment(ctx context.Context, f VideoFile, plan *JobPlan, segment int, attributes bool) ([]byte, error)
	// Finish joins the segments, which segment hands out one at a time, and matches them. Without a gallery nothing is matched.
	Finish(ctx context.Context, plan *JobPlan, segment func(n int) ([]byte, error), m Matching) (*Found, error)
}

// Matching is what a video's faces are matched against, and how strictly.
type Matching struct {
	// Gallery stays as it is meanwhile. Nil: nothing is matched.
	Gallery    Searcher
	Threshold  face.Similarity
	MaxMatches int
	// People names the persons that enrolled faces are of: faces of one person have one name, and one without a name is a person of
	// its own.
	People func(ctx context.Context, ids []face.ID) (map[face.ID]string, error)
}

// Found is what a video shows.
type Found struct {
	// Sightings are every face at every analysed time, by time, then person.
	Sightings []face.Sighting
	Persons   int
	// Message says what of the video was not searched; empty where all was.
	Message string
}

// Searcher finds enrolled faces: exactly, by score descending and then by id. Safe for concurrent use.
type Searcher interface {
	Search(ctx context.Context, probes []face.Probe) ([][]face.Hit, error)
}

// Model is the embedding model in use.
type Model struct {
	ID face.ModelID
	// Version is digits and dots.
	Version     string
	Dim         int
	Cohort      *face.Cohort
	Calibration *face.Calibration
}

// Events is told what happens, for metrics and logs. Calls must return quickly. Safe for concurrent use.
type Events interface {
	// JobStarted and JobEnded tell of a job's beginning and end; TaskRun of one attempt at a task.
	JobStarted(j *Job)
	JobEnded(j *Job)
	TaskRun(t Task, took time.Duration, err error)
	// SegmentDone tells how much video was analysed in how much time.
	SegmentDone(video, took time.Duration)
	// GalleryLoaded tells that a collection's faces are in memory, and GallerySize how many there are from now on; -1 for a
	// collection that is there no longer.
	GalleryLoaded(c CollectionID, faces int, took time.Duration)
	GallerySize(c CollectionID, faces int)
	// FacesEnrolled and FacesDeleted tell which faces of a collection have changed, for the audit log; the context is that
	// of the request, see [OriginOf].
	FacesEnrolled(ctx context.Context, c CollectionID, ids []face.ID)
	FacesDeleted(ctx context.Context, c CollectionID, ids []face.ID)
}
