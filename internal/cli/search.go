package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"

	"github.com/spf13/cobra"

	"github.com/spotter-video/spotter/internal/batch"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/outfile"
)

// searchOptions are the flags of search that are not settings.
type searchOptions struct {
	faces string
	index string
	in    string
	results
	annotate string
	track    int
	quiet    bool
	profile  string
	trace    string
}

// The values of --by.
const (
	byClip   = "clip"
	byPerson = "person"
)

func (l *line) searchCommand() *cobra.Command {
	var o searchOptions
	cmd := &cobra.Command{
		Use:   "search VIDEO... --faces FOLDER",
		Short: "Find known faces in videos",
		Long: `Search looks for known people in videos and prints who was found and when.

The people to look for are photos in a folder, either FOLDER/PERSON.jpg or FOLDER/PERSON/ANY-NAME.jpg (JPEG, PNG, WebP,
HEIC; several photos of a person find more). A photo whose face cannot be used is refused with a reason and the search goes
on with the others. VIDEO is a file, or a folder whose videos are all searched.

--threshold is a similarity in percent. At 80 about one in 100,000 comparisons of two different people passes, at 90 one
in a million: the more people you look for, the higher it should be.

--by person answers where each person is: found people first, each with the videos they are in, then everybody who was
not found, the videos that failed or were not searched completely, and how many have nobody. Times on its page are links
to the videos. The CSV has a row as well for each video in which nobody was found, that failed, or that was not searched
completely; its last column, note, says which.

With --json, one document per video in the form of Amazon Rekognition's GetFaceSearch is written, one a line, with every
analysed face whether it matched or not. Video.S3Object.Name is the file, as it was named. ExternalImageId is PERSON.PHOTO,
or PERSON for FOLDER/PERSON.jpg; other characters than AWS allows, and dots of PERSON, are written like in URLs with : for %.

A file with several video tracks, as recorders of two cameras write it, is searched track by track, each with a result
of its own that is named by its number (in JSON as JobTag).

Results go to standard output, progress to standard error. The exit status is 0 when all videos were searched; see
'spotter help exit-codes' for the others.`,
		Example: `    spotter search clip.mp4 --faces people/
    spotter search archive/ --faces people/ --html result.html
    spotter search archive/ --faces people/ --by person
    spotter search clip.mp4 --faces people/ --json | jq '.Persons[].Timestamp'
    spotter search clip.mp4 --faces people/ --annotate seen.mp4 --threshold 90`,
		Args:              func(_ *cobra.Command, videos []string) error { return o.check(videos) },
		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault),
		RunE: func(cmd *cobra.Command, videos []string) error {
			if err := l.ready(); err != nil {
				return err
			}
			return l.profiled(o.profile, func() error { return l.search(cmd.Context(), o, videos) })
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.faces, "faces", "f", "", "`folder` with photos of the people to look for (required)")
	section(cmd, sectionOf(config.Matching), "faces")
	l.addSettings(cmd, config.Matching)
	f.StringVar(&o.index, "index", "", "keep what the videos show in an archive, a `file`, and use what it has; see 'spotter help index'")
	f.StringVar(&o.in, "in", "", "search an archive, a `file` of 'spotter index', instead of videos: all, or those that are named")
	section(cmd, archiveSection, "index", "in")
	o.add(cmd, "print a GetFaceSearch document per video, one a line")
	f.StringVar(&o.annotate, "annotate", "", "write the video (its first track searched) with boxes and names to `file`; several videos: a folder")
	f.StringVar(&o.trace, "trace", "", "write when each worker did what to `file`, for ui.perfetto.dev or chrome://tracing")
	f.IntVar(&o.track, "track", 0, "search only the `N`th video track of each video (1 is the first); 0: all")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "show no progress, only what wants attention")
	section(cmd, outputSection, "annotate", "trace", "track", "quiet")
	l.addSettings(cmd, config.Environment, config.Limits)
	f.StringVar(&o.profile, "cpuprofile", "", "write a processor profile to `file`, for go tool pprof")
	completeSearch(cmd)
	return cmd
}

