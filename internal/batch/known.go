package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/spotter-video/spotter/internal/archive"
	"github.com/spotter-video/spotter/internal/engine"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/report"
)

// source is the videos of a search, and what is known of them.
type source struct {
	videos []string
	// kept is where it is known; nil for nowhere.
	kept *archive.Archive
	path string // of the archive
	// files are those of the archive that are searched, for each video; none where videos are looked up by index.
	files []*archive.File
	index *indexer
	// notes are what was passed over of folders.
	notes []string
}

// source lists what is to be searched. It has to be closed.
func (r *Request) source(ctx context.Context, out *events) (_ *source, err error) {
	if r.In != "" {
		return r.archived(ctx)
	}
	s := &source{path: r.Index}
	s.videos, err = listVideos(r.Videos, func(path, reason string, lost bool) {
		s.notes = append(s.notes, path+": "+reason)
		out.note(path, reason, lost)
	})
	if err != nil || r.Index == "" {
		return s, err
	}
	if err = apart(r.Index, s.videos); err != nil {
		return nil, err
	}
	s.kept, err = openArchive(ctx, r.Index)
	return s, err
}

// archived lists what an archive has of the videos and folders that are named, or everything.
func (r *Request) archived(ctx context.Context) (*source, error) {
	kept, err := readArchive(ctx, r.In)
	if err != nil {
		return nil, err
	}
	s := &source{kept: kept, path: r.In}
	if s.files, err = filesOf(ctx, kept, r.In, r.Videos); err != nil {
		return nil, errors.Join(err, kept.Close())
	}
	for _, f := range s.files {
		s.videos = append(s.videos, f.Path)
	}
	return s, nil
}

// filesOf lists the files of an archive that were named, or below a folder that was, each once; all for none.
func filesOf(ctx context.Context, kept *archive.Archive, path string, names []string) (list []*archive.File, err error) {
	seen := map[string]bool{}
	for _, n := range namedIn(names) {
		found := 0
		err := kept.EachFile(ctx, n.path, func(f *archive.File) error {
			if n.has(f.Path) {
				found++
			}
			if n.has(f.Path) && !seen[f.Path] {
				seen[f.Path] = true
				list = append(list, f)
			}
			return nil
		})
		switch {
		case err != nil:
			return nil, err
		case found == 0 && n.name == "":
			return nil, &fault.UsageError{Err: fmt.Errorf("the archive %s is empty: 'spotter index VIDEO|FOLDER... --to %[1]s' fills it", path)}
		case found == 0:
			return nil, &fault.UsageError{Err: fmt.Errorf("the archive %s knows no video %s, nor one below it: index it first", path, n.name)}
		}
	}
	return list, nil
}

// readArchive opens an archive that is there.
func readArchive(ctx context.Context, path string) (*archive.Archive, error) {
	kept, err := archive.Read(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("there is no archive %s: 'spotter index VIDEO|FOLDER... --to %s' makes it", path, path)
	}
	if err != nil {
		return nil, &fault.UsageError{Err: err}
	}
	return kept, nil
}

// naming is a file or folder of an archive that was named.
type naming struct{ name, path string }

// namedIn are those that were named, or everything.
func namedIn(names []string) (list []naming) {
	for _, name := range names {
		list = append(list, naming{name, absolute(name)})
	}
	if len(list) == 0 {
		list = []naming{{}}
	}
	return list
}

// has says whether a file is the one that was named, or below the folder.
func (n *naming) has(path string) bool {
	rest, ok := strings.CutPrefix(path, n.path)
	return ok && (n.path == "" || rest == "" || rest[0] == filepath.Separator || strings.HasSuffix(n.path, string(filepath.Separator)))
}

// Close closes the archive.
func (s *source) Close() error {
	if s.kept == nil {
		return nil
	}
	return s.kept.Close()
}

// reads are the files that are read.
func (s *source) reads() []string {
	if s.kept == nil {
		return s.videos
	}
	return append([]string{s.path}, s.videos...)
}

// known answers for one video from what is kept of it, which is brought up to date first where the search has an index.
func (s *searching) known(ctx context.Context, n int, began time.Time) ([]*Found, error) {
	list, failed, err := s.tracks(ctx, n)
	if err != nil {
		return nil, err
	}
	chosen := tracksOf(list, s.track)
	if len(chosen) == 0 {
		return s.fail(ctx, n, began, cmp.Or(failed, notAnalysed(list, s.track)))
	}
	all := make([]*Found, len(chosen))
	for i := range all {
		t := &track{
			searching: s, n: n, i: i, kept: &keptTrack{kept: s.kept, Analysis: &chosen[i]}, number: chosen[i].Track, first: chosen[0].Track,
		}
		if all[i], err = t.search(ctx, began); err != nil {
			return nil, err
		}
		began = s.now()
	}
	return all, nil
}

// tracks are what is kept of a video; failed says why there are none, where it is the video's own fault.
func (s *searching) tracks(ctx context.Context, n int) (list []archive.Analysis, failed, err error) {
	var file *archive.File
	if s.index != nil {
		var j *indexJob
		j, err = s.index.bring(ctx, n, s.videos[n])
		if err != nil {
			return nil, nil, err
		}
		if j.file == nil || j.void {
			return nil, j.failed, nil
		}
		file, failed = j.file, j.failed
	} else if file = s.files[n]; file.Failure != "" {
		failed = errors.New(file.Failure)
	}
	if list, err = s.kept.Analyses(ctx, file.Video); errors.Is(err, archive.ErrDamaged) {
		return nil, err, nil
	}
	return list, failed, err
}

// tracksOf are the tracks that are searched: the one of a number, or all for 0.
func tracksOf(list []archive.Analysis, number int) []archive.Analysis {
	for i := range list {
		if number > 0 && max(list[i].Track, 1) == number {
			return list[i : i+1]
		}
	}
	if number > 0 {
		return nil
	}
	return list
}

func notAnalysed(list []archive.Analysis, number int) error {
	if len(list) == 0 {
		return errors.New("it has not been analysed yet: index it again")
	}
	return fmt.Errorf("the file has no video track %d", number)
}

// keptTrack is what an archive has of a track.
type keptTrack struct {
	kept *archive.Archive
	*archive.Analysis
}

// recall fills in what is known of the track.
func (t *track) recall(ctx context.Context, v *report.Video) error {
	found, err := t.kept.recall(ctx, t.engine, t.people, t.portraits)
	fill(v, found)
	return err
}

// recall finds out who was seen. Even with an error it returns what is known.
func (k *keptTrack) recall(ctx context.Context, e *engine.Engine, who *engine.People, portraits bool) (*engine.Findings, error) {
	found, err := e.Recall(ctx, recordOf(ctx, k.kept, k.Analysis), who, portraits)
	if err == nil && !k.Done {
		err = errors.New("it has not been analysed to its end: index it again")
	}
	return found, err
}
