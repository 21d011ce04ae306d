package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spotter-video/spotter/internal/archive"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/engine"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/outfile"
	"github.com/spotter-video/spotter/internal/report"
)

// Finding is whom to find in an archive, and whom to tell.
type Finding struct {
	// Who are photos of one person each, and folders of photos of one person each. Faces is a folder of people as in a [Request].
	// One of both at least is named.
	Who   []string
	Faces string
	// In is the archive.
	In string
	// Path chooses the videos whose absolute path begins with it, or with it below the working folder. Since chooses those whose file was changed then or later.
	Path  string
	Since time.Time
	// Min leaves out videos in which nobody is found with this similarity, Most all but so many of the best; 0 none.
	Min  float64
	Most int
	// Portraits, Writes, Listen, Trace, Now and Version are those of a [Request].
	Portraits bool
	Writes    []*outfile.Place
	Listen    func(Event)
	Trace     func(Step)
	Now       func() time.Time
	Version   string
	// Each is given the videos in which somebody was found, those with the best similarity first, after one that is none and says what
	// all have in common. An error of it ends the search.
	Each func(*Found) error
}

// FindSummary is in how many videos, of how many, somebody was found.
type FindSummary struct{ Videos, Of int }

// Find looks for people in all videos of an archive. What is found in a video is what [Search] finds in it with the same settings and
// people. Errors are those of [Search]; videos that were not analysed to their end are told, and searched as far as they are known. Of
// those that cannot be read, as the archive is damaged or is being changed, the error is an [*IncompleteError] beside the answer.
func Find(ctx context.Context, c config.Config, r Finding) (_ *FindSummary, err error) {
	out := &events{listen: r.Listen}
	photos, err := r.people(out)
	if err != nil {
		return nil, err
	}
	kept, err := readArchive(ctx, r.In)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	if err = r.begins(ctx, kept); err != nil {
		return nil, err
	}
	if err = nothingRead(r.Writes, []string{r.In}, photos, c); err != nil {
		return nil, err
	}
	e, err := newEngine(c, r.Now, r.Trace)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	who, err := enrol(ctx, e, photos, r.Portraits, out)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, who.Close()) }()
	f := &finding{Finding: &r, engine: e, people: who, kept: kept, out: out, frame: frameOf(who, c, r.Version, r.Now())}
	f.frame.SampleRate = 0 // each video has its own
	return f.run(ctx, engine.Workers(c))
}

// people lists the photos of those who are looked for.
func (r *Finding) people(out *events) (photos []engine.Photo, err error) {
	if r.Faces != "" {
		if photos, err = listPeople(r.Faces, out.note); err != nil {
			return nil, err
		}
	}
	stems := map[string]int{}
	for _, name := range r.Who {
		stems[stem(name)]++
	}
	for _, name := range r.Who {
		info, err := os.Stat(name)
		switch {
		case err != nil:
			return nil, &fault.UsageError{Err: fmt.Errorf("whom to look for: %w", fault.Plain(err))}
		case !info.IsDir():
			person := stem(name)
			if stems[person] > 1 { // two people's photos may be called alike
				person = filepath.Clean(name)
			}
			photos = append(photos, photoOf(name, person, ""))
			continue
		}
		if ofPeople(name) {
			return nil, &fault.UsageError{Err: fmt.Errorf("%s has folders in it: a folder of people is named with --faces", name)}
		}
		list := personFolder(name, out.note)
		if len(list) == 0 {
			return nil, &fault.UsageError{Err: fmt.Errorf("there are no photos in %s: name a photo or a folder of photos of one person", name)}
		}
		photos = append(photos, list...)
	}
	return photos, nil
}

// begins makes the beginning of paths absolute, as the archive's are. That there are none is an error: nobody wants to hear that nothing
// was found in no video.
func (r *Finding) begins(ctx context.Context, kept *archive.Archive) error {
	if r.Path == "" {
		return nil
	}
	wanted := r.Path
	if r.Path = absolute(wanted); strings.HasSuffix(wanted, string(filepath.Separator)) {
		r.Path = strings.TrimSuffix(r.Path, string(filepath.Separator)) + string(filepath.Separator)
	}
	found := errors.New("one is enough")
	switch err := kept.EachFile(ctx, r.Path, func(*archive.File) error { return found }); {
	case errors.Is(err, found):
		return nil
	case err != nil:
		return err
	default:
		return &fault.UsageError{Err: fmt.Errorf("the archive %s knows no video whose path begins with %s", r.In, r.Path)}
	}
}

// ofPeople says whether a folder has folders in it.
func ofPeople(folder string) bool {
	entries, err := os.ReadDir(folder)
	return err == nil && slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		info, err := os.Stat(filepath.Join(folder, e.Name()))
		return err == nil && info.IsDir() && !hidden(e.Name())
	})
}

// finding is one [Find] under way.
type finding struct {
	*Finding
	engine *engine.Engine
	people *engine.People
	kept   *archive.Archive
	out    *events
	frame  *report.Run

	lost, moved atomic.Int64 // analyses that could not be read, and those that were not there any more
}

