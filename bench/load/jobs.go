package main

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// jobsReport is what came of one crowd of clients.
type jobsReport struct {
	Name       string         `json:"name"`
	Clients    int            `json:"clients"`
	For        time.Duration  `json:"for"`
	PerSecond  float64        `json:"requests_per_second"`
	Operations []timing       `json:"operations"`
	Throttled  int            `json:"limit_exceeded"` // by the documented number of open jobs
	Errors     map[string]int `json:"errors,omitempty"`
	// Jobs that have succeeded, and the ones that failed.
	Done   int `json:"jobs_done"`
	Failed int `json:"jobs_failed"`
	// Realtime is how much video is analysed in a time, and Relative that of the first crowd's.
	Realtime float64 `json:"realtime"`
	Relative float64 `json:"relative"`
	Memory   memory  `json:"memory"`
}

func measureJobs(ctx context.Context, o *options, r *report) (err error) {
	images, err := readPhotos(o.photos)
	if err != nil {
		return err
	}
	clips := filepath.Join(o.work, bucket)
	if err = makeClips(ctx, o.photos, clips); err != nil {
		return err
	}
	s, err := start(ctx, o, "jobs", filepath.Join(o.work, "jobs"), "--bucket", bucket+"="+clips)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := createCollection(ctx, s); err != nil {
		return err
	}
	e := enrolment{server: s, images: images}
	for range images {
		if err := e.once(ctx, newRecord()); err != nil {
			return err
		}
	}
	quarter := max(o.length/4, time.Second)
	for _, c := range []*crowd{
		{name: "to warm up", clients: 1, length: quarter / 2, pause: feed},
		{name: "jobs alone", clients: 1, length: quarter, pause: feed},
		{name: "with pauses of " + o.pause.String(), clients: o.clients, length: o.length, pause: o.pause},
		{name: "without pauses", clients: o.clients, length: quarter},
	} {
		o.say("jobs, " + c.name)
		c.server, c.record = s, newRecord()
		report, err := c.measure(ctx)
		if err != nil {
			return err
		}
		if c.length > quarter/2 {
			r.Jobs = append(r.Jobs, *report)
		}
	}
	for i := range r.Jobs {
		r.Jobs[i].Relative = r.Jobs[i].Realtime / r.Jobs[0].Realtime
	}
	return nil
}

// feed is the pause of the client that only keeps the queue full.
const feed = 20 * time.Millisecond

// crowd is some clients that do the same thing.
type crowd struct {
	name          string
	clients       int
	length, pause time.Duration
	server        *server
	record        *record

	end     time.Time    // when jobs that were begun are not followed any more
	next    atomic.Int64 // clip
	mu      sync.Mutex
	running []string // the newest jobs; guarded by mu
}

func (c *crowd) measure(ctx context.Context) (*jobsReport, error) {
	before, err := c.server.metrics(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	c.end = began.Add(c.length)
	watch := watchMemory(ctx, c.server)
	err = together(ctx, c.clients, c.length, c.turn)
	took := time.Since(began)
	samples := watch()
	if err != nil {
		return nil, err
	}
	after, err := c.server.metrics(ctx)
	if err != nil {
		return nil, err
	}
	r := &jobsReport{
		Name: c.name, Clients: c.clients, For: took, Operations: c.record.timings(took), Errors: c.record.errors,
		Done: int(after[doneMetric] - before[doneMetric]), Failed: int(after[failedMetric] - before[failedMetric]), Memory: samples,
		Realtime: (after[analysedMetric] - before[analysedMetric]) / took.Seconds(),
	}
	for _, t := range r.Operations {
		r.PerSecond += t.PerSecond
	}
	const throttle = "StartFaceSearch: " + limitExceeded
	r.Throttled = r.Errors[throttle]
	delete(r.Errors, throttle)
	return r, nil
}

const (
	analysedMetric = "spotter_video_analysed_seconds_total"
	doneMetric     = `spotter_jobs_ended_total{operation="face-search",outcome="succeeded"}`
	failedMetric   = `spotter_jobs_ended_total{operation="face-search",outcome="failed"}`
)

// turn is what a client does again and again: begin a search, and ask for its result until it is there; or, where too many
// are open, ask for one of the others'.
func (c *crowd) turn(ctx context.Context) {
	id, err := c.start(ctx)
	if err != nil {
		if id = c.someJob(); id != "" {
			_ = c.ask(ctx, id)
		}
		_ = wait(ctx, c.pause)
		return
	}
	if c.clients == 1 { // it keeps the queue full, and asks for nothing
		return
	}
	for status := types.VideoJobStatusInProgress; status == types.VideoJobStatusInProgress && time.Now().Before(c.end); {
		_ = wait(ctx, c.pause)
		status = c.ask(ctx, id)
	}
}

func (c *crowd) start(ctx context.Context) (id string, err error) {
	names := clipNames()
	name := names[int(c.next.Add(1))%len(names)]
	err = c.record.time("StartFaceSearch", func() error {
		out, failed := c.server.api.StartFaceSearch(ctx, &rekognition.StartFaceSearchInput{
			CollectionId: aws.String(people), ClientRequestToken: aws.String(rand.Text()),
			Video: &types.Video{S3Object: &types.S3Object{Bucket: aws.String(bucket), Name: aws.String(name)}},
		})
		if failed == nil {
			id = aws.ToString(out.JobId)
		}
		return failed
	})
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running = append(c.running, id)
		c.running = c.running[max(len(c.running)-openJobs, 0):]
	}
	return id, err
}

// openJobs is how many may be open.
const openJobs = 20

// someJob is one of the newest jobs; empty if there is none yet.
func (c *crowd) someJob() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.running) == 0 {
		return ""
	}
	return c.running[int(c.next.Load())%len(c.running)]
}

// ask says how far a job is. Its answer has the first page of the results, if they are there.
func (c *crowd) ask(ctx context.Context, id string) (status types.VideoJobStatus) {
	_ = c.record.time("GetFaceSearch", func() error {
		out, err := c.server.api.GetFaceSearch(ctx, &rekognition.GetFaceSearchInput{JobId: aws.String(id)})
		if err == nil {
			status = out.JobStatus
		}
		return err
	})
	return status
}
