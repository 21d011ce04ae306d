package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/shelf"
)

// Ports are what the service needs of the world. All of them are set, but for those that look into photos and videos
// (Objects, Photos, Videos, Model, NewGallery) where nothing is done beside looking after jobs: [Service.Job],
// [Service.Jobs], [Service.CancelJob] and [Service.DeleteJob].
type Ports struct {
	Store   Store
	Objects Objects
	Photos  Photos
	Videos  Videos
	Model   Model
	// NewGallery makes an empty gallery of the model's dimension, which leaves embeddings where they are, or keeps them if
	// there are no originals (nil).
	NewGallery func(shelf.Originals) (shelf.Gallery, error)
	// Code makes the code of a face: what a gallery with originals keeps of it. All have CodeSize bytes.
	Code     func(id face.ID, vector []float32) []byte
	CodeSize int
	// Files is where large collections are kept in files, so that they are in memory soon after a start; zero for nowhere.
	Files shelf.Files
	// Tasks are those in the queue, of all processes; nil where nothing is enqueued.
	Tasks func(context.Context) (OpenTasks, error)
	// Slots is how many segments are worked on at once, by all processes together; nil where one works alone.
	Slots func() int
	// Turn is the highest of the turns of segments that this process has begun to work on, of background jobs or of others: about that of
	// now; 0 if it has not begun any. nil where nothing is enqueued.
	Turn func(background bool) int64
	// Knows says whether anybody is to be told of jobs that name this topic.
	Knows func(topic string) bool
	// Wake is called after a notice has been written.
	Wake   func()
	Events Events
	Log    *slog.Logger
	Now    func() time.Time
	// Random is a source of secrets.
	Random io.Reader
	// PageKey seals page tokens: 32 bytes that stay the same when the process starts anew.
	PageKey []byte
}

// Settings are limits and spans of time. Those without a comment of their own are Amazon Rekognition's.
type Settings struct {
	// OpenJobs is how many jobs of one access key may be in progress at once, and AllOpenJobs how many of all together, which is
	// Spotter's own.
	OpenJobs, AllOpenJobs int
	// KeepResults is how long results can be read after a job's end, KeepTokens how long a request token holds, and
	// PageTokens a page token.
	KeepResults, KeepTokens, PageTokens time.Duration
	// KeepAnalyses is how long it is kept what was found in a video after it was used last, so that the next job finds it there; 0: not at
	// all. It is Spotter's own.
	KeepAnalyses time.Duration
	// KeepAudit is how long entries of the audit log stay that are in the store. It is Spotter's own.
	KeepAudit time.Duration
	// MaxImage is the largest photo in a bucket, MaxInline the largest in a request, MaxVideo the largest video, in bytes.
	MaxImage, MaxInline, MaxVideo int64
	FacesPerCollection            int64
	UsersPerCollection            int64
	FacesPerUser                  int
	TagsPerCollection             int
	// GalleryMemory is how many bytes collections may take in memory; 0 for no limit. It is Spotter's own.
	GalleryMemory int64
	// MaxMatches is the most matches listed for one face of a video. It is Spotter's own.
	MaxMatches int
	// SegmentsAhead is how many segments of all open jobs together may wait or be worked on at once, at least; see [Window]. Twice as
	// many as there are workers keep them busy. It is Spotter's own.
	SegmentsAhead int
	// WholeVideos has all of a video fetched before its segments are worked on; else each fetches what it needs, which is what several
	// processes share a video for. It is Spotter's own.
	WholeVideos bool
	// AcceptUnknownTopics takes jobs that name a topic of which nothing is known; nobody is told of their end then.
	AcceptUnknownTopics bool
}

// DefaultSettings are the limits that Amazon Rekognition documents.
func DefaultSettings() Settings {
	const day, megabyte, million = 24 * time.Hour, 1 << 20, 1_000_000
	return Settings{
		OpenJobs: 20, AllOpenJobs: 200, KeepResults: 7 * day, KeepTokens: 7 * day, PageTokens: day,
		MaxImage: 15 * megabyte, MaxInline: 5 * megabyte, MaxVideo: 10 << 30,
		FacesPerCollection: 20 * million, UsersPerCollection: 10 * million, FacesPerUser: 100, TagsPerCollection: 200,
		MaxMatches: 10, SegmentsAhead: 4, KeepAnalyses: 7 * day, KeepAudit: 52 * 7 * day,
	}
}

// Service is the use cases. Make it with [New]; its methods are safe for concurrent use.
type Service struct {
	ports    Ports
	settings Settings
	pages    *pages
	shelf    *shelf.Shelf
	running  running
	open     openJobs
	plans    plans
	// photos has one for each photo of a bucket that is in memory.
	photos chan struct{}
}

