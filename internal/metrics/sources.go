package metrics

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/spotter-video/spotter/internal/service"
)

// Sources are asked when the metrics are looked at. Each may be nil, and then says nothing. They must be safe for
// concurrent use and heed their context.
type Sources struct {
	// OpenJobs counts the jobs in progress, and says since when the oldest is (zero without any).
	OpenJobs func(context.Context) (n int, oldest time.Time, err error)
	// Analyses counts what is kept of videos that were looked at, and the bytes.
	Analyses func(context.Context) (n int, bytes int64, err error)
	// Queue is how many tasks of each kind there are.
	Queue func(context.Context) (map[service.TaskKind]Tasks, error)
	// Notices is what has become of notifications since the start, Downloads what is kept of S3.
	Notices   func() Notices
	Downloads func() Downloads
	// Connections are those that are open, and how many have been closed for want of room.
	Connections func() (open int, cut int64)
}

// Tasks is how many tasks of a kind there are.
type Tasks struct {
	// Waiting tasks have not failed yet, Retrying ones have and wait to be tried again.
	Waiting, Running, Retrying int
	// OldestWaiting is when the longest waiting of the waiting ones was enqueued; zero without any.
	OldestWaiting time.Time
}

// Notices counts notifications: those that every sink has taken, those that were given up, attempts that came to nothing, and those that
// are still to be delivered.
type Notices struct{ Delivered, Dropped, Failed, Waiting int64 }

// Downloads is what is kept of S3: objects, their bytes, and how many of the objects are worked on; and the bytes that have been fetched
// since the start.
type Downloads struct {
	Files   int
	Bytes   int64
	InUse   int
	Fetched int64
}

// sourceCollector asks the sources at every look.
type sourceCollector struct {
	Sources
	now func() time.Time
	log *slog.Logger

	openJobs, oldestJob, queue, oldestTask *prometheus.Desc
	analyses, analysisBytes                *prometheus.Desc
	delivered, dropped, failed, waiting    *prometheus.Desc
	files, filesInUse, bytes, fetched      *prometheus.Desc
	connections, connectionsCut            *prometheus.Desc
}

func newSourceCollector(cfg Config) *sourceCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
	}
	return &sourceCollector{
		Sources: cfg.Sources, now: cfg.Now, log: cfg.Log,
		openJobs:  desc("jobs_open", "Jobs in progress."),
		oldestJob: desc("job_oldest_age_seconds", "How long the oldest job in progress has been so; 0 without any."),
		analyses:  desc("analyses_kept", "Videos of which it is kept what was found in them."),

		analysisBytes: desc("analyses_bytes", "How large that is, in bytes."),

		queue:      desc("queue_tasks", "Tasks by kind and state: waiting, running, or retrying after a failure.", "kind", "state"),
		oldestTask: desc("queue_oldest_age_seconds", "How long the longest waiting task has waited; 0 without any.", "kind"),
		delivered:  desc("notifications_delivered_total", "Notifications that every sink has taken."),
		dropped:    desc("notifications_dropped_total", "Notifications given up after days."),
		failed:     desc("notification_failures_total", "Attempts to notify a sink that came to nothing."),
		waiting:    desc("notifications_waiting", "Notifications that are still to be delivered."),
		files:      desc("download_cache_files", "Objects of S3 that are kept or being fetched."),
		filesInUse: desc("download_cache_files_in_use", "Those of them that are worked on."),
		bytes:      desc("download_cache_bytes", "How large they are, in bytes, whether all of them is here or not."),
		fetched:    desc("downloaded_bytes_total", "Bytes of such objects that were fetched."),

		connections:    desc("connections_open", "Connections of clients that are open."),
		connectionsCut: desc("connections_cut_total", "Connections of clients that were closed for want of room."),
	}
}

// Describe names what Collect gives.
func (c *sourceCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.openJobs, c.oldestJob, c.analyses, c.analysisBytes, c.queue, c.oldestTask, c.delivered, c.dropped, c.failed, c.waiting,
		c.files, c.filesInUse, c.bytes, c.fetched, c.connections, c.connectionsCut,
	} {
		out <- d
	}
}

// sourceTimeout is well within Prometheus's usual patience of 10 seconds.
const sourceTimeout = 5 * time.Second

