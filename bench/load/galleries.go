package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/sqlite"
)

// galleryReport is what a collection of one size costs.
type galleryReport struct {
	Faces int `json:"faces"`
	// Filled is how fast faces were written to the database in bulk, a second.
	Filled   float64       `json:"filled_per_second"`
	Database int64         `json:"database"` // bytes on the disk
	Ready    time.Duration `json:"ready"`    // from the start of the process
	Load     time.Duration `json:"load"`     // reading the collection, of that
	// FileReady and FileLoad are the same for a start with the collection in a file; 0 if it is too small for one.
	FileReady time.Duration `json:"file_ready,omitempty"`
	FileLoad  time.Duration `json:"file_load,omitempty"`
	Resident  int64         `json:"resident"` // bytes
	Private   int64         `json:"anonymous"`
	// Searches are by one client and by eight.
	Searches []searchReport `json:"searches"`
	Errors   map[string]int `json:"errors,omitempty"`
}

type searchReport struct {
	Clients int     `json:"clients"`
	Found   float64 `json:"found"` // faces, on average
	Timing  timing  `json:"timing"`
}

const (
	// mostFound is how many matches are asked for.
	mostFound = 100
	// searchFor is how long searches are measured.
	searchFor = 8 * time.Second
)

func measureGalleries(ctx context.Context, o *options, r *report) error {
	data := filepath.Join(o.work, "galleries")
	if err := makeData(ctx, o, data); err != nil {
		return err
	}
	f := filling{options: o, data: data, random: rand.New(rand.NewPCG(1, 2))} //nolint:gosec // the same faces each time
	for _, size := range o.sizes {
		o.say(fmt.Sprintf("gallery of %d faces", size))
		filled, err := f.to(ctx, size)
		if err != nil {
			return fmt.Errorf("fill the database: %w", err)
		}
		report, err := f.measure(ctx, size)
		if err != nil {
			return err
		}
		report.Filled = filled
		r.Galleries = append(r.Galleries, *report)
	}
	return nil
}

// makeData has a server make its data folder.
func makeData(ctx context.Context, o *options, data string) error {
	s, err := start(ctx, o, "new", data)
	if err != nil {
		return err
	}
	return s.stop()
}

// filling adds faces to a database whose server is stopped.
type filling struct {
	*options
	data   string
	random *rand.Rand
	faces  int
	ids    []face.ID // some of them
}

// fillBatch is how many faces are added in one transaction: as many as fit the writer's cache.
const fillBatch = 4096

// to fills the collection up to a size and says how many faces a second were written.
func (f *filling) to(ctx context.Context, size int) (perSecond float64, err error) {
	pack, err := recognizer.LoadPack(f.models)
	if err != nil {
		return 0, err
	}
	store, err := openStore(ctx, f.data)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	c, err := store.Collection(ctx, people)
	if service.KindOf(err) == service.NotFound {
		c = &service.Collection{ID: people, Model: pack.Model(), Version: pack.Version(), Created: time.Now()}
		err = store.CreateCollection(ctx, c)
	}
	if err != nil {
		return 0, err
	}
	var writing time.Duration
	more := size - f.faces
	for n := 0; n < more; n += fillBatch {
		batch := f.batch(n, min(fillBatch, more-n), more, pack)
		began := time.Now()
		if _, err := store.AddFaces(ctx, c.Serial, batch, int64(size)); err != nil {
			return 0, err
		}
		writing += time.Since(began)
	}
	f.faces = size
	return float64(more) / writing.Seconds(), nil
}

func openStore(ctx context.Context, data string) (*sqlite.Store, error) {
	db, err := sqlite.Open(ctx, filepath.Join(data, "spotter.db"))
	if err != nil {
		return nil, err
	}
	return sqlite.New(db, func(context.Context, *sql.Tx, []service.Task) error { return nil }), nil
}

// batch makes faces n and following of those that are added this time. Their ids ascend, over the whole range: in any other
// order each face would be written to another page, with what lies there, and filling would take hours.
func (f *filling) batch(n, size, all int, pack *recognizer.Pack) []service.NewFace {
	batch := make([]service.NewFace, size)
	for i := range batch {
		var id, image face.ID
		step := ^uint64(0) / uint64(all)                                           //nolint:gosec // positive
		binary.BigEndian.PutUint64(id[:], uint64(n+i)*step+f.random.Uint64N(step)) //nolint:gosec // positive
		binary.BigEndian.PutUint64(id[8:], f.random.Uint64())
		binary.BigEndian.PutUint64(image[:], f.random.Uint64())
		batch[i] = service.NewFace{
			Face: service.Face{Version: pack.Version(), Enrolled: face.Enrolled{
				ID: id, ImageID: image, ExternalID: fmt.Sprintf("person-%08d", n+i), Detection: someDetection(f.random),
			}},
			Vector: direction(f.random, pack.Dim()),
		}
		batch[i].Code = gallery.Code(id, batch[i].Vector)
	}
	f.ids = append(f.ids, batch[0].ID, batch[size/2].ID)
	return batch
}

