package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// soakReport is how a server fared that was asked for everything at once, for long.
type soakReport struct {
	Load jobsReport `json:"load"`
	// Growth compares the quarters of the time, after a tenth of it to warm up.
	Growth []growth `json:"growth"`
}

// growth is how one figure went.
type growth struct {
	Name string `json:"name"`
	// Quarters are the medians of the four quarters.
	Quarters [4]float64 `json:"quarters"`
	// Most is what the last quarter may have: a tenth more than the first, and what changes without a leak.
	Most float64 `json:"most"`
}

// unbounded says that the figure grows more than it may.
func (g *growth) unbounded() bool { return g.Quarters[3] > g.Most }

// errGrowth says that something grows, which the report names.
var errGrowth = errors.New("the server grows")

const (
	// soakClients start searches and read results; another one enrols, searches and deletes.
	soakClients = 4
	// soakKeep is how long the server keeps what it need not keep for the clients: short, so that it has to clear away.
	soakKeep = "5m"
	// perJob is what a job may add to the database before it is swept, which is done every 10 minutes: rows of the job, of
	// its tasks (which River keeps for a day), its plan and its results. Jobs on the clips of four seconds took 65 kB.
	perJob = 96 << 10
)

func measureSoak(ctx context.Context, o *options, r *report) (err error) {
	images, err := readPhotos(o.photos)
	if err != nil {
		return err
	}
	clips := filepath.Join(o.work, bucket)
	if err = makeClips(ctx, o.photos, clips); err != nil {
		return err
	}
	s, err := start(ctx, o, "soak", filepath.Join(o.work, "soak"), "--bucket", bucket+"="+clips,
		"--keep-results", soakKeep, "--keep-tokens", soakKeep)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err = createCollection(ctx, s); err != nil {
		return err
	}
	e := enrolment{server: s, images: images}
	for range images {
		if err = e.once(ctx, newRecord()); err != nil {
			return err
		}
	}
	if _, err = soak(ctx, o, s, images, o.soak/10); err != nil { // to warm up
		return err
	}
	load, err := soak(ctx, o, s, images, o.soak)
	if err != nil {
		return err
	}
	r.Soak = &soakReport{Load: *load, Growth: growthOf(load.Memory.Samples, load.Done)}
	return nil
}

// soak asks a server for everything at once, and says now and then how it is.
func soak(ctx context.Context, o *options, s *server, images [][]byte, length time.Duration) (*jobsReport, error) {
	c := &crowd{name: "everything at once", clients: soakClients, length: length, pause: o.pause, server: s, record: newRecord()}
	v := &visitor{server: s, images: images, record: c.record}
	talk, quiet := context.WithCancel(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { _ = together(ctx, 1, length, v.visit) })
	began := time.Now()
	beside.Go(func() {
		for wait(talk, max(length/12, time.Second)) == nil {
			o.say(s.look(talk, time.Since(began)).String())
		}
	})
	report, err := c.measure(ctx)
	quiet()
	beside.Wait()
	return report, err
}

func (s sample) String() string {
	return fmt.Sprintf("after %s: %s resident, %s heap, %d goroutines, %d descriptors, database %s, its log %s",
		s.At.Round(time.Second), size(s.Server), size(s.Heap), s.Goroutines, s.Files, size(s.Database), size(s.Log))
}

// visitor makes collections and deletes them.
type visitor struct {
	server *server
	images [][]byte
	record *record
	visits atomic.Int64
}

// visit is the life of a collection. What fails is in the record.
func (v *visitor) visit(ctx context.Context) {
	n, api := v.visits.Add(1), v.server.api
	collection := aws.String(fmt.Sprint("visit-", time.Now().UnixNano()))
	image := &types.Image{Bytes: v.images[int(n)%len(v.images)]}
	for _, step := range []struct {
		operation string
		ask       func() error
	}{
		{"CreateCollection", func() error {
			_, err := api.CreateCollection(ctx, &rekognition.CreateCollectionInput{CollectionId: collection})
			return err
		}},
		{"IndexFaces", func() error {
			_, err := api.IndexFaces(ctx, &rekognition.IndexFacesInput{CollectionId: collection, Image: image})
			return err
		}},
		{"SearchFacesByImage", func() error {
			_, err := api.SearchFacesByImage(ctx, &rekognition.SearchFacesByImageInput{CollectionId: collection, Image: image})
			return err
		}},
		{"DetectFaces", func() error {
			_, err := api.DetectFaces(ctx, &rekognition.DetectFacesInput{Image: image, Attributes: []types.Attribute{types.AttributeAll}})
			return err
		}},
		{"ListFaces", func() error {
			_, err := api.ListFaces(ctx, &rekognition.ListFacesInput{CollectionId: collection})
			return err
		}},
		{"DeleteCollection", func() error {
			_, err := api.DeleteCollection(ctx, &rekognition.DeleteCollectionInput{CollectionId: collection})
			return err
		}},
	} {
		_ = v.record.time(step.operation, step.ask)
	}
}

// growthOf compares the quarters of samples, in whose time so many jobs were done.
func growthOf(samples []sample, jobs int) []growth {
	const mega = 1 << 20
	var list []growth
	for _, f := range []struct {
		name  string
		slack float64 // what changes without a leak
		of    func(*sample) float64
	}{
		// Go and the allocators of the models give memory back late.
		{"resident", 48 * mega, func(s *sample) float64 { return float64(s.Server) }},
		{"heap", 16 * mega, func(s *sample) float64 { return float64(s.Heap) }},
		// Of connections and decoders that come and go.
		{"goroutines", 20, func(s *sample) float64 { return float64(s.Goroutines) }},
		{"descriptors", 20, func(s *sample) float64 { return float64(s.Files) }},
		{"database", 8*mega + float64(jobs)*perJob, func(s *sample) float64 { return float64(s.Database) }},
		// SQLite keeps its file and writes it anew from the beginning.
		{"database's log", 16 * mega, func(s *sample) float64 { return float64(s.Log) }},
	} {
		g := growth{Name: f.name}
		for q := range g.Quarters {
			var values []float64
			for i := range samples[len(samples)*q/4 : len(samples)*(q+1)/4] {
				values = append(values, f.of(&samples[len(samples)*q/4+i]))
			}
			g.Quarters[q] = middle(values)
		}
		g.Most = 1.1*g.Quarters[0] + f.slack
		list = append(list, g)
	}
	return list
}

func middle(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}
