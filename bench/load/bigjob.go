package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/shelf"
	"github.com/spotter-video/spotter/internal/store/sqlite"
)

// writeJob has the service run a job whose video shows as many faces as are wanted, and writes its results into a data
// folder.
func writeJob(ctx context.Context, o *options, data string) (id string, err error) {
	pack, err := recognizer.LoadPack(o.models)
	if err != nil {
		return "", err
	}
	var tasks []service.Task
	db, err := sqlite.Open(ctx, filepath.Join(data, "spotter.db"))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	store := sqlite.New(db, func(_ context.Context, _ *sql.Tx, more []service.Task) error {
		tasks = append(tasks, more...)
		return nil
	})
	v := &longVideo{sightings: o.sightings, random: mathrand.New(mathrand.NewPCG(3, 4))} //nolint:gosec // the same each time
	s, err := service.New(ports(store, v, pack), service.DefaultSettings())
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if v.faces, err = enrol(ctx, s, store, v.random, pack.Dim()); err != nil {
		return "", err
	}
	job, err := s.StartJob(ctx, service.StartRequest{
		Operation: service.FaceSearch, Collection: people, Video: service.Object{Bucket: bucket, Key: "long.mp4"},
	})
	if err != nil {
		return "", err
	}
	for len(tasks) > 0 {
		next := tasks[0]
		tasks = tasks[1:]
		next.Attempt = 1 // there is one at a time
		if err = s.Run(ctx, next); err != nil {
			return "", err
		}
	}
	j, err := store.Job(ctx, job)
	if err == nil && j.State != service.Succeeded {
		err = fmt.Errorf("the job has failed: %s", j.Message)
	}
	return string(job), err
}

func ports(store service.Store, v *longVideo, pack *recognizer.Pack) service.Ports {
	return service.Ports{
		Store: store, Objects: v, Videos: v, Events: nobodyListens{},
		Model: service.Model{
			ID: pack.Model(), Version: pack.Version(), Dim: pack.Dim(), Cohort: pack.Cohort(), Calibration: pack.Calibration(),
		},
		NewGallery: func(from shelf.Originals) (shelf.Gallery, error) { return newAlbum(pack.Dim(), from) },
		Code:       gallery.Code, CodeSize: gallery.CodeSize(pack.Dim()),
		Knows: func(string) bool { return false }, Wake: func() {}, Log: slog.New(slog.DiscardHandler),
		Now: time.Now, Random: rand.Reader, PageKey: make([]byte, 32), // of tokens that nobody gets
	}
}

// enrol adds the faces that the job's video shows.
func enrol(
	ctx context.Context, s *service.Service, store service.Store, random *mathrand.Rand, dim int,
) ([]face.ID, error) {
	c, err := s.CreateCollection(ctx, people, nil)
	if err != nil {
		return nil, err
	}
	const shown = 500
	faces, ids := make([]service.NewFace, shown), make([]face.ID, shown)
	for i := range faces {
		_, _ = rand.Read(ids[i][:])
		faces[i].ID, faces[i].ExternalID, faces[i].Version = ids[i], fmt.Sprintf("person-%03d", i), c.Version
		faces[i].Detection, faces[i].Vector = someDetection(random), direction(random, dim)
	}
	_, err = store.AddFaces(ctx, c.Serial, faces, shown)
	return ids, err
}

// album is a gallery as the service wants it.
type album struct{ *gallery.Gallery }

func newAlbum(dim int, from shelf.Originals) (a album, err error) {
	if from == nil {
		a.Gallery, err = gallery.New(dim)
	} else {
		a.Gallery, err = gallery.NewWithOriginals(dim, from)
	}
	return a, err
}

func (a album) Snapshot() shelf.Snapshot { return a.Gallery.Snapshot() }

// nobodyListens takes those events that a job of one process tells of.
type nobodyListens struct{ service.Events }

func (nobodyListens) JobStarted(*service.Job)                                {}
func (nobodyListens) JobEnded(*service.Job)                                  {}
func (nobodyListens) TaskRun(service.Task, time.Duration, error)             {}
func (nobodyListens) SegmentDone(time.Duration, time.Duration)               {}
func (nobodyListens) GalleryLoaded(service.CollectionID, int, time.Duration) {}
func (nobodyListens) GallerySize(service.CollectionID, int)                  {}

// longVideo is a video with ten faces at each time, and what is seen in it. It implements the service's view of buckets and
// of videos.
type longVideo struct {
	service.Objects
	sightings int
	faces     []face.ID
	random    *mathrand.Rand
}

const (
	facesAtOnce = 10
	// between is the time between analysed frames, at five a second.
	between = 200 * time.Millisecond
	// followed is how many frames a face is followed for, and matchesEach how many enrolled faces it is similar to.
	followed, matchesEach = 50, 3
	personsSeen           = 200
)

func (v *longVideo) Stat(context.Context, service.Object) (service.ObjectInfo, error) {
	return service.ObjectInfo{Size: 1, ETag: "1"}, nil
}

func (v *longVideo) Open(context.Context, service.Object, service.ObjectInfo) (service.LocalFile, error) {
	return noFile{}, nil
}

// noFile is a video that nobody reads.
type noFile struct{}

func (noFile) File() *os.File                                      { return nil }
func (noFile) Fetch(_ context.Context, _, to int64) (int64, error) { return to, nil }
func (noFile) Verify(context.Context) error                        { return nil }
func (noFile) Close() error                                        { return nil }

func (v *longVideo) Terms() ([]byte, error) { return []byte("{}"), nil }

func (v *longVideo) Under([]byte) (service.Eyes, error) { return v, nil }

func (v *longVideo) Plan(context.Context, service.VideoFile) (*service.JobPlan, error) {
	length := time.Duration(v.sightings/facesAtOnce) * between
	return &service.JobPlan{Segments: 1, Data: []byte("1"), Info: face.VideoInfo{
		Codec: "h264", Format: "QuickTime / MOV", Duration: length, FrameRate: 25, Width: 1280, Height: 720,
	}}, nil
}

func (v *longVideo) Segment(context.Context, service.VideoFile, *service.JobPlan, int, bool) ([]byte, error) {
	return []byte("1"), nil
}

func (v *longVideo) Finish(
	context.Context, *service.JobPlan, func(int) ([]byte, error), service.Matching,
) (*service.Found, error) {
	found := &service.Found{Sightings: make([]face.Sighting, v.sightings), Persons: personsSeen}
	var now [facesAtOnce][]face.Match
	for i := range found.Sightings {
		frame, at := i/facesAtOnce, i%facesAtOnce
		if frame%followed == 0 {
			now[at] = v.matches()
		}
		track := frame/followed*facesAtOnce + at
		found.Sightings[i] = face.Sighting{
			Time: time.Duration(frame) * between, Person: track % personsSeen, Detection: someDetection(v.random), Matches: now[at],
		}
	}
	return found, nil
}

func (v *longVideo) matches() []face.Match {
	list := make([]face.Match, matchesEach)
	for i := range list {
		list[i] = face.Match{
			ID: v.faces[v.random.IntN(len(v.faces))], Similarity: face.Similarity(99-3*i) + face.Similarity(v.random.Float32()),
		}
	}
	return list
}