// photosAtOnce is how many photos of buckets are in memory at once, at most 15 MB each: a request that names one is small,
// so nothing else bounds that. It is enough for fetching from afar to keep a large machine busy.
const photosAtOnce = 64

// New makes a service. Nothing is read before it is needed; [Service.Load] reads what is enrolled.
func New(p Ports, s Settings) (*Service, error) {
	pages, err := newPages(p.PageKey, p.Random, p.Now, s.PageTokens)
	if err != nil {
		return nil, err
	}
	s.SegmentsAhead = max(s.SegmentsAhead, 1)
	return &Service{
		ports: p, settings: s, pages: pages,
		shelf:   newShelf(&p, &s),
		running: running{jobs: map[JobID]map[int]context.CancelCauseFunc{}},
		plans:   plans{data: map[JobID][]byte{}},
		photos:  make(chan struct{}, photosAtOnce),
	}, nil
}

// Load reads the faces of all collections into memory, one collection after another, as far as there is room. Requests load what
// they need themselves, until then and where there is none. A collection that cannot be read costs itself only.
func (s *Service) Load(ctx context.Context) error {
	return s.eachCollection(ctx, func(c *Collection) error {
		about := slog.String("collection_id", string(c.ID))
		if c.Model != s.ports.Model.ID {
			s.ports.Log.LogAttrs(ctx, slog.LevelWarn, "collection holds faces of another model and cannot be searched",
				about, slog.String("model", string(c.Model)))
			return nil
		}
		if !s.shelf.Fits(c.Faces) {
			s.ports.Log.LogAttrs(ctx, slog.LevelInfo, "there is no memory for a collection: it is read when it is searched", about)
			return nil
		}
		v, err := s.acquire(ctx, c)
		switch {
		case err == nil:
			v.Release()
		case ctx.Err() != nil, KindOf(err) == Unavailable: // which says nothing of the collection
			return fmt.Errorf("load collection %s: %w", c.ID, err)
		case KindOf(err) != NotFound:
			s.ports.Log.LogAttrs(ctx, slog.LevelError, "collection cannot be searched, because its faces cannot be read: "+
				"restore a backup of the database, or delete the collection and index its photos anew", about, slog.Any("error", err))
		}
		return nil
	})
}

// eachCollection calls do with one collection after another, until it fails.
func (s *Service) eachCollection(ctx context.Context, do func(*Collection) error) error {
	for after := Serial(0); ; {
		list, err := s.ports.Store.Collections(ctx, after, pageOfCollections)
		if err != nil || len(list) == 0 {
			return err
		}
		for i := range list {
			after = list[i].Serial
			if err := do(&list[i]); err != nil {
				return err
			}
		}
	}
}

// Refresh brings what is in memory up to date with what other processes have done: without it a face that they have deleted would stay
// in memory and in files, where nobody finds it, until the collection is searched, and a deleted collection for good. To be called about
// once a minute.
func (s *Service) Refresh(ctx context.Context) error {
	left := map[int64]bool{}
	for _, serial := range s.shelf.Held() {
		left[serial] = true
	}
	var all []shelf.Collection
	var failed error // a collection that cannot be read costs itself only
	err := s.eachCollection(ctx, func(c *Collection) error {
		delete(left, int64(c.Serial))
		all = append(all, onShelf(c))
		failed = errors.Join(failed, s.shelf.Follow(ctx, onShelf(c)))
		return ctx.Err()
	})
	if err != nil {
		return errors.Join(failed, err)
	}
	for serial := range left {
		s.shelf.Drop(serial)
	}
	return errors.Join(failed, s.shelf.TidyFiles(all))
}

// KeepFiles writes files of collections for the next start, which may take minutes: beside Refresh, which others wait for. To be called about
// once a minute. Close ends it.
func (s *Service) KeepFiles(ctx context.Context) error { return s.shelf.KeepFiles(ctx) }

// pageOfCollections is how many collections are read at once; any number will do.
const pageOfCollections = 100

// MendCodes writes the codes of faces that had none, or a damaged one, when their collections were loaded. Until then each
// start reads these faces' collections whole.
func (s *Service) MendCodes(ctx context.Context) error { return s.shelf.MendCodes(ctx) }

// Close frees the galleries. No other method may be called any more.
func (s *Service) Close() error { return s.shelf.Close() }

// similarity says how similar two faces are, given the moments of the probe.
func (s *Service) similarity(score face.Score, i face.Impostors) face.Similarity {
	return s.ports.Model.Calibration.Similarity(score, i)
}
