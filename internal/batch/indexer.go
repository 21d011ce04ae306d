package batch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/spotter-video/spotter/internal/archive"
	"github.com/spotter-video/spotter/internal/engine"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/video"
)

// indexer brings an archive up to date, video by video. Safe for concurrent use.
type indexer struct {
	engine *engine.Engine
	kept   *archive.Archive
	out    *events
	videos int // of the whole run
	now    func() time.Time
	again  bool
	terms  []byte // of this engine

	mu    sync.Mutex
	busy  map[int64]*sync.Mutex // of videos that are or were in work; guarded by mu, as is the following
	fresh map[int64]bool        // those that have been analysed in this run
}

func newIndexer(ctx context.Context, e *engine.Engine, kept *archive.Archive, out *events, videos int, now func() time.Time) (*indexer, error) {
	terms, err := e.Terms(ctx)
	if err != nil {
		return nil, err
	}
	return &indexer{
		engine: e, kept: kept, out: out, videos: videos, now: now, terms: terms, busy: map[int64]*sync.Mutex{}, fresh: map[int64]bool{},
	}, nil
}

// how says why a video is known.
type how int

const (
	unchanged how = iota
	recognised
	analysed
)

// outcome is how it went with one video.
type outcome struct {
	file         *archive.File // nil where not even that is known
	how          how
	otherDecoder bool
	failed       error // what is wrong with the video
}

// indexJob is a video that is brought up to date.
type indexJob struct {
	*indexer
	n      int // the video's number in the run
	path   string
	before state
	outcome
	void   bool // what is kept of it, if anything, was not brought up to date
	length time.Duration
	faces  int
	odd    []string // with the video
}

// video brings what is kept of one video up to date, and tells how it ended. What is wrong with the video is in the outcome; an error
// is of none in particular.
func (x *indexer) video(ctx context.Context, n int, path string) (outcome, error) {
	began := x.now()
	j, err := x.bring(ctx, n, path)
	if err != nil {
		return outcome{}, err
	}
	if j.how != analysed && j.failed == nil {
		x.out.send(VideoKnown{Video: n, Videos: x.videos, Path: path, Recognised: j.how == recognised})
	} else {
		x.out.send(VideoDone{Video: n, Path: path, Length: j.length, Faces: j.faces, Persons: -1, Took: x.now().Sub(began), Warnings: j.odd, Err: j.failed})
	}
	return j.outcome, nil
}

// bring does what [indexer.video] does, in silence.
func (x *indexer) bring(ctx context.Context, n int, path string) (*indexJob, error) {
	j := &indexJob{indexer: x, n: n, path: path}
	if err := j.run(ctx); err != nil {
		return nil, err
	}
	if video.KindOf(j.failed) == video.Unavailable {
		return nil, unavailable(j.failed)
	}
	return j, ctx.Err()
}

func (j *indexJob) run(ctx context.Context) error {
	if j.before, j.failed = stateOf(j.path); j.failed != nil {
		return nil
	}
	if err := j.identify(ctx); err != nil || j.failed != nil {
		return err
	}
	defer j.alone(j.file.Video)()
	list, err := j.kept.Analyses(ctx, j.file.Video)
	if err != nil && !errors.Is(err, archive.ErrDamaged) {
		return err
	}
	use := err == nil && j.usable(list)
	if use && nothingMissing(list) {
		return nil
	}
	j.how = analysed
	err = j.analyse(ctx, list, use)
	if use && errors.Is(err, archive.ErrDamaged) { // what there was is no good to go on from
		j.length, j.faces, j.odd, j.failed = 0, 0, nil, nil
		err = j.analyse(ctx, nil, false)
	}
	if err != nil {
		return err
	}
	return j.settle(ctx)
}

