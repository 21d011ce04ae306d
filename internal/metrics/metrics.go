package metrics

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// Metrics counts what happens and shows it to Prometheus. It is the [service.Events] of the server. Safe for concurrent
// use.
type Metrics struct {
	registry *prometheus.Registry
	now      func() time.Time
	log      *slog.Logger

	jobsStarted, jobsEnded *prometheus.CounterVec
	jobTime                *prometheus.HistogramVec
	taskTime               *prometheus.HistogramVec
	segments               prometheus.Counter
	analysed, analysing    prometheus.Counter
	loadTime               prometheus.Histogram
	enrolled, deleted      prometheus.Counter
	requests               *prometheus.CounterVec
	requestTime            *prometheus.HistogramVec
	operations, codes      *words
	galleries              *gallerySizes
}

// Config is what [New] needs.
type Config struct {
	Version, Revision string // of the build
	Sources           Sources
	Now               func() time.Time
	Log               *slog.Logger // told of sources that fail
}

// The bounds of histograms' buckets, in seconds.
func requestBuckets() []float64 { // from a page of a listing to a photo that waits for its turn
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
}

func taskBuckets() []float64 { // a segment is some 15 s of video at a few times to a tenth of its speed
	return []float64{.01, .05, .1, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800}
}

func jobBuckets() []float64 { // up to six hours of video behind 19 others
	return []float64{1, 5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600}
}

// New makes metrics that have counted nothing yet.
func New(cfg Config) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(), now: cfg.Now, log: cfg.Log,
		operations: newWords(), codes: newWords(), galleries: newGallerySizes(),
		jobsStarted: counters("jobs_started_total", "Jobs that were begun.", "operation"),
		jobsEnded:   counters("jobs_ended_total", "Jobs that have ended.", "operation", "outcome"),
		jobTime:     histograms("job_duration_seconds", "Time from a job's begin to its end.", jobBuckets(), "operation"),
		taskTime: histograms("task_duration_seconds", "Time that attempts at tasks took.", taskBuckets(),
			"kind", "outcome"),
		segments:  counter("segments_total", "Segments of video analysed."),
		analysed:  counter("video_analysed_seconds_total", "Video analysed, in seconds of its playing time."),
		analysing: counter("video_analysis_seconds_total", "Time spent analysing video, added up over all segments side by side."),
		loadTime:  histogram("gallery_load_duration_seconds", "Time that loading a collection's faces took.", taskBuckets()),
		enrolled:  counter("faces_enrolled_total", "Faces enrolled."),
		deleted:   counter("faces_deleted_total", "Faces deleted one by one, without those of deleted collections."),
		requests:  counters("api_requests_total", "Requests by what they asked for and how they were answered.", "operation", "code"),
		requestTime: histograms("api_request_duration_seconds", "Time that answering requests took.", requestBuckets(),
			"operation"),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Always 1; the labels say which build runs.",
		ConstLabels: prometheus.Labels{"version": cfg.Version, "revision": cfg.Revision},
	})
	build.Set(1)
	m.registry.MustRegister(build, m.jobsStarted, m.jobsEnded, m.jobTime, m.taskTime, m.segments, m.analysed, m.analysing,
		m.loadTime, m.enrolled, m.deleted, m.requests, m.requestTime, m.galleries, newSourceCollector(cfg),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler shows the metrics. Nobody has to sign for them.
func (m *Metrics) Handler() http.Handler {
	const (
		side  = 4 // scrapers at once; each costs some queries
		limit = 10 * time.Second
	)
	return promhttp.InstrumentMetricHandler(m.registry, promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		Registry: m.registry, MaxRequestsInFlight: side, Timeout: limit, EnableOpenMetrics: true,
		ErrorHandling: promhttp.ContinueOnError,
	}))
}

// JobStarted counts a job.
func (m *Metrics) JobStarted(j *service.Job) {
	m.jobsStarted.WithLabelValues(string(j.Operation)).Inc()
}

// JobEnded counts a job's end, and how long it took.
func (m *Metrics) JobEnded(j *service.Job) {
	m.jobsEnded.WithLabelValues(string(j.Operation), string(j.State)).Inc()
	if took := j.Finished.Sub(j.Created); took >= 0 {
		m.jobTime.WithLabelValues(string(j.Operation)).Observe(took.Seconds())
	}
}

// The outcomes of a task. What may pass is tried again.
const (
	taskDone    = "done"
	taskPassing = "unavailable" // something was away
	taskStopped = "stopped"     // the server was
	taskPassed  = "elsewhere"   // another server has to do it
	taskFailed  = "failed"
)

// TaskRun counts an attempt at a task.
func (m *Metrics) TaskRun(t service.Task, took time.Duration, err error) {
	m.taskTime.WithLabelValues(string(t.Kind), outcomeOf(err)).Observe(max(took, 0).Seconds())
}

func outcomeOf(err error) string {
	switch {
	case err == nil:
		return taskDone
	case errors.Is(err, context.Canceled):
		return taskStopped
	case service.KindOf(err) == service.Unavailable:
		return taskPassing
	case service.KindOf(err) == service.Elsewhere:
		return taskPassed
	default:
		return taskFailed
	}
}

// SegmentDone adds up video, and time.
func (m *Metrics) SegmentDone(video, took time.Duration) {
	m.segments.Inc()
	m.analysed.Add(max(video, 0).Seconds())
	m.analysing.Add(max(took, 0).Seconds())
}

// GalleryLoaded notes the size, and how long it took.
func (m *Metrics) GalleryLoaded(c service.CollectionID, faces int, took time.Duration) {
	m.loadTime.Observe(max(took, 0).Seconds())
	m.galleries.set(c, faces)
}

// GallerySize notes how many faces a collection has; -1 forgets it.
func (m *Metrics) GallerySize(c service.CollectionID, faces int) { m.galleries.set(c, faces) }

// FacesEnrolled counts faces.
func (m *Metrics) FacesEnrolled(_ context.Context, _ service.CollectionID, ids []face.ID) {
	m.enrolled.Add(float64(len(ids)))
}

// FacesDeleted counts faces.
func (m *Metrics) FacesDeleted(_ context.Context, _ service.CollectionID, ids []face.ID) {
	m.deleted.Add(float64(len(ids)))
}

// Observe counts a request of the API by the operation asked for and the code answered with.
func (m *Metrics) Observe(operation, code string, took time.Duration) {
	operation, code = m.operations.bound(operation), m.codes.bound(code)
	m.requests.WithLabelValues(operation, code).Inc()
	m.requestTime.WithLabelValues(operation).Observe(max(took, 0).Seconds())
}

// other stands for all words beyond the bound. Neither operations nor collections can be called so.
const other = "(other)"

// maxWords is more than there are operations (75 of Amazon's, few beside) or exceptions.
const maxWords = 120

// words bounds how many values a label has, whatever strangers write into their requests. Safe for concurrent use.
type words struct {
	mu    sync.Mutex
	known map[string]bool
}

func newWords() *words { return &words{known: map[string]bool{}} }

// bound is the word itself while there are not too many.
func (w *words) bound(word string) string {
	if word == "" || len(word) > 64 || strings.ContainsFunc(word, notOfName) {
		return other
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.known[word] {
		if len(w.known) >= maxWords {
			return other
		}
		w.known[word] = true
	}
	return word
}

func notOfName(r rune) bool {
	return r != '.' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

const namespace = "spotter"

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
}

func histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	opts := prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}
	return prometheus.NewHistogramVec(opts, labels)
}
