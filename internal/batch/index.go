package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spotter-video/spotter/internal/archive"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/engine"
	"github.com/spotter-video/spotter/internal/fault"
)

// Indexing is what to analyse, and where to keep what that gives.
type Indexing struct {
	// Videos are files and folders, at least one.
	Videos []string
	// Archive is the file, which is made if it is not there.
	Archive string
	// Again analyses also what has been analysed.
	Again bool
	// Prune forgets the files of the archive that were in the folders and are gone.
	Prune bool
	// Listen and Trace are those of a [Request].
	Listen func(Event)
	Trace  func(Step)
	// Now is the clock.
	Now func() time.Time
}

// Indexed is how an [Index] ended.
type Indexed struct {
	Videos int // that were named or in the folders
	// Analysed were looked at. Unchanged had been before; Recognised too, under another name.
	Analysed, Unchanged, Recognised int
	// Failed could not be analysed, or not to their end.
	Failed int
	// OtherDecoder are those of the unchanged and recognised that another build of the decoder has read.
	OtherDecoder int
	// Gone are the paths of files that the archive knows from the folders and that are not there any more; Pruned says that it has
	// forgotten them.
	Gone   []string
	Pruned bool
	// Files and Bytes are what the archive holds now.
	Files int
	Bytes int64
}

// Index analyses the videos that the archive does not know yet, and keeps what that gives.
//
// It may be stopped at any time, also by a crash: what had been analysed is kept, each stretch as soon as it is done, and the next
// Index goes on from there. A video that fails, or fails in part, is told and tried again the next time; the error then is an
// [*IncompleteError] beside the answer. Other errors are [*fault.UsageError], [*fault.EnvironmentError], ctx's and those of the
// archive.
func Index(ctx context.Context, c config.Config, r Indexing) (_ *Indexed, err error) {
	out := &events{listen: r.Listen}
	videos, err := listVideos(r.Videos, out.note)
	if err != nil {
		return nil, err
	}
	if err = apart(r.Archive, videos); err != nil {
		return nil, err
	}
	kept, err := openArchive(ctx, r.Archive)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	e, err := newEngine(c, r.Now, r.Trace)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	x, err := newIndexer(ctx, e, kept, out, len(videos), r.Now)
	if err != nil {
		return nil, err
	}
	x.again = r.Again
	done := &Indexed{Videos: len(videos)}
	err = inOrder(ctx, len(videos), engine.Workers(c), func(ctx context.Context, n int) (outcome, error) {
		return x.video(ctx, n, videos[n])
	}, func(o outcome) error {
		done.count(o)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err = done.tidy(ctx, kept, &r); err != nil {
		return nil, err
	}
	if done.Failed > 0 {
		err = &IncompleteError{Failed: done.Failed, Total: done.Videos, Did: "analysed"}
	}
	return done, err
}

// apart refuses an archive that is one of the videos: it is named like one, and in their folder.
func apart(path string, videos []string) error {
	kept, err := os.Stat(path)
	if err != nil {
		return nil //nolint:nilerr // it is still to be made, or cannot be opened either
	}
	for _, name := range videos {
		if info, err := os.Stat(name); err == nil && os.SameFile(info, kept) {
			return &fault.UsageError{Err: fmt.Errorf("%s is named as a video and as the archive: an archive is best named %s",
				name, strings.TrimSuffix(path, filepath.Ext(path))+".spotter")}
		}
	}
	return nil
}

func openArchive(ctx context.Context, path string) (*archive.Archive, error) {
	kept, err := archive.Open(ctx, path)
	if err != nil {
		return nil, &fault.UsageError{Err: err}
	}
	return kept, nil
}

func newEngine(c config.Config, now func() time.Time, trace func(Step)) (*engine.Engine, error) {
	if trace == nil {
		return engine.New(c, now, nil)
	}
	return engine.New(c, now, func(s engine.Step) { trace(Step(s)) })
}

func (d *Indexed) count(o outcome) {
	switch {
	case o.failed != nil:
		d.Failed++
	case o.how == analysed:
		d.Analysed++
	case o.how == recognised:
		d.Recognised++
	default:
		d.Unchanged++
	}
	if o.otherDecoder && o.how != analysed {
		d.OtherDecoder++
	}
}

// Forget forgets what an archive has of files and of all that are below folders, whether they are there or not, and says of how many. That an
// archive has nothing of one that is named is a [*fault.UsageError], and then nothing is forgotten.
func Forget(ctx context.Context, path string, names []string) (n int, err error) {
	if _, err = os.Stat(path); err != nil {
		return 0, &fault.UsageError{Err: fmt.Errorf("archive: %w", fault.Plain(err))}
	}
	kept, err := openArchive(ctx, path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	files, err := filesOf(ctx, kept, path, names)
	if err != nil {
		return 0, err
	}
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path
	}
	return len(paths), kept.Forget(ctx, paths)
}

// tidy looks for files that are gone, and at what the archive holds.
func (d *Indexed) tidy(ctx context.Context, kept *archive.Archive, r *Indexing) error {
	told := map[string]bool{} // folders may be named one in the other
	for _, name := range r.Videos {
		info, err := os.Stat(name)
		if err != nil || !info.IsDir() {
			continue
		}
		folder := filepath.Join(absolute(name), "x")
		err = kept.EachFile(ctx, folder[:len(folder)-1], func(f *archive.File) error {
			if _, missing := os.Lstat(f.Path); errors.Is(missing, fs.ErrNotExist) && !told[f.Path] {
				told[f.Path] = true
				d.Gone = append(d.Gone, f.Path)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if r.Prune && len(d.Gone) > 0 {
		if err := kept.Forget(ctx, d.Gone); err != nil {
			return err
		}
		d.Pruned = true
	}
	stats, err := kept.Stats(ctx)
	d.Files, d.Bytes = int(stats.Files), stats.Bytes
	return err
}