// settle keeps nothing of a file that was another one in the end.
func (j *indexJob) settle(ctx context.Context) error {
	if after, err := stateOf(j.path); err != nil || after != j.before {
		j.failed = errors.New("it was changed while it was analysed: index it again")
		j.void = true
		return j.kept.Forget(ctx, []string{j.file.Path})
	}
	j.mu.Lock()
	j.fresh[j.file.Video] = true
	j.mu.Unlock()
	return nil
}

// state is what tells a file from a changed one without reading it.
type state struct {
	size    int64
	changed time.Time
}

func stateOf(path string) (state, error) {
	info, err := os.Stat(path)
	if err != nil {
		return state{}, errors.New(fault.Reason(err))
	}
	if !info.Mode().IsRegular() {
		return state{}, errors.New("it is not a file")
	}
	return state{info.Size(), info.ModTime().Round(0).UTC()}, nil
}

// identify finds out what the file contains: from the archive where the file is as it was, and by reading it otherwise.
func (j *indexJob) identify(ctx context.Context) error {
	path := absolute(j.path)
	f, err := j.kept.File(ctx, path)
	if err != nil {
		return err
	}
	if f != nil && f.Size == j.before.size && f.Changed.Equal(j.before.changed) {
		j.file = f
		return nil
	}
	j.how = recognised
	sum, err := j.sum(ctx)
	if err != nil || j.failed != nil {
		return err
	}
	j.file = &archive.File{Path: path, Size: j.before.size, Changed: j.before.changed}
	return j.kept.Put(ctx, j.file, sum)
}

// sum reads the whole file.
func (j *indexJob) sum(ctx context.Context) (sum archive.Sum, err error) {
	f, err := os.Open(j.path)
	if err != nil {
		j.failed = errors.New(fault.Reason(err))
		return sum, nil
	}
	defer f.Close() //nolint:errcheck // it was only read
	hash := sha256.New()
	const step = 16 << 20
	for read := int64(0); ; {
		n, err := io.CopyN(hash, f, step)
		read += n
		switch {
		case ctx.Err() != nil:
			return sum, ctx.Err()
		case errors.Is(err, io.EOF):
			return archive.Sum(hash.Sum(nil)), nil
		case err != nil:
			j.failed = errors.New(fault.Reason(err))
			return sum, nil
		}
		j.out.send(Reading{Video: j.n, Path: j.path, Read: read, Size: j.before.size})
	}
}

// alone lets one at a time work on a video: files with the same bytes are one.
func (x *indexer) alone(video int64) (release func()) {
	x.mu.Lock()
	m := x.busy[video]
	if m == nil {
		m = new(sync.Mutex)
		x.busy[video] = m
	}
	x.mu.Unlock()
	m.Lock()
	return m.Unlock
}

// usable says whether what there is of a video is to be used, whole or not.
func (j *indexJob) usable(list []archive.Analysis) bool {
	j.mu.Lock()
	fresh := j.fresh[j.file.Video]
	j.mu.Unlock()
	if len(list) == 0 || j.again && !fresh {
		return false
	}
	for i := range list {
		standing, err := engine.StandingOf(list[i].Terms, j.terms)
		switch {
		case err != nil:
			return false
		case standing == engine.OtherDecoder && nothingMissing(list): // another one's pictures are as good, and not to be mixed with ours
			j.otherDecoder = true
		case standing != engine.Current:
			return false
		}
	}
	return true
}

// nothingMissing says whether nothing is missing.
func nothingMissing(list []archive.Analysis) bool {
	for i := range list {
		if !list[i].Done || list[i].Failure != "" {
			return false
		}
	}
	return len(list) > 0
}

// analyse does what is missing: everything, where what there is cannot be used.
func (j *indexJob) analyse(ctx context.Context, list []archive.Analysis, use bool) error {
	v, failed := j.engine.Open(ctx, j.path, 0)
	if failed != nil {
		return j.refused(ctx, failed)
	}
	defer v.Close()
	if !use {
		if list, failed = j.plan(ctx, v); failed != nil {
			return j.refused(ctx, failed)
		}
		if err := j.kept.Begin(ctx, j.file.Video, list); err != nil {
			return err
		}
	}
	if j.file.Failure != "" {
		if err := j.kept.Fail(ctx, j.file.Path, ""); err != nil {
			return err
		}
	}
	for i := range list {
		if err := j.track(ctx, v, &list[i]); err != nil {
			return err
		}
	}
	return nil
}

