package service_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/shelf"
)

// bed is a service on a real database and real galleries, with eyes that see what a test writes into photos and videos.
type bed struct {
	*service.Service
	t     *testing.T
	store service.Store

	mu    sync.Mutex
	now   time.Time
	tasks []service.Task
	// attempts is how many tasks have been run.
	attempts int64
	woken    int
	told     bytes.Buffer // the log

	objects *shelfOfObjects
	videos  *readVideos
	files   string // the folder that collections are kept in
}

func setup(t *testing.T, change ...func(*service.Settings)) *bed {
	t.Helper()
	b := &bed{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), objects: newObjects(t), videos: &readVideos{}, files: t.TempDir()}
	b.store = newStore(t, func(_ context.Context, _ *sql.Tx, tasks []service.Task) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, t := range tasks {
			if !slices.Contains(b.tasks, t) { // a task is in the queue once
				b.tasks = append(b.tasks, t)
			}
		}
		return nil
	})
	b.start(change...)
	return b
}

// start makes the service, as a process does that starts with a database that is there already.
func (b *bed) start(change ...func(*service.Settings)) {
	b.t.Helper()
	settings := service.DefaultSettings()
	for _, c := range change {
		c(&settings)
	}
	b.startOn(b.ports(), settings)
}

// ports are the world of the test's service.
func (b *bed) ports() service.Ports {
	return service.Ports{
		Store: b.store, Objects: b.objects, Photos: readPhotos{}, Videos: b.videos, Model: testModel(),
		NewGallery: newTestGallery, Code: gallery.Code, CodeSize: gallery.CodeSize(dim),
		Knows:  func(topic string) bool { return topic == "known" },
		Wake:   func() { b.mu.Lock(); b.woken++; b.mu.Unlock() },
		Events: silence{}, Log: slog.New(slog.NewTextHandler(b, nil)), Now: b.clock, Random: rand.Reader,
		PageKey: bytes.Repeat([]byte{7}, 32),
		Files:   shelf.Files{Folder: b.files, Room: func(int64) bool { return true }},
	}
}

func (b *bed) startOn(p service.Ports, settings service.Settings) {
	b.t.Helper()
	var err error
	b.Service, err = service.New(p, settings)
	if err != nil {
		b.t.Fatal(err)
	}
	running := b.Service
	b.t.Cleanup(func() { _ = running.Close() })
}

// Write keeps what is logged.
func (b *bed) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.told.Write(line)
}

// log is what has been logged.
func (b *bed) log() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.told.String()
}

func (b *bed) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bed) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// take is the oldest task that waits.
func (b *bed) take() (service.Task, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.tasks) == 0 {
		return service.Task{}, false
	}
	t := b.tasks[0]
	b.tasks = b.tasks[1:]
	b.attempts++
	t.Attempt = b.attempts
	return t, true
}

// work runs all tasks until none is left.
func (b *bed) work() {
	b.t.Helper()
	for {
		task, more := b.take()
		if !more {
			return
		}
		if err := b.Run(b.t.Context(), task); err != nil {
			b.t.Fatalf("task %v: %v", task, err)
		}
	}
}

func (b *bed) collection(id service.CollectionID) {
	b.t.Helper()
	if _, err := b.CreateCollection(b.t.Context(), id, nil); err != nil {
		b.t.Fatal(err)
	}
}

