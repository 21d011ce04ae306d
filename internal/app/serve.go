package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spotter-video/spotter/internal/audit"
	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/bucket"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/engine"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/gallery"
	"github.com/spotter-video/spotter/internal/gate"
	"github.com/spotter-video/spotter/internal/jobs"
	"github.com/spotter-video/spotter/internal/keys"
	"github.com/spotter-video/spotter/internal/metrics"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/shelf"
)

// ServeRequest is what a server needs beside its settings.
type ServeRequest struct {
	// Version and Revision are the program's.
	Version, Revision string
	Now               func() time.Time
	// Log takes the messages.
	Log io.Writer
	// Started, if set, is told when requests are taken.
	Started func(Welcome)
	// Reload asks the server to read again what can change while it runs: certificates, and the topics that Reread gives. Nil for
	// never.
	Reload <-chan struct{}
	Reread func() (config.Server, error)
}

// Welcome says how to reach a server.
type Welcome struct {
	// URL is where the API is served; empty where it is not.
	URL    string
	Region string
	// Credentials is the file with the administrator's access key, NewKey whether that was made just now.
	Credentials string
	NewKey      bool
	// Unsigned says that nobody needs a key.
	Unsigned bool
	// Buckets are the names of those that are configured.
	Buckets []string
	// Workers is how many segments of videos are worked on at once; 0 where jobs are left to other processes.
	Workers int
}

