package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// photosReport is how fast photos are enrolled and searched for.
type photosReport struct {
	Clients        int            `json:"clients"`
	FacesPerSecond float64        `json:"faces_per_second"`
	FacesPerPhoto  float64        `json:"faces_per_photo"`
	Operations     []timing       `json:"operations"`
	Errors         map[string]int `json:"errors,omitempty"`
}

const (
	people = "people" // the collection
	// photosFor is how long each of the measurements takes.
	photosFor = 15 * time.Second
)

func measurePhotos(ctx context.Context, o *options, r *report) (err error) {
	images, err := readPhotos(o.photos)
	if err != nil {
		return err
	}
	s, err := start(ctx, o, "photos", filepath.Join(o.work, "photos"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := createCollection(ctx, s); err != nil {
		return err
	}
	e := enrolment{server: s, images: images}
	if err := e.once(ctx, newRecord()); err != nil { // the first photo loads models
		return err
	}
	for _, clients := range slices.Compact([]int{1, runtime.GOMAXPROCS(0)}) {
		report, err := e.measure(ctx, clients)
		if err != nil {
			return err
		}
		r.Photos = append(r.Photos, *report)
	}
	return nil
}

func readPhotos(folder string) ([][]byte, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "sample*.jpg"))
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("there are no photos in %s: run npm ci, or name the folder with --photos", folder)
	}
	images := make([][]byte, len(paths))
	for i, p := range paths {
		if images[i], err = os.ReadFile(p); err != nil { //nolint:gosec // the folder is the user's
			return nil, err
		}
	}
	return images, err
}

func createCollection(ctx context.Context, s *server) error {
	_, err := s.api.CreateCollection(ctx, &rekognition.CreateCollectionInput{CollectionId: aws.String(people)})
	return err
}

// enrolment sends photos.
type enrolment struct {
	server *server
	images [][]byte
	sent   atomic.Int64
	faces  atomic.Int64
}

// once enrols a photo under a name of its own, so that its faces are new ones.
func (e *enrolment) once(ctx context.Context, r *record) error {
	n := e.sent.Add(1)
	image := &types.Image{Bytes: e.images[int(n)%len(e.images)]}
	return r.time("IndexFaces", func() error {
		out, err := e.server.api.IndexFaces(ctx, &rekognition.IndexFacesInput{
			CollectionId: aws.String(people), Image: image, ExternalImageId: aws.String(fmt.Sprint("photo-", n)),
		})
		if err == nil {
			e.faces.Add(int64(len(out.FaceRecords)))
		}
		return err
	})
}

func (e *enrolment) search(ctx context.Context, r *record) error {
	n := e.sent.Add(1)
	image := &types.Image{Bytes: e.images[int(n)%len(e.images)]}
	return r.time("SearchFacesByImage", func() error {
		_, err := e.server.api.SearchFacesByImage(ctx, &rekognition.SearchFacesByImageInput{
			CollectionId: aws.String(people), Image: image, MaxFaces: aws.Int32(mostFound),
		})
		return err
	})
}

func (e *enrolment) measure(ctx context.Context, clients int) (*photosReport, error) {
	r := newRecord()
	sent, faces, began := e.sent.Load(), e.faces.Load(), time.Now()
	if err := together(ctx, clients, photosFor, func(ctx context.Context) { _ = e.once(ctx, r) }); err != nil {
		return nil, err
	}
	took := time.Since(began)
	sent, faces = e.sent.Load()-sent, e.faces.Load()-faces
	if err := together(ctx, clients, photosFor, func(ctx context.Context) { _ = e.search(ctx, r) }); err != nil {
		return nil, err
	}
	return &photosReport{
		Clients: clients, FacesPerSecond: float64(faces) / took.Seconds(), FacesPerPhoto: float64(faces) / float64(max(sent, 1)),
		Operations: r.timings(took), Errors: r.errors,
	}, nil
}

// together does something again and again, by so many at once and for so long. What is being done at the end is awaited.
func together(ctx context.Context, many int, length time.Duration, do func(context.Context)) error {
	end := time.Now().Add(length)
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			for ctx.Err() == nil && time.Now().Before(end) {
				do(ctx)
			}
		})
	}
	all.Wait()
	return ctx.Err()
}