// index enrols the faces of a photo and gives their ids.
func (b *bed) index(c service.CollectionID, name string, faces ...testFace) []face.ID {
	b.t.Helper()
	done, err := b.IndexFaces(b.t.Context(), service.IndexRequest{
		Collection: c, Image: photoOf(faces...), ExternalID: name, Quality: service.QualityNone,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	ids := make([]face.ID, len(done.Faces))
	for i, f := range done.Faces {
		ids[i] = f.Face.ID
	}
	return ids
}

// dim is the dimension of the embeddings of the tests.
const dim = 4

// testModel spreads strangers' scores with a deviation of 0.1 around 0, so that a score of 0.2 is a similarity of 80.
func testModel() service.Model {
	covariance := make([]float32, dim*dim)
	for i := range dim {
		covariance[i*dim+i] = 0.01
	}
	return service.Model{
		ID: "test@1.0", Version: "1.0", Dim: dim, Cohort: &face.Cohort{Mean: make([]float32, dim), Covariance: covariance},
		Calibration: &face.Calibration{Points: []face.CalibrationPoint{
			{Normalised: 1, Similarity: 50}, {Normalised: 2, Similarity: 80}, {Normalised: 4, Similarity: 90},
		}},
	}
}

// testFace is a face that a photo or a video of a test shows.
type testFace struct {
	Vector     []float32
	Height     float32
	Yaw        float32
	Confidence float32
	At         float32 // left edge of its box
}

// looks is a good face with this direction.
func looks(vector ...float32) testFace {
	v := make([]float32, dim)
	copy(v, vector)
	if _, err := face.Normalize(v); err != nil {
		panic(err)
	}
	return testFace{Vector: v, Height: 100, Confidence: 99}
}

func photoOf(faces ...testFace) service.Image {
	content, err := json.Marshal(faces)
	if err != nil {
		panic(err)
	}
	return service.Image{Bytes: content}
}

// readPhotos reads photos that photoOf has made.
type readPhotos struct{}

func (readPhotos) Look(_ context.Context, image []byte, want service.Wanted) ([]service.PhotoFace, error) {
	var faces []testFace
	if err := json.Unmarshal(image, &faces); err != nil {
		return nil, service.Errorf(service.BadImage, "no photo")
	}
	out := make([]service.PhotoFace, len(faces))
	for i, f := range faces {
		out[i].Height, out[i].Detection = f.Height, f.detection()
		if want.Probe {
			out[i].Probe = f.Vector
		}
		if want.Template {
			out[i].Template = f.Vector
		}
	}
	return out, nil
}

func (f testFace) detection() face.Detection {
	return face.Detection{
		Box:        face.Box{Left: f.At, Top: 0.1, Width: f.Height / 1000, Height: f.Height / 1000},
		Confidence: f.Confidence, Pose: face.Pose{Yaw: f.Yaw}, Quality: face.Quality{Brightness: 50, Sharpness: 50},
	}
}

// testVideo is what a video of a test holds: segments of faces, each seen several times.
type testVideo struct {
	Segments   [][]testFace
	Times      int
	Broken     string // why it cannot be searched
	Passing    int    // how often it fails for a reason that passes
	Attributes bool   // set by Segment
}

// readVideos reads such videos.
type readVideos struct {
	mu       sync.Mutex
	failed   int
	analysed int
	block    chan struct{} // if set, segments wait for it, and say so on waits
	waits    chan struct{}
	matched  func() // if set, is called when a video has been matched
}

func (v *readVideos) Terms() ([]byte, error) { return []byte(`{"eyes":"these"}`), nil }

func (v *readVideos) Under(terms []byte) (service.Eyes, error) {
	if terms != nil && string(terms) != `{"eyes":"these"}` {
		return nil, service.Errorf(service.Elsewhere, "other eyes are needed: %s", terms)
	}
	return v, nil
}

func (v *readVideos) Plan(_ context.Context, f service.VideoFile) (*service.JobPlan, error) {
	video, err := readTestVideo(f.File())
	if err != nil {
		return nil, err
	}
	if video.Broken != "" {
		return nil, service.Errorf(service.Invalid, "%s", video.Broken)
	}
	return &service.JobPlan{
		Segments: len(video.Segments), Data: []byte("plan"),
		Info: face.VideoInfo{Codec: "h264", Format: "QuickTime / MOV", Duration: time.Minute, FrameRate: 25, Width: 640, Height: 360},
	}, nil
}

func (v *readVideos) Segment(
	ctx context.Context, f service.VideoFile, _ *service.JobPlan, n int, attributes bool,
) ([]byte, error) {
	video, err := readTestVideo(f.File())
	if err != nil {
		return nil, err
	}
	if v.block != nil {
		select {
		case v.waits <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		select {
		case <-v.block:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.failed < video.Passing {
		v.failed++
		return nil, &service.Error{Kind: service.Unavailable, Message: "The disk is busy."}
	}
	v.analysed++
	return json.Marshal(testVideo{Segments: video.Segments[n : n+1], Times: video.Times, Attributes: attributes})
}

func (v *readVideos) Finish(
	ctx context.Context, p *service.JobPlan, segment func(int) ([]byte, error), m service.Matching,
) (*service.Found, error) {
	found := &service.Found{}
	for n := range p.Segments {
		data, err := segment(n)
		if err != nil {
			return nil, err
		}
		var video testVideo
		if err := json.Unmarshal(data, &video); err != nil {
			return nil, err
		}
		for _, f := range video.Segments[0] {
			matches, err := matchesOf(ctx, f, m)
			if err != nil {
				return nil, err
			}
			for i := range video.Times {
				seen := face.Sighting{
					Time: time.Duration(len(found.Sightings))*time.Second + time.Duration(i), Person: found.Persons,
					Detection: f.detection(), Matches: matches,
				}
				if video.Attributes {
					seen.Attributes = &face.Attributes{Age: &face.AgeRange{Low: len(found.Sightings)}}
				}
				found.Sightings = append(found.Sightings, seen)
			}
			found.Persons++
		}
	}
	if v.matched != nil {
		v.matched()
	}
	return found, nil
}

func matchesOf(ctx context.Context, f testFace, m service.Matching) ([]face.Match, error) {
	if m.Gallery == nil {
		return nil, nil
	}
	model := testModel()
	i := model.Cohort.Impostors(f.Vector)
	lists, err := m.Gallery.Search(ctx, []face.Probe{{
		Vector: f.Vector, MinScore: model.Calibration.Threshold(m.Threshold, i), Limit: m.MaxMatches,
	}})
	if err != nil {
		return nil, err
	}
	var matches []face.Match
	for _, h := range lists[0] {
		matches = append(matches, face.Match{ID: h.ID, Similarity: model.Calibration.Similarity(h.Score, i)})
	}
	return matches, nil
}

func readTestVideo(f *os.File) (*testVideo, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	content := make([]byte, info.Size())
	if _, err := f.ReadAt(content, 0); err != nil {
		return nil, err
	}
	var v testVideo
	return &v, json.Unmarshal(content, &v)
}

// shelfOfObjects is a bucket of files.
type shelfOfObjects struct {
	t      *testing.T
	folder string
	mu     sync.Mutex
	size   map[string]int64 // what Stat says, if not the truth
}

func newObjects(t *testing.T) *shelfOfObjects {
	t.Helper()
	return &shelfOfObjects{t: t, folder: t.TempDir(), size: map[string]int64{}}
}

func (o *shelfOfObjects) put(key string, v testVideo) service.Object {
	o.t.Helper()
	content, err := json.Marshal(v)
	if err != nil {
		o.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.folder, key), content, 0o600); err != nil {
		o.t.Fatal(err)
	}
	return service.Object{Bucket: "bucket", Key: key}
}

func (o *shelfOfObjects) Stat(_ context.Context, obj service.Object) (service.ObjectInfo, error) {
	content, err := os.ReadFile(filepath.Join(o.folder, obj.Key))
	if err != nil {
		return service.ObjectInfo{}, service.Errorf(service.BadObject, "no such object")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if size, set := o.size[obj.Key]; set {
		return service.ObjectInfo{Size: size}, nil
	}
	return service.ObjectInfo{Size: int64(len(content)), ETag: fmt.Sprintf("%x", sha256.Sum256(content))}, nil
}

func (o *shelfOfObjects) Read(_ context.Context, obj service.Object, limit int64) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(o.folder, obj.Key))
	switch {
	case err != nil:
		return nil, service.Errorf(service.BadObject, "no such object")
	case int64(len(content)) > limit:
		return nil, service.Errorf(service.ImageTooLarge, "too large")
	}
	return content, nil
}

func (o *shelfOfObjects) Open(_ context.Context, obj service.Object, pinned service.ObjectInfo) (service.LocalFile, error) {
	f, err := os.Open(filepath.Join(o.folder, obj.Key))
	if err != nil {
		return nil, service.Errorf(service.BadObject, "no such object")
	}
	return &openFile{f, pinned.Size}, nil
}

type openFile struct {
	f    *os.File
	size int64
}

func (f *openFile) File() *os.File { return f.f }

func (f *openFile) Fetch(_ context.Context, _, to int64) (int64, error) { return to, nil }

func (f *openFile) Verify(context.Context) error {
	info, err := f.f.Stat()
	if err == nil && info.Size() != f.size {
		err = service.Errorf(service.BadObject, "The object was replaced.")
	}
	return err
}

func (f *openFile) Close() error { return f.f.Close() }

// testGallery is a gallery as the service wants it.
type testGallery struct{ *gallery.Gallery }

func newTestGallery(from shelf.Originals) (shelf.Gallery, error) {
	if from == nil {
		g, err := gallery.New(dim)
		return testGallery{g}, err
	}
	g, err := gallery.NewWithOriginals(dim, from)
	return testGallery{g}, err
}

func (g testGallery) Snapshot() shelf.Snapshot { return g.Gallery.Snapshot() }

// silence takes no notice of events.
type silence struct{}

func (silence) JobStarted(*service.Job)                                        {}
func (silence) JobEnded(*service.Job)                                          {}
func (silence) TaskRun(service.Task, time.Duration, error)                     {}
func (silence) SegmentDone(_, _ time.Duration)                                 {}
func (silence) GalleryLoaded(service.CollectionID, int, time.Duration)         {}
func (silence) GallerySize(service.CollectionID, int)                          {}
func (silence) FacesEnrolled(context.Context, service.CollectionID, []face.ID) {}
func (silence) FacesDeleted(context.Context, service.CollectionID, []face.ID)  {}

func wantKind(t *testing.T, what string, err error, kind service.Kind) {
	t.Helper()
	if e := (*service.Error)(nil); !errors.As(err, &e) || e.Kind != kind {
		t.Errorf("%s: error %v, want one of kind %d", what, err, kind)
	}
}

// again is another attempt at a task.
func (b *bed) again(t service.Task) service.Task {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.attempts++
	t.Attempt = b.attempts
	return t
}