// Serve runs a server until ctx ends, and then stops it in good order: requests under way are answered, and running tasks
// get the time that the settings give before they are handed back to the queue. Errors are [*fault.UsageError],
// [*fault.EnvironmentError], and the system's.
func Serve(ctx context.Context, c config.Config, s config.Server, r ServeRequest) (err error) {
	srv := &server{engineConfig: c, config: s, request: r, log: newLog(r.Log, &s)}
	defer func() { err = errors.Join(err, srv.close()) }()
	for _, step := range []func(context.Context) error{
		srv.listen, srv.openCertificates, srv.openData, srv.openEngine, srv.openBuckets, srv.openNotices, srv.openService,
		srv.openHealth, srv.openDoor,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return srv.run(ctx)
}

// server is one [Serve]: its rooms, in the order in which they are opened. Each of them is nil until then.
type server struct {
	engineConfig config.Config
	config       config.Server
	request      ServeRequest
	log          *slog.Logger
	closers      []func() error

	api, metricsAPI net.Listener
	db              *database
	store           service.Store
	queue           *jobs.Queue
	keys            *keys.Ring // nil where requests are not served
	newKey          bool
	audit           auditLog
	auditFile       *audit.Log // nil where the audit log is in the database
	process         string     // what it calls this process
	engine          *engine.Engine
	videos          service.Videos
	photos          service.Photos
	buckets         *bucket.Buckets
	notices         *notices
	certificates    *certificates // nil without TLS
	refusals        *slog.Logger
	throttled       *gate.Tally[awsapi.Entry]
	httpLog         *log.Logger
	gates           []*gate.Gate
	metrics         *metrics.Metrics
	service         *service.Service
	loaded          atomic.Bool
	health          *health
	door            *awsapi.Door   // likewise
	answering       sync.WaitGroup // requests that have not been answered
}

// newLog makes the logger that the settings ask for.
func newLog(w io.Writer, s *config.Server) *slog.Logger {
	options := &slog.HandlerOptions{Level: s.LogLevel.Level()}
	if s.LogFormat == config.JSONLog {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// onClose has something done at the end, in the reverse order.
func (s *server) onClose(do func() error) { s.closers = append(s.closers, do) }

func (s *server) close() error {
	var err error
	for _, closer := range slices.Backward(s.closers) {
		err = errors.Join(err, closer())
	}
	return err
}

// listen comes first: that an address is taken is the commonest mistake, and the cheapest to find.
func (s *server) listen(ctx context.Context) (err error) {
	if s.config.Serves() {
		if s.api, err = s.listener(ctx, s.config.Listen); err != nil {
			return err
		}
	}
	if s.config.MetricsListen != "" {
		s.metricsAPI, err = s.listener(ctx, s.config.MetricsListen)
	}
	return err
}

func (s *server) listener(ctx context.Context, address config.Address) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", string(address))
	if err != nil {
		return nil, &fault.UsageError{Err: fmt.Errorf("listen on %s: %w; is another server running? --listen chooses another address",
			address, err)}
	}
	s.onClose(func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return l, nil
}

// openEngine loads the models and looks whether videos can be decoded: better now than when the first job fails.
func (s *server) openEngine(ctx context.Context) (err error) {
	if s.engine, err = engine.New(s.engineConfig, s.request.Now, nil); err != nil {
		return err
	}
	s.onClose(s.engine.Close)
	videos, usable := s.engine.Videos(ctx, s.config.Formats == config.AWSFormats)
	if s.config.Works() && !usable {
		return &fault.EnvironmentError{Err: errors.New("videos cannot be decoded"), Mend: "'spotter doctor' says what is missing."}
	}
	s.videos, s.photos = videos, s.engine.Photos(int(s.config.PhotoWorkers), int64(s.config.MaxImageSize))
	return nil
}

func (s *server) openBuckets(context.Context) (err error) {
	if err = apart(&s.config); err != nil {
		return &fault.UsageError{Err: err}
	}
	limits := bucket.DefaultLimits()
	limits.Object = int64(s.engineConfig.MaxVideoSize)
	cache := bucket.DefaultCache(s.config.CacheFolder())
	cache.MaxBytes, cache.MinFree = int64(s.config.CacheSize), int64(s.config.MinFreeDisk)
	cache.Idle = time.Duration(s.config.CacheIdle)
	s.buckets, err = bucket.New(bucket.Config{
		Buckets: bucketSources(&s.config), Cache: cache, Limits: limits, Log: s.log, Now: s.request.Now,
	})
	if err != nil {
		return &fault.UsageError{Err: fmt.Errorf("buckets: %w", err)}
	}
	s.onClose(s.buckets.Close)
	return nil
}

func (s *server) openService(context.Context) (err error) {
	s.metrics = s.newMetrics()
	pageKey, err := s.pageKey()
	if err != nil {
		return err
	}
	model := s.engine.Model()
	s.service, err = service.New(service.Ports{
		Store: s.store, Objects: objects{s.buckets}, Photos: s.photos, Videos: s.videos, Model: model,
		NewGallery: func(from shelf.Originals) (shelf.Gallery, error) { return newAlbum(model.Dim, from) },
		Code:       gallery.Code, CodeSize: gallery.CodeSize(model.Dim),
		Files: s.galleryFiles(),
		Tasks: s.queue.Open, Slots: s.queue.Slots, Turn: s.queue.Turn, Knows: s.notices.Knows, Wake: s.notices.Wake,
		Events: s.events(),
		Log:    s.log, Now: s.request.Now, Random: rand.Reader, PageKey: pageKey,
	}, s.settings())
	if err != nil {
		return err
	}
	s.onClose(s.service.Close)
	return nil
}

// pageKey is what page tokens are sealed with. Where no requests are served there are none.
func (s *server) pageKey() ([]byte, error) {
	if s.keys != nil {
		return s.keys.TokenKey(), nil
	}
	key := make([]byte, keys.Size)
	_, err := rand.Read(key)
	return key, err
}

// galleryFiles is where large collections are kept in files.
func (s *server) galleryFiles() shelf.Files {
	data := string(s.config.Data)
	return shelf.Files{
		Folder: filepath.Join(data, galleriesFolder), None: s.config.GalleryFiles == 0, Least: int(s.config.GalleryFiles),
		Room: func(bytes int64) bool {
			free, err := freeSpace(data)
			return err == nil && free >= uint64(bytes)+uint64(s.config.MinFreeDisk) //nolint:gosec // neither is negative
		},
	}
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

// Snapshot is the gallery as it is now.
func (a album) Snapshot() shelf.Snapshot { return a.Gallery.Snapshot() }

func (s *server) settings() service.Settings {
	settings := serviceSettings(&s.engineConfig, &s.config)
	settings.WholeVideos = !s.db.shared
	return settings
}

func serviceSettings(c *config.Config, s *config.Server) service.Settings {
	settings := service.DefaultSettings()
	settings.OpenJobs, settings.AllOpenJobs = int(s.OpenJobs), s.MostOpenJobs()
	settings.KeepAnalyses = time.Duration(s.KeepAnalyses)
	settings.KeepResults, settings.KeepTokens = time.Duration(s.KeepResults), time.Duration(s.KeepTokens)
	settings.KeepAudit = time.Duration(s.KeepAudit)
	settings.PageTokens = time.Duration(s.PageTokens)
	settings.MaxImage, settings.MaxInline = int64(s.MaxImageSize), int64(s.MaxInlineImage)
	settings.MaxVideo, settings.MaxMatches = int64(c.MaxVideoSize), int(c.MaxFaces)
	settings.SegmentsAhead = 2 * engine.Workers(*c)
	settings.FacesPerCollection = int64(s.MaxFacesPerCollection)
	settings.GalleryMemory = int64(s.GalleryMemory)
	settings.AcceptUnknownTopics = s.UnknownTopics == config.LogTopics
	return settings
}

// run works until ctx ends or a part fails.
func (s *server) run(ctx context.Context) error {
	group, running := errgroup.WithContext(ctx)
	var servers []*http.Server
	if s.config.Works() {
		if err := s.queue.Start(ctx, s.service); err != nil {
			return err
		}
	} else if err := s.queue.Join(ctx); err != nil {
		return err
	}
	if s.config.Serves() {
		s.notices.Start(ctx, s.store)
		h := s.httpServer(s.config.Listen, s.handler())
		servers = append(servers, h)
		group.Go(func() error { return s.serveAPI(h) })
	}
	group.Go(func() error {
		if s.config.Serves() { // who only works reads what a job needs
			if err := s.load(running); err != nil {
				return err
			}
		}
		return s.refresh(running)
	})
	group.Go(func() error { return s.keepFiles(running) })
	if s.metricsAPI != nil {
		h := s.httpServer(s.config.MetricsListen, s.metricsHandler())
		servers = append(servers, h)
		group.Go(func() error { return ended(h.Serve(s.metricsAPI)) })
	}
	group.Go(func() error { return s.reloads(running) })
	group.Go(func() error {
		<-running.Done()
		return s.stop(servers)
	})
	s.welcome()
	err := group.Wait()
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil // it was asked to stop
	}
	return err
}

func (s *server) serveAPI(h *http.Server) error {
	if s.config.TLS() {
		return ended(h.ServeTLS(s.api, "", "")) // the certificate is in the server's settings
	}
	return ended(h.Serve(s.api))
}

func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// load reads the collections into memory. As long as it cannot for want of the database, the server is not ready.
func (s *server) load(ctx context.Context) error {
	began := s.request.Now()
	err := s.service.Load(ctx)
	for ; service.KindOf(err) == service.Unavailable && ctx.Err() == nil; err = s.service.Load(ctx) {
		s.log.LogAttrs(ctx, slog.LevelWarn, "the collections could not be read, which is tried again", slog.Any("error", err))
		pause(ctx, loadPause)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was asked to stop
		}
		return fmt.Errorf("read the collections: %w", err)
	}
	s.loaded.Store(true)
	s.log.LogAttrs(ctx, slog.LevelInfo, "collections are in memory", slog.Duration("took", s.request.Now().Sub(began)))
	if err := s.service.MendCodes(ctx); err != nil && ctx.Err() == nil {
		// Nothing depends on it but how long the next start takes.
		s.log.LogAttrs(ctx, slog.LevelWarn, "codes of faces were not written: the next start reads these faces' collections "+
			"whole", slog.Any("error", err))
	}
	return nil
}

// loadPause is how soon reading the collections is tried again.
const loadPause = time.Second

// pause waits for some time, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// refreshEvery is how often memory is brought up to date with the database by itself, for the sake of what was deleted: searches
// do it whenever they need it. As often it is looked which files of collections are to be written.
const refreshEvery = time.Minute

// refresh brings collections in memory up to date until ctx ends.
func (s *server) refresh(ctx context.Context) error {
	return everyMinute(ctx, func() {
		if err := s.service.Refresh(ctx); err != nil && ctx.Err() == nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "collections in memory could not be brought up to date", slog.Any("error", err))
		}
	})
}

