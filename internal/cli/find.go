package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/spotter-video/spotter/internal/batch"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
)

// findOptions are the flags of find that are not settings.
type findOptions struct {
	in    string
	faces string
	path  string
	since string
	min   float64
	most  int
	results
	quiet bool

	from time.Time // what since says
}

func (l *line) findCommand() *cobra.Command {
	var o findOptions
	cmd := &cobra.Command{
		Use:   "find PHOTO|PERSON... --in ARCHIVE",
		Short: "Find people in all videos of an archive",
		Long: `Find answers from an archive, which 'spotter index' fills: in which videos does this person appear, and when? The videos are not
looked at again and need not be there. What is found in a video is what 'spotter search' finds in it.

PHOTO is a photo of one person, PERSON a folder of photos of one person; --faces names a folder of people, as 'spotter search'
takes it. Videos come with the best similarity first.`,
		Example: `    spotter find anna.jpg --in archive.spotter
    spotter find people/ANNA people/BEN --in archive.spotter --by person
    spotter find --faces people/ --in archive.spotter --path /srv/videos/2024/ --html found.html
    spotter find anna.jpg --in archive.spotter --json | jq -r .clip`,
		Args:              func(_ *cobra.Command, who []string) error { return o.check(who) },
		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault),
		RunE: func(cmd *cobra.Command, who []string) error {
			if err := l.ready(); err != nil {
				return err
			}
			return l.find(cmd.Context(), o, who)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.in, "in", "", "the archive: a `file` of 'spotter index' (required)")
	f.StringVar(&o.path, "path", "", "only videos whose path begins with `prefix`, from the root or from here")
	f.StringVar(&o.since, "since", "", "only videos whose file was changed on this `day` or later: 2024-05-31, or with a time as in RFC 3339")
	f.Float64Var(&o.min, "min", 0, "only videos in which somebody is found with this similarity, in `percent`")
	f.IntVar(&o.most, "limit", 0, "only the best `n` videos; 0: all")
	section(cmd, archiveSection, "in", "path", "since", "min", "limit")
	f.StringVarP(&o.faces, "faces", "f", "", "`folder` with photos of the people to look for, as in search")
	section(cmd, sectionOf(config.Matching), "faces")
	l.addOnly(cmd, "threshold", "max-faces", "workers")
	o.add(cmd, "print a document per video and person, one a line")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "show no progress, only what wants attention")
	section(cmd, outputSection, "quiet")
	l.addSettings(cmd, config.Environment, config.Limits)
	return cmd
}

func (o *findOptions) check(who []string) (err error) {
	switch {
	case len(who) == 0 && o.faces == "":
		return errors.New("name a photo or a folder of photos of whom to find, or a folder of people with --faces")
	case o.in == "":
		return errors.New("name the archive: --in archive.spotter; 'spotter index' makes it")
	case !(o.min >= 0 && o.min <= 100):
		return errors.New("--min is a similarity, 0 to 100")
	case o.most < 0:
		return errors.New("--limit is a number of videos; 0 is all")
	}
	if o.from, err = since(o.since); err != nil {
		return err
	}
	return o.results.check()
}

// since reads a day, which begins where the machine is, or a time.
func since(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil { //nolint:gosmopolitan // the user's day
		return day, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("--since %q is no day as in 2024-05-31 and no time as in 2024-05-31T18:00:00Z", text)
	}
	return t, nil
}

func (l *line) find(ctx context.Context, o findOptions, who []string) error {
	shown := newProgress(l.Stderr, l.Now, terminalColumns(l.Stderr), o.quiet)
	defer shown.Clear()
	out, err := l.open(&o.results, batch.NewFindOutput)
	if err != nil {
		return &fault.UsageError{Err: err}
	}
	defer out.discard()
	found, err := batch.Find(ctx, l.config, batch.Finding{
		Who: who, Faces: o.faces, In: o.in, Path: o.path, Since: o.from, Min: o.min, Most: o.most,
		Portraits: o.html != "", Writes: out.places, Listen: shown.Show, Now: l.Now, Version: thisRelease().Version,
		Each: func(found *batch.Found) error {
			shown.Clear()
			return out.add(found)
		},
	})
	// What was found is worth having even where some videos could not be read.
	if incomplete := (*batch.IncompleteError)(nil); err != nil && !errors.As(err, &incomplete) {
		return err
	}
	shown.Clear()
	if closed := out.close(); closed != nil {
		return closed
	}
	if !o.quiet {
		if o.format() != batch.Table { // which says it itself
			fmt.Fprintf(l.Stderr, "found in %d of %s of %s\n", found.Videos, plural(found.Of, "video", "videos"), printable(o.in))
		}
		if o.html != "" {
			fmt.Fprintf(l.Stderr, "page written to %s\n", printable(o.html))
		}
	}
	return err
}