func completeSearch(cmd *cobra.Command) {
	f := cmd.Flags()
	// These fail for flags that do not exist only.
	err := errors.Join(
		f.MarkHidden("cpuprofile"),
		cmd.MarkFlagDirname("faces"), cmd.MarkFlagDirname("models"), cmd.MarkFlagFilename("html", "html"),
		cmd.RegisterFlagCompletionFunc("by", cobra.FixedCompletions(
			[]cobra.Completion{byClip, byPerson}, cobra.ShellCompDirectiveNoFileComp)),
		cmd.RegisterFlagCompletionFunc("sandbox", cobra.FixedCompletions(
			[]cobra.Completion{string(config.Strict), string(config.Relaxed)}, cobra.ShellCompDirectiveNoFileComp)),
	)
	if err != nil {
		cmd.PrintErrln(err)
	}
}

// check says what is wrong with the command line as a whole.
func (o *searchOptions) check(videos []string) error {
	switch {
	case len(videos) == 0 && o.in == "":
		return errors.New("name at least one video, or a folder of videos")
	case o.faces == "":
		return errors.New("name a folder with photos of the people to look for: --faces FOLDER")
	case o.track < 0:
		return errors.New("--track counts from 1; 0 searches all tracks")
	case o.index != "" && o.in != "":
		return errors.New("--in only asks an archive, --index fills it too; choose one")
	default:
		return o.results.check()
	}
}

// search runs a search and writes its results.
func (l *line) search(ctx context.Context, o searchOptions, videos []string) (err error) {
	shown := newProgress(l.Stderr, l.Now, terminalColumns(l.Stderr), o.quiet)
	shown.warnings = o.format() != batch.Table // the table tells them itself
	defer shown.Clear()
	out, cannot := l.open(&o.results, batch.NewOutput)
	if cannot != nil {
		return &fault.UsageError{Err: cannot}
	}
	defer out.discard()
	writes := out.places
	var steps func(batch.Step)
	if o.trace != "" {
		t, place, cannot := newTrace(o.trace, o.force, l.Now())
		if cannot != nil {
			return &fault.UsageError{Err: cannot}
		}
		defer t.file.Discard()
		defer func() { err = errors.Join(err, t.write()) }()
		writes, steps = append(writes, place), t.add
	}
	err = batch.Search(ctx, l.config, batch.Request{
		Videos:    videos,
		Index:     o.index,
		In:        o.in,
		Faces:     o.faces,
		Annotate:  o.annotate,
		Force:     o.force,
		Writes:    writes,
		Portraits: o.html != "",
		Track:     o.track,
		Listen:    shown.Show,
		Trace:     steps,
		Each: func(found *batch.Found) error {
			shown.Clear()
			return out.add(found)
		},
		Now:     l.Now,
		Version: thisRelease().Version,
	})
	// What was found is worth having even where some videos failed.
	if incomplete := (*batch.IncompleteError)(nil); err != nil && !errors.As(err, &incomplete) {
		return err
	}
	shown.Clear()
	if closed := out.close(); closed != nil {
		return closed
	}
	if o.html != "" && !o.quiet {
		fmt.Fprintf(l.Stderr, "page written to %s\n", printable(o.html))
	}
	return err
}

// profiled runs work under the profiler where a file for its profile is named.
func (l *line) profiled(path string, work func() error) (err error) {
	if path == "" {
		return work()
	}
	place, err := outfile.At(path, outfile.Kind{}, false)
	if err != nil {
		return &fault.UsageError{Err: err}
	}
	f, err := place.Create()
	if err != nil {
		return &fault.UsageError{Err: err}
	}
	defer func() { err = errors.Join(err, f.Commit()) }()
	if err := pprof.StartCPUProfile(f); err != nil {
		return fmt.Errorf("start the profile: %w", err)
	}
	defer pprof.StopCPUProfile()
	return work()
}