// Collect asks the sources. What cannot be known now is left out, so that it shows as absent and not as zero.
func (c *sourceCollector) Collect(out chan<- prometheus.Metric) {
	// Prometheus hands on no context to collectors.
	ctx, cancel := context.WithTimeout(context.Background(), sourceTimeout)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	total := func(d *prometheus.Desc, v int64) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v))
	}
	c.collectJobs(ctx, gauge)
	c.collectAnalyses(ctx, gauge)
	c.collectQueue(ctx, gauge)
	if c.Notices != nil {
		n := c.Notices()
		total(c.delivered, n.Delivered)
		total(c.dropped, n.Dropped)
		total(c.failed, n.Failed)
		gauge(c.waiting, float64(n.Waiting))
	}
	if c.Downloads != nil {
		d := c.Downloads()
		gauge(c.files, float64(d.Files))
		gauge(c.filesInUse, float64(d.InUse))
		gauge(c.bytes, float64(d.Bytes))
		total(c.fetched, d.Fetched)
	}
	if c.Connections != nil {
		open, cut := c.Connections()
		gauge(c.connections, float64(open))
		total(c.connectionsCut, cut)
	}
}

type setGauge = func(d *prometheus.Desc, v float64, labels ...string)

func (c *sourceCollector) collectJobs(ctx context.Context, gauge setGauge) {
	if c.OpenJobs == nil {
		return
	}
	n, oldest, err := c.OpenJobs(ctx)
	if err != nil {
		c.log.LogAttrs(ctx, slog.LevelWarn, "open jobs cannot be counted", slog.Any("error", err))
		return
	}
	gauge(c.openJobs, float64(n))
	gauge(c.oldestJob, c.age(oldest))
}

func (c *sourceCollector) collectAnalyses(ctx context.Context, gauge setGauge) {
	if c.Analyses == nil {
		return
	}
	n, bytes, err := c.Analyses(ctx)
	if err != nil {
		c.log.LogAttrs(ctx, slog.LevelWarn, "what is kept of videos cannot be counted", slog.Any("error", err))
		return
	}
	gauge(c.analyses, float64(n))
	gauge(c.analysisBytes, float64(bytes))
}

func (c *sourceCollector) collectQueue(ctx context.Context, gauge setGauge) {
	if c.Queue == nil {
		return
	}
	depths, err := c.Queue(ctx)
	if err != nil {
		c.log.LogAttrs(ctx, slog.LevelWarn, "tasks cannot be counted", slog.Any("error", err))
		return
	}
	for kind, d := range depths {
		gauge(c.queue, float64(d.Waiting), string(kind), "waiting")
		gauge(c.queue, float64(d.Running), string(kind), "running")
		gauge(c.queue, float64(d.Retrying), string(kind), "retrying")
		gauge(c.oldestTask, c.age(d.OldestWaiting), string(kind))
	}
}

// age is how many seconds ago something was; 0 for never, and where clocks differ.
func (c *sourceCollector) age(since time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return max(c.now().Sub(since), 0).Seconds()
}

// maxGalleries is how many collections are shown by name, the largest ones: each is a time series.
const maxGalleries = 20

// gallerySizes shows how many faces collections have. Safe for concurrent use.
type gallerySizes struct {
	mu          sync.Mutex
	faces       map[service.CollectionID]int
	size, count *prometheus.Desc
}

func newGallerySizes() *gallerySizes {
	return &gallerySizes{
		faces: map[service.CollectionID]int{},
		size: prometheus.NewDesc("spotter_gallery_faces",
			"Faces in memory by collection: the largest by name, all others together as "+other+".", []string{"collection"}, nil),
		count: prometheus.NewDesc("spotter_galleries", "Collections whose faces are in memory.", nil, nil),
	}
}

func (g *gallerySizes) set(c service.CollectionID, faces int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if faces < 0 {
		delete(g.faces, c)
		return
	}
	g.faces[c] = faces
}

// Describe names what Collect gives.
func (g *gallerySizes) Describe(out chan<- *prometheus.Desc) {
	out <- g.size
	out <- g.count
}

// Collect gives the largest by name and the others together.
func (g *gallerySizes) Collect(out chan<- prometheus.Metric) {
	all := g.largestFirst()
	out <- prometheus.MustNewConstMetric(g.count, prometheus.GaugeValue, float64(len(all)))
	rest := 0
	for i, s := range all {
		if i >= maxGalleries {
			rest += s.faces
			continue
		}
		out <- prometheus.MustNewConstMetric(g.size, prometheus.GaugeValue, float64(s.faces), string(s.collection))
	}
	if len(all) > maxGalleries {
		out <- prometheus.MustNewConstMetric(g.size, prometheus.GaugeValue, float64(rest), other)
	}
}

type gallerySize struct {
	collection service.CollectionID
	faces      int
}

func (g *gallerySizes) largestFirst() []gallerySize {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]gallerySize, 0, len(g.faces))
	for c, n := range g.faces {
		all = append(all, gallerySize{c, n})
	}
	slices.SortFunc(all, func(a, b gallerySize) int {
		return cmp.Or(cmp.Compare(b.faces, a.faces), cmp.Compare(a.collection, b.collection))
	})
	return all
}