// direction is a random unit vector.
func direction(r *rand.Rand, dim int) []float32 {
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	_, _ = face.Normalize(v) // it is not zero
	return v
}

func someDetection(r *rand.Rand) face.Detection {
	d := face.Detection{
		Box:        face.Box{Left: r.Float32() / 2, Top: r.Float32() / 2, Width: r.Float32()/4 + 0.1, Height: r.Float32()/4 + 0.1},
		Confidence: 99.9, Pose: face.Pose{Roll: r.Float32(), Yaw: r.Float32(), Pitch: r.Float32()},
		Quality: face.Quality{Brightness: 80, Sharpness: 90},
	}
	for i := range d.Landmarks {
		d.Landmarks[i] = face.Point{X: d.Box.Left + r.Float32()*d.Box.Width, Y: d.Box.Top + r.Float32()*d.Box.Height}
	}
	return d
}

// measure starts a server on what has been filled in and searches, and then starts another one with the file that the first has made.
func (f *filling) measure(ctx context.Context, size int) (*galleryReport, error) {
	if err := os.RemoveAll(filepath.Join(f.data, filesFolder)); err != nil {
		return nil, err
	}
	r, err := f.first(ctx, size)
	if err == nil && f.kept(size) {
		err = f.again(ctx, r)
	}
	return r, err
}

// filesFolder has collections in files.
const filesFolder = "galleries"

// kept says whether collections of so many faces are kept in files.
func (f *filling) kept(size int) bool { return size >= int(config.DefaultServer().GalleryFiles) }

// first starts a server on the database alone, and searches.
func (f *filling) first(ctx context.Context, size int) (_ *galleryReport, err error) {
	path := filepath.Join(f.data, "spotter.db")
	if err = forget(path); err != nil {
		return nil, err
	}
	s, err := start(ctx, f.options, fmt.Sprint("gallery-", size), f.data)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	load, err := loading(ctx, s)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	pid := s.cmd.Process.Pid
	r := &galleryReport{
		Faces: size, Database: info.Size(), Ready: s.ready, Load: load, Resident: resident(pid), Private: anonymous(pid),
	}
	const many = 8
	for _, clients := range []int{1, many} {
		found, took, errs, failed := f.search(ctx, s, clients)
		if failed != nil {
			return nil, failed
		}
		r.Searches = append(r.Searches, searchReport{Clients: clients, Found: found, Timing: took})
		r.Errors = added(r.Errors, errs)
	}
	if f.kept(size) {
		f.say("its file")
		err = f.awaitFile(ctx)
	}
	return r, err
}

// loading is how long a server has taken to read its collections.
func loading(ctx context.Context, s *server) (time.Duration, error) {
	values, err := s.metrics(ctx)
	return time.Duration(values["spotter_gallery_load_duration_seconds_sum"] * float64(time.Second)), err
}

// fileWithin is how long a server may take to write a file: it begins within a minute.
const fileWithin = 5 * time.Minute

// awaitFile waits until the collection has a file, of which nothing is left in memory then.
func (f *filling) awaitFile(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fileWithin)
	defer cancel()
	for {
		files, err := filepath.Glob(filepath.Join(f.data, filesFolder, "*.collection"))
		if err != nil {
			return err
		}
		if len(files) > 0 {
			return forget(files[0])
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server has written no file: %w", ctx.Err())
		case <-time.After(time.Second):
		}
	}
}

// again starts a server with the collection in a file.
func (f *filling) again(ctx context.Context, r *galleryReport) error {
	if err := forget(filepath.Join(f.data, "spotter.db")); err != nil {
		return err
	}
	s, err := start(ctx, f.options, fmt.Sprint("gallery-file-", r.Faces), f.data)
	if err != nil {
		return err
	}
	r.FileReady = s.ready
	r.FileLoad, err = loading(ctx, s)
	return errors.Join(err, s.stop())
}

// search looks for enrolled faces for some time.
func (f *filling) search(ctx context.Context, s *server, clients int) (found float64, t timing, errs map[string]int, err error) {
	r := newRecord()
	var faces atomic.Int64
	began := time.Now()
	err = together(ctx, clients, searchFor, func(ctx context.Context) {
		_ = r.time("SearchFaces", func() error {
			out, failed := s.api.SearchFaces(ctx, &rekognition.SearchFacesInput{
				CollectionId: aws.String(people), FaceId: aws.String(f.ids[rand.IntN(len(f.ids))].String()), //nolint:gosec // any
				MaxFaces: aws.Int32(mostFound),
			})
			if failed == nil {
				faces.Add(int64(len(out.FaceMatches)))
			}
			return failed
		})
	})
	t = r.timings(time.Since(began))[0]
	return float64(faces.Load()) / float64(max(t.Requests, 1)), t, r.errors, err
}

// added adds up counts.
func added(to, more map[string]int) map[string]int {
	for name, n := range more {
		if to == nil {
			to = map[string]int{}
		}
		to[name] += n
	}
	return to
}
