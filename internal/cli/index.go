package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/spotter-video/spotter/internal/batch"
	"github.com/spotter-video/spotter/internal/config"
)

// archiveSection is that of flags about archives.
const archiveSection = "Archive"

// indexOptions are the flags of index that are not settings.
type indexOptions struct {
	to     string
	again  bool
	prune  bool
	forget bool
	json   bool
	quiet  bool
}

func (l *line) indexCommand() *cobra.Command {
	var o indexOptions
	cmd := &cobra.Command{
		Use:   "index VIDEO|FOLDER... --to ARCHIVE",
		Short: "Look at videos once, to find people in them at any time",
		Long: `Index analyses videos and keeps what they show in an archive, one file. From then on 'spotter find' and
'spotter search --in' answer from the archive without looking at the videos again: also for people whose photos come later.

It may be stopped at any time and goes on where it was. Run it again when videos have been added: those that the archive
knows by path, size and time of their last change are not read; others are read once to tell whether the archive knows what they
contain under another name. A video that has changed is analysed anew, and so is one that was analysed with other models or
another --sample-rate. One that another build of the decoder has read stays as it is; --again analyses everything.

Videos that were in a folder and are gone are told, and forgotten with --prune: what an archive has of a video are the faces of
everybody in it (embeddings and small portraits). Mount what is not there before you prune: a disk that is missing looks like videos that are gone.
--forget forgets videos, or all below a folder, that are there all the same.`,
		Example: `    spotter index archive/ --to archive.spotter
    spotter index new/*.mp4 --to archive.spotter
    spotter index archive/ --to archive.spotter --prune --quiet     # every night
    spotter index archive/party.mp4 --to archive.spotter --forget`,
		Args:              func(_ *cobra.Command, videos []string) error { return o.check(videos) },
		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault),
		RunE: func(cmd *cobra.Command, videos []string) error {
			if err := l.ready(); err != nil {
				return err
			}
			return l.index(cmd.Context(), o, videos)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.to, "to", "", "the archive: a `file`, made if it is not there (required)")
	f.BoolVar(&o.again, "again", false, "analyse everything again")
	f.BoolVar(&o.prune, "prune", false, "forget videos of the folders that are gone")
	f.BoolVar(&o.forget, "forget", false, "forget the videos that are named, and all below folders, instead of analysing them")
	section(cmd, archiveSection, "to", "again", "prune", "forget")
	l.addOnly(cmd, "sample-rate", "workers")
	f.BoolVar(&o.json, "json", false, "print how it ended as a JSON document")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "show no progress, only what wants attention")
	section(cmd, outputSection, "json", "quiet")
	l.addSettings(cmd, config.Environment, config.Limits)
	return cmd
}

func (o *indexOptions) check(videos []string) error {
	switch {
	case len(videos) == 0:
		return errors.New("name at least one video, or a folder of videos")
	case o.to == "":
		return errors.New("name the file to keep the archive in: --to archive.spotter")
	case o.forget && (o.again || o.prune || o.json):
		return errors.New("--forget only forgets; leave out --again, --prune and --json")
	default:
		return nil
	}
}

// indexedDocument is what --json prints.
type indexedDocument struct {
	Videos       int      `json:"videos"`
	Analysed     int      `json:"analysed"`
	Unchanged    int      `json:"unchanged"`
	Recognised   int      `json:"recognised"`
	Failed       int      `json:"failed"`
	OtherDecoder int      `json:"other_decoder"`
	Gone         []string `json:"gone"`
	Pruned       bool     `json:"pruned"`
	Archive      string   `json:"archive"`
	Files        int      `json:"archive_files"`
	Bytes        int64    `json:"archive_bytes"`
}

func (l *line) index(ctx context.Context, o indexOptions, videos []string) error {
	if o.forget {
		n, err := batch.Forget(ctx, o.to, videos)
		if err == nil && !o.quiet {
			fmt.Fprintf(l.Stdout, "%s forgotten\n", plural(n, "video", "videos"))
		}
		return err
	}
	shown := newProgress(l.Stderr, l.Now, terminalColumns(l.Stderr), o.quiet)
	shown.warnings, shown.doing = true, "indexing"
	defer shown.Clear()
	done, err := batch.Index(ctx, l.config, batch.Indexing{
		Videos: videos, Archive: o.to, Again: o.again, Prune: o.prune, Listen: shown.Show, Now: l.Now,
	})
	if incomplete := (*batch.IncompleteError)(nil); err != nil && !errors.As(err, &incomplete) {
		return err
	}
	shown.Clear()
	if o.json {
		d := indexedDocument{
			Videos: done.Videos, Analysed: done.Analysed, Unchanged: done.Unchanged, Recognised: done.Recognised, Failed: done.Failed,
			OtherDecoder: done.OtherDecoder, Gone: append([]string{}, done.Gone...), Pruned: done.Pruned,
			Archive: o.to, Files: done.Files, Bytes: done.Bytes,
		}
		return errors.Join(err, json.NewEncoder(l.Stdout).Encode(&d))
	}
	if !o.quiet {
		fmt.Fprint(l.Stdout, indexedText(done, o.to))
	}
	return err
}

// indexedText says how it ended.
func indexedText(d *batch.Indexed, path string) string {
	var b strings.Builder
	words := []string{fmt.Sprintf("%d analysed", d.Analysed)}
	for _, n := range []struct {
		n    int
		what string
	}{{d.Unchanged, "known before"}, {d.Recognised, "known under another name"}, {d.Failed, "failed"}} {
		if n.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n.n, n.what))
		}
	}
	fmt.Fprintf(&b, "%s: %s\n", plural(d.Videos, "video", "videos"), strings.Join(words, ", "))
	if d.OtherDecoder > 0 {
		fmt.Fprintf(&b, "%d of them were read by another build of the decoder; --again analyses everything again\n", d.OtherDecoder)
	}
	if len(d.Gone) > 0 {
		verb := "gone; --prune forgets what the archive has of them"
		if d.Pruned {
			verb = "gone, and forgotten"
		}
		fmt.Fprintf(&b, "%s %s:\n", plural(len(d.Gone), "video is", "videos are"), verb)
		const most = 20
		for i, path := range d.Gone {
			if i == most {
				fmt.Fprintf(&b, "    and %d more\n", len(d.Gone)-most)
				break
			}
			fmt.Fprintf(&b, "    %s\n", printable(path))
		}
	}
	fmt.Fprintf(&b, "%s: %s, %s\n", printable(path), plural(d.Files, "video", "videos"), size(d.Bytes))
	return b.String()
}

// size writes a number of bytes for a person.
func size(bytes int64) string {
	const step = 1000
	units := []string{"B", "KB", "MB", "GB", "TB"}
	value, unit := float64(bytes), 0
	for value >= step && unit < len(units)-1 {
		value /= step
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}