// refused keeps why a file cannot be looked at at all, if that is its own fault.
func (j *indexJob) refused(ctx context.Context, failed error) error {
	if j.failed = failed; ctx.Err() != nil || video.KindOf(failed) == video.Unavailable {
		return ctx.Err()
	}
	j.void, j.file.Failure = true, failed.Error()
	return j.kept.Fail(ctx, j.file.Path, j.file.Failure)
}

// plan plans all tracks of a video.
func (j *indexJob) plan(ctx context.Context, v *engine.Video) ([]archive.Analysis, error) {
	list := make([]archive.Analysis, v.Tracks())
	for i := range list {
		plan, segments, err := v.Plan(ctx, i)
		if err != nil {
			return nil, err
		}
		list[i] = archive.Analysis{Track: v.Number(i), Terms: j.terms, Plan: plan, Segments: segments}
	}
	return list, nil
}

// track analyses the segments of a track that are missing.
func (j *indexJob) track(ctx context.Context, v *engine.Video, a *archive.Analysis) error {
	if a.Done && a.Failure == "" {
		return nil
	}
	there, err := j.kept.Saved(ctx, a.ID)
	if err != nil {
		return err
	}
	name, faces := trackPath(j.path, a.Track), j.faces
	failed := v.Analyse(ctx, a.Plan, there, engine.Query{
		Beside: j.videos,
		Started: func(info face.VideoInfo) {
			j.length += info.Duration
			j.out.send(VideoStarted{Video: j.n, Videos: j.videos, Path: name, Info: info})
		},
		Progress: func(analysed time.Duration, seen int) {
			j.faces = faces + seen
			j.out.send(VideoProgress{Video: j.n, Analysed: analysed, Faces: j.faces})
		},
	}, func(n int, data, pictures []byte) error {
		if kept := j.kept.SaveSegment(ctx, a.ID, n, data, pictures); kept != nil {
			return &keepError{kept}
		}
		return nil
	})
	if kept := (*keepError)(nil); errors.As(failed, &kept) {
		return kept.err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	a.Failure = ""
	if failed != nil {
		j.failed = cmp.Or(j.failed, failed)
		a.Failure = failed.Error()
	}
	if video.KindOf(failed) == video.Unavailable { // of no video in particular
		return unavailable(failed)
	}
	codes, odd, err := j.engine.Codes(a.ID, recordOf(ctx, j.kept, a))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	j.odd = append(j.odd, odd...)
	return j.kept.Complete(ctx, a.ID, codes, a.Failure)
}

// keepError is one of the archive, not of a video.
type keepError struct{ err error }

func (e *keepError) Error() string { return e.err.Error() }
func (e *keepError) Unwrap() error { return e.err }

// recordOf is an analysis as the engine reads it.
func recordOf(ctx context.Context, kept *archive.Archive, a *archive.Analysis) *engine.Record {
	return &engine.Record{
		Terms: a.Terms, Plan: a.Plan, Failure: a.Failure,
		Each: func(pictures bool, each func(n int, data, pictures []byte) error) error {
			there := 0
			err := kept.EachSegment(ctx, a.ID, pictures, func(n int, data, pictures []byte) error {
				there++
				return each(n, data, pictures)
			})
			if err == nil && a.Done && a.Failure == "" && there < a.Segments {
				err = fmt.Errorf("%d of %d segments are missing: %w", a.Segments-there, a.Segments, archive.ErrDamaged)
			}
			return err
		},
	}
}

// trackPath is what a track of a file is called, by its number there; 0 where it has one only.
func trackPath(path string, track int) string {
	if track > 0 {
		return path + " (" + trackName(track) + ")"
	}
	return path
}