// keepFiles writes files of collections until ctx ends, beside refresh: one may take minutes. Nothing depends on them but how long the next
// start takes.
func (s *server) keepFiles(ctx context.Context) error {
	return everyMinute(ctx, func() {
		if err := s.service.KeepFiles(ctx); err != nil && ctx.Err() == nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "a collection was not kept in a file: the next start reads it from the database", slog.Any("error", err))
		}
	})
}

// everyMinute does something until ctx ends.
func everyMinute(ctx context.Context, do func()) error {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			do()
		}
	}
}

// lastWords is how long notifications that are on their way may take to arrive when everything else has ended: those that
// take longer are repeated after the next start.
const lastWords = 2 * time.Second

// stop ends the work in good order. Nothing that is cut short for want of time is lost, so that is no error: tasks are handed
// back, notifications repeated, and clients see that their connection is gone.
func (s *server) stop(servers []*http.Server) error {
	s.health.Stopping()
	if s.door != nil {
		s.door.Stop()
	}
	// What runs is not to be cut off by what has asked for the stop.
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(s.config.StopTimeout))
	defer cancel()
	var shut, stopped error
	var parts sync.WaitGroup // side by side, so that none takes the others' time
	parts.Go(func() { shut = s.hangUp(ctx, servers) })
	parts.Go(func() { stopped = s.queue.Stop(ctx) })
	parts.Wait()
	s.answering.Wait() // those that were cut off notice by their context
	telling, done := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer done()
	told := s.notices.Stop(telling)
	if errors.Is(told, context.DeadlineExceeded) {
		s.log.LogAttrs(ctx, slog.LevelWarn, "notifications were broken off and are sent after the next start")
		told = nil
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "stopped")
	return errors.Join(shut, stopped, told)
}

