package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
)

// TableOptions say how a table is laid out. The zero value suits a pipe.
type TableOptions struct {
	// Columns is the terminal's width; 0 means 100. Below 60 it counts as 60.
	Columns int
	// Lines is the most lines that the times of one person may take, the rest is counted; 0 means 8.
	Lines int
}

const (
	defaultColumns = 100
	minColumns     = 60
	defaultLines   = 8
	maxNameColumns = 32
	maxListed      = 12 // absent people that are named before the rest is counted
)

// Table writes what was found as a table for a terminal. The only errors are w's.
func Table(w io.Writer, run *Run, opts TableOptions) error {
	if opts.Columns <= 0 {
		opts.Columns = defaultColumns
	}
	if opts.Lines <= 0 {
		opts.Lines = defaultLines
	}
	t := &table{out: bufio.NewWriter(w), columns: max(opts.Columns, minColumns), lines: opts.Lines}
	o := Overlook(run)
	if run.By == ByPerson {
		t.overview(run, &o)
	} else {
		for i := range run.Videos {
			if i > 0 {
				t.line("")
			}
			t.video(&run.Videos[i], o.summary[i], run.Of > 0)
		}
		if run.Of > 0 {
			if len(run.Videos) > 0 && len(o.Missing) > 0 {
				t.line("")
			}
			t.missing(o.Missing)
		}
	}
	t.end(run, &o)
	if err := t.out.Flush(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// end says what was not searched, and sums up a run over several videos.
func (t *table) end(run *Run, o *Overview) {
	if len(run.Notes) > 0 || len(run.Videos) > 1 || run.Of > 0 {
		t.line("")
	}
	for _, note := range run.Notes {
		t.line(plain(note))
	}
	if len(run.Videos) > 1 || run.Of > 0 {
		t.line(total(run, len(o.Failed), len(o.Found), len(o.Found)+len(o.Missing)))
	}
}

// total sums up a run over several videos.
func total(run *Run, failed, found, enrolled int) string {
	of := ""
	if run.Of > 0 {
		of = grouped(run.files()) + " of "
	}
	s := fmt.Sprintf("%d of %s found in %s%s", found, count(enrolled, "enrolled person", "enrolled people"), of,
		count(max(len(run.Videos), run.Of), "video", "videos"))
	if failed > 0 {
		s += fmt.Sprintf("; %s failed", grouped(failed))
	}
	return s
}

// people are the names of everyone enrolled.
func people(g *Gallery) map[string]bool {
	names := map[string]bool{}
	for id := range g.Faces {
		names[g.name(id)] = true
	}
	for id := range g.Person {
		names[g.name(id)] = true
	}
	return names
}

type table struct {
	out            *bufio.Writer
	columns, lines int
}

func (t *table) line(s string) {
	_, _ = t.out.WriteString(strings.TrimRight(s, " ") + "\n") // Flush reports the error
}

// video writes what is known of one, or who was found in it only.
func (t *table) video(v *Video, s *Summary, found bool) {
	t.line(plain(v.Name))
	if f := facts(&v.Info, "x"); len(f) > 0 {
		t.line("  " + strings.Join(f, ", "))
	}
	if v.Err != nil {
		t.line("  FAILED: " + plain(v.Err.Error()))
		if len(v.Sightings) > 0 {
			t.line("  until then:")
		}
	}
	for _, warning := range v.Warnings {
		t.line("  warning: " + plain(warning))
	}
	for _, caution := range v.Cautions {
		t.line("  caution: " + plain(caution))
	}
	t.people(s.People)
	if !found && (v.Err == nil || len(v.Sightings) > 0) {
		t.rest(s)
	}
}

func (t *table) people(found []Appearance) {
	if len(found) == 0 {
		return
	}
	name, long := columns("PERSON"), columns("SEEN FOR")
	for _, a := range found {
		name = min(max(name, columns(plain(a.Name))), maxNameColumns)
		long = max(long, columns(lasting(a.Seen)))
	}
	row := func(person, best, seen, when string) {
		t.line(fmt.Sprintf("  %s  %7s  %*s  %s", fit(person, name), best, long, seen, when))
	}
	row("PERSON", "BEST", "SEEN FOR", "WHEN")
	room := t.columns - columns(fmt.Sprintf("  %s  %7s  %*s  ", fit("", name), "", long, ""))
	for _, a := range found {
		when := t.when(a.Intervals, room)
		row(plain(a.Name), percent(a.Best.Similarity)+" %", lasting(a.Seen), when[0])
		for _, line := range when[1:] {
			row("", "", "", line)
		}
		if len(a.Lookalikes) > 0 {
			for _, line := range wrap(lookalikes(a.Lookalikes), room) {
				row("", "", "", line)
			}
		}
	}
}

// when is a person's intervals in lines that fit, at least one.
func (t *table) when(intervals []Interval, room int) []string {
	items := make([]string, len(intervals))
	for i, interval := range intervals {
		items[i] = span(interval, "-")
	}
	lines := wrap(items, room)
	if len(lines) <= t.lines {
		return lines
	}
	shown := 0
	for _, line := range lines[:t.lines-1] {
		shown += len(strings.Fields(line))
	}
	return append(lines[:t.lines-1:t.lines-1], fmt.Sprintf("and %s more, the last at %s",
		grouped(len(items)-shown), items[len(items)-1]))
}

func lookalikes(others []Lookalike) []string {
	items := make([]string, len(others))
	for i, o := range others {
		items[i] = fmt.Sprintf("%s %s %%", plain(o.Name), percent(o.Best))
	}
	items[0] = "also resembles " + items[0]
	return items
}

// strangers are all strangers of a video in one line.
func strangers(list []Stranger) string {
	var seen time.Duration
	for i := range list {
		seen += list[i].Seen
	}
	return fmt.Sprintf("%s, seen for %s", count(len(list), "stranger", "strangers"), lasting(seen))
}

// rest is who else was there, and who was not.
func (t *table) rest(s *Summary) {
	if len(s.People) == 0 {
		t.line("  nobody enrolled was found")
	}
	if len(s.Strangers) > 0 {
		t.line("  " + strangers(s.Strangers))
	} else {
		t.line("  no strangers")
	}
	if len(s.People) == 0 || len(s.Absent) == 0 {
		return
	}
	names := make([]string, 0, maxListed+1)
	for i, name := range s.Absent {
		if i == maxListed {
			names = append(names, fmt.Sprintf("and %s more", grouped(len(s.Absent)-maxListed)))
			break
		}
		names = append(names, strings.TrimRight(fit(plain(name), min(maxNameColumns, columns(plain(name)))), " "))
	}
	t.labelled("  not found: ", names)
}