func (f *finding) run(ctx context.Context, workers int) (*FindSummary, error) {
	stats, err := f.kept.Stats(ctx)
	if err != nil {
		return nil, err
	}
	numbers, err := f.candidates(ctx, stats)
	if err != nil {
		return nil, err
	}
	var all []*Found
	err = inOrder(ctx, len(numbers), workers, func(ctx context.Context, n int) ([]*Found, error) {
		return f.record(ctx, numbers[n])
	}, func(found []*Found) error {
		all = append(all, found...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b *Found) int {
		return cmp.Or(cmp.Compare(best(&b.video), best(&a.video)), strings.Compare(a.video.Name, b.video.Name))
	})
	if moved := f.moved.Load(); moved > 0 {
		f.out.note(f.In, fmt.Sprintf("%d of its videos were analysed again or forgotten meanwhile, and are not searched: ask once more", moved), true)
	}
	all = ofVideos(all, f.Most)
	files := map[string]bool{}
	f.frame.Of = int(stats.Files)
	for _, found := range append([]*Found{{frame: f.frame, none: true}}, all...) {
		if err := f.Each(found); err != nil {
			return nil, err
		}
		if !found.none {
			files[found.path] = true
		}
	}
	summary := &FindSummary{Videos: len(files), Of: int(stats.Files)}
	if n := int(f.lost.Load() + f.moved.Load()); n > 0 {
		return summary, &IncompleteError{Failed: min(n, summary.Of), Total: summary.Of} // some may count twice
	}
	return summary, nil
}

// ofVideos are the tracks of the first so many videos, all tracks of each; 0: of all.
func ofVideos(all []*Found, most int) []*Found {
	if most == 0 {
		return all
	}
	chosen := map[string]bool{}
	return slices.DeleteFunc(all, func(found *Found) bool {
		if len(chosen) < most {
			chosen[found.path] = true
		}
		return !chosen[found.path]
	})
}

// candidates are the analyses in which somebody may be found.
func (f *finding) candidates(ctx context.Context, stats archive.Stats) (numbers []int64, err error) {
	crowd, err := f.engine.NewCrowd()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, crowd.Close()) }()
	foreign, last := int64(0), f.Now()
	err = f.kept.EachCodes(ctx, func(number int64, codes []byte) error {
		switch unused := crowd.Add(number, codes); {
		case errors.Is(unused, engine.ErrOtherModels):
			foreign++
		case unused != nil: // what cannot be looked through is looked at
			numbers = append(numbers, number)
		}
		if now := f.Now(); now.Sub(last) > loadingEvery {
			last = now
			f.out.send(Loading{Tracklets: crowd.Len()})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	after, err := f.kept.Stats(ctx) // an index may have begun some anew before their codes were read
	if err != nil {
		return nil, err
	}
	if stats.Unfinished = max(stats.Unfinished, after.Unfinished); stats.Unfinished > 0 {
		f.out.note(f.In, fmt.Sprintf("%d of its videos were not analysed to their end, and are not searched to theirs: 'spotter index' goes on with them", stats.Unfinished), true)
	}
	f.lost.Add(stats.Unfinished + foreign)
	if foreign > 0 {
		f.out.note(f.In, fmt.Sprintf("%d of its videos were analysed with other models, and are not searched: 'spotter index' analyses them again", foreign), true)
	}
	list, err := crowd.Candidates(ctx, f.people)
	for _, c := range list {
		if float64(c.AtMost) >= f.Min {
			numbers = append(numbers, c.Number)
		}
	}
	return numbers, err
}

// loadingEvery is how often it is told how much of an archive has been read.
const loadingEvery = 100 * time.Millisecond

// record finds out who is in a record, for each of its files that is wanted: none where nobody is found after all.
func (f *finding) record(ctx context.Context, number int64) ([]*Found, error) {
	a, err := f.kept.Analysis(ctx, number)
	switch {
	case errors.Is(err, archive.ErrGone):
		f.moved.Add(1)
		return nil, nil
	case errors.Is(err, archive.ErrDamaged):
		f.lost.Add(1)
		f.out.note(f.In, "one of its videos cannot be searched: "+err.Error(), true)
		return nil, nil
	case err != nil:
		return nil, err
	}
	files, err := f.kept.FilesOf(ctx, a.Video)
	if err != nil {
		return nil, err
	}
	files = slices.DeleteFunc(files, func(file archive.File) bool {
		return !strings.HasPrefix(file.Path, f.Path) || file.Changed.Before(f.Since)
	})
	if len(files) == 0 {
		return nil, nil
	}
	k := keptTrack{kept: f.kept, Analysis: a}
	found, failed := k.recall(ctx, f.engine, f.people, f.Portraits)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if errors.Is(failed, archive.ErrGone) {
		f.moved.Add(1)
		return nil, nil
	}
	if failed != nil && a.Failure == "" {
		f.lost.Add(1)
		f.out.note(files[0].Path, "not searched: "+failed.Error(), true)
	}
	var v report.Video
	fill(&v, found)
	v.Err, v.Track = failed, a.Track
	v.Sightings = slices.DeleteFunc(v.Sightings, func(s face.Sighting) bool { return len(s.Matches) == 0 })
	if len(v.Sightings) == 0 || float64(best(&v)) < f.Min {
		return nil, nil
	}
	all := make([]*Found, len(files))
	for i := range files {
		one := v
		one.Name, one.Path = trackPath(files[i].Path, a.Track), files[i].Path
		all[i] = &Found{frame: f.frame, video: one, failed: failed, path: files[i].Path}
	}
	return all, nil
}

// best is the highest similarity of a video.
func best(v *report.Video) (s face.Similarity) {
	for i := range v.Sightings {
		s = max(s, v.Sightings[i].Matches[0].Similarity)
	}
	return s
}

// NewFindOutput writes what [Find] finds to w in a format; see [NewOutput]. In JSON it is a document for each person in a video: see
// [report.Lines].
func NewFindOutput(f Format, w io.Writer, l Layout) Output {
	if f == JSON {
		return lines{w}
	}
	return NewOutput(f, w, l)
}

// lines writes documents of people in videos, and keeps nothing.
type lines struct{ w io.Writer }

func (l lines) Add(f *Found) error {
	if f.none {
		return nil
	}
	return report.Lines(l.w, f.path, &f.video, &f.frame.Gallery, f.video.SampleRate)
}

func (lines) Close() error { return nil }