// hangUp waits for requests that are being answered, and then does so no longer.
func (s *server) hangUp(ctx context.Context, servers []*http.Server) (err error) {
	for _, h := range servers {
		if h.Shutdown(ctx) != nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "requests were broken off because there was no more time")
			err = errors.Join(err, h.Close())
		}
	}
	return err
}

func (s *server) welcome() {
	w := Welcome{Buckets: s.buckets.Names(), Region: string(s.config.Region), Unsigned: bool(s.config.Unsigned), NewKey: s.newKey}
	if s.config.Works() {
		w.Workers = engine.Workers(s.engineConfig)
		s.log.Info("working on jobs", slog.Int("workers", w.Workers), slog.String("version", s.request.Version))
	}
	if s.config.Serves() {
		w.URL, w.Credentials = s.url(), s.credentials()
		s.log.Info("listening", slog.String("url", w.URL), slog.String("version", s.request.Version))
	}
	if s.request.Started != nil {
		s.request.Started(w)
	}
}

// url is where the API is served.
func (s *server) url() string {
	scheme := "http"
	if s.config.TLS() {
		scheme = "https"
	}
	return scheme + "://" + s.api.Addr().String() + string(s.config.BasePath)
}

// credentials is the file of the administrator's key, as long as it is there.
func (s *server) credentials() string {
	credentials := dataFile(&s.config, keys.CredentialsName)
	if abs, err := filepath.Abs(credentials); err == nil {
		credentials = abs
	}
	if _, err := os.Stat(credentials); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return credentials
}
