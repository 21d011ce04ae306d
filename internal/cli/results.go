package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/spotter-video/spotter/internal/batch"
	"github.com/spotter-video/spotter/internal/outfile"
)

// results are the flags that say in which forms results are written.
type results struct {
	json  bool
	csv   bool
	html  string
	by    string
	force bool
}

// add adds the flags to a command. document says what JSON has.
func (r *results) add(cmd *cobra.Command, document string) {
	f := cmd.Flags()
	f.BoolVar(&r.json, "json", false, document)
	f.BoolVar(&r.csv, "csv", false, "print one row per appearance of a person")
	f.StringVar(&r.html, "html", "", "write one self-contained page to `file`")
	f.StringVar(&r.by, "by", byClip, "lay out table, CSV and page by `clip|person`: who is in each video, or where each person is")
	f.BoolVar(&r.force, "force", false, "let files that are written replace files of other kinds (never one that is read)")
	section(cmd, outputSection, "json", "csv", "html", "by", "force")
}

func (r *results) check() error {
	switch {
	case r.by != byClip && r.by != byPerson:
		return fmt.Errorf("--by is %q; it must be %s or %s", r.by, byClip, byPerson)
	case r.json && r.by == byPerson && r.html == "":
		return errors.New("--by person lays out tables, CSV and pages; --json prints a document per video: leave one out")
	case r.json && r.csv:
		return errors.New("--json and --csv both write to standard output; choose one")
	default:
		return nil
	}
}

func (r *results) format() batch.Format {
	switch {
	case r.json:
		return batch.JSON
	case r.csv:
		return batch.CSV
	default:
		return batch.Table
	}
}

// written is where results go. It has to be discarded.
type written struct {
	outputs []batch.Output
	places  []*outfile.Place // that are written
	page    *outfile.File    // nil for none
}

// open opens what results are written to; output makes one of a format.
func (l *line) open(r *results, output func(batch.Format, io.Writer, batch.Layout) batch.Output) (*written, error) {
	layout := batch.Layout{ByPerson: r.by == byPerson, Page: r.html}
	if ask := terminalColumns(l.Stdout); ask != nil {
		layout.Columns = ask()
	}
	w := &written{outputs: []batch.Output{output(r.format(), l.Stdout, layout)}, places: l.written()}
	if r.html == "" {
		return w, nil
	}
	place, err := outfile.At(r.html, pageOfOurs(), r.force)
	if err != nil {
		return nil, err
	}
	if w.page, err = place.Create(); err != nil {
		return nil, err
	}
	w.places = append(w.places, place)
	w.outputs = append(w.outputs, page{output(batch.HTML, w.page, layout), w.page})
	return w, nil
}

// add writes what was found in a video.
func (w *written) add(found *batch.Found) error {
	return each(w.outputs, func(out batch.Output) error { return out.Add(found) })
}

// close completes everything.
func (w *written) close() error { return each(w.outputs, batch.Output.Close) }

// discard drops what is not complete.
func (w *written) discard() {
	if w.page != nil {
		w.page.Discard()
	}
}

func each(outputs []batch.Output, do func(batch.Output) error) error {
	for _, o := range outputs {
		if err := do(o); err != nil {
			return fmt.Errorf("write results: %w", err)
		}
	}
	return nil
}

// page is an output whose file gets its name when it is complete.
type page struct {
	batch.Output
	file *outfile.File
}

func (p page) Close() error {
	if err := p.Output.Close(); err != nil {
		return err
	}
	return p.file.Commit()
}

// pageOfOurs is the kind of the pages that a search writes: they name their maker in the head.
func pageOfOurs() outfile.Kind {
	return outfile.Kind{Name: "a page of an earlier search", Is: func(f *os.File) bool {
		head, err := io.ReadAll(io.LimitReader(f, 4<<10)) // the maker stands in the first lines
		return err == nil && bytes.HasPrefix(head, []byte("<!doctype html>")) &&
			bytes.Contains(head, []byte(`<meta name="generator" content="Spotter`))
	}}
}

// written is where standard output goes, if that is a file.
func (l *line) written() []*outfile.Place {
	if f, ok := l.Stdout.(*os.File); ok {
		return []*outfile.Place{outfile.Opened(f)}
	}
	return nil
}
