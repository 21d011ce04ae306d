package cli

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spotter-video/spotter/internal/batch"
)

// How often progress is shown: on a terminal often enough to look alive, elsewhere rarely enough for a log.
const (
	redrawEvery = 100 * time.Millisecond
	lineEvery   = 10 * time.Second
)

// progress shows the events of a search to a person: as a bar that is drawn over and over on a terminal, as a line
// per video elsewhere. Safe for concurrent use.
type progress struct {
	mu  sync.Mutex
	out io.Writer
	now func() time.Time
	// columns is the terminal's width, asked for at each drawing because windows change; nil where out is no terminal.
	columns func() int
	// quiet leaves only what wants attention.
	quiet bool
	// warnings shows those of videos: where the results have no place for them.
	warnings bool
	// doing is what is done with videos; empty for searching.
	doing string

	began   time.Time // of searching, enrolment not counted
	last    time.Time // something was shown
	drawn   bool      // a bar stands in the last line
	videos  int
	running []*running // videos in work, in the order in which they began
	ended   int
	// past is what the videos that ended contributed.
	past struct {
		analysed time.Duration
		faces    int
	}
}

// running is one video in work.
type running struct {
	video    int
	path     string
	length   time.Duration
	analysed time.Duration
	faces    int
}

func newProgress(out io.Writer, now func() time.Time, columns func() int, quiet bool) *progress {
	return &progress{out: out, now: now, columns: columns, quiet: quiet}
}

// Show takes an event in and shows what is to be seen of it.
func (p *progress) Show(e batch.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := e.(type) {
	case batch.Noted:
		p.noted(e)
	case batch.EnrolmentStarted:
		p.last = p.now()
	case batch.PhotoDone:
		p.photoDone(e)
	case batch.EnrolmentDone:
		p.line("looking for %s (%s)", plural(e.People, "person", "people"), plural(e.Faces, "photo", "photos"))
		p.began = p.now()
	case batch.VideoStarted:
		p.started(e)
	case batch.VideoProgress:
		p.advanced(e)
	case batch.VideoKnown:
		p.videos = e.Videos
		p.ended++
	case batch.Reading:
		p.stage("reading "+printable(filepath.Base(e.Path)), float64(e.Read)/float64(max(e.Size, 1)), size(e.Read)+" / "+size(e.Size))
	case batch.Loading:
		p.stage("reading the archive", 0, plural(e.Tracklets, "face followed", "faces followed"))
	case batch.Annotating:
		p.annotating(e)
	case batch.VideoDone:
		p.done(e)
	}
}

// Clear takes the bar off the terminal, before something else is written to it.
func (p *progress) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.drawn = false
	}
}

func (p *progress) noted(e batch.Noted) {
	p.clear()
	if e.Refused {
		fmt.Fprintf(p.out, "warning: %s: %s\n", printable(e.Path), printable(e.Reason))
	} else if !p.quiet {
		fmt.Fprintf(p.out, "note: %s: %s\n", printable(e.Path), printable(e.Reason))
	}
}

func (p *progress) photoDone(e batch.PhotoDone) {
	p.stage("enrolling", float64(e.Done)/float64(max(e.Photos, 1)), fmt.Sprintf("photo %d of %d", e.Done, e.Photos))
}

// stage shows how far something has come, not too often.
func (p *progress) stage(label string, share float64, facts string) {
	if p.terminal() && p.due(redrawEvery) || !p.terminal() && p.due(lineEvery) {
		p.show(label, share, facts)
	}
}

func (p *progress) started(e batch.VideoStarted) {
	if p.began.IsZero() {
		p.began = p.now()
	}
	p.videos = e.Videos
	p.running = append(p.running, &running{
		video: e.Video, path: e.Path, length: e.Info.Duration,
	})
	p.line("%s: %s %s of %s, %d x %d", printable(e.Path), cmp.Or(p.doing, "searching"), clock(e.Info.Duration), printable(e.Info.Codec),
		e.Info.Width, e.Info.Height)
}

func (p *progress) advanced(e batch.VideoProgress) {
	for _, r := range p.running {
		if r.video == e.Video {
			r.analysed, r.faces = e.Analysed, e.Faces
		}
	}
	if p.terminal() && p.due(redrawEvery) || !p.terminal() && p.due(lineEvery) {
		p.show(p.overall())
	}
}

func (p *progress) annotating(e batch.Annotating) {
	for _, r := range p.running {
		if r.video == e.Video && r.length > 0 {
			p.stage("annotating "+printable(filepath.Base(r.path)), e.Written.Seconds()/r.length.Seconds(),
				clock(e.Written)+" / "+clock(r.length))
		}
	}
}

func (p *progress) done(e batch.VideoDone) {
	p.ended++
	for i, r := range p.running {
		if r.video == e.Video {
			p.running = append(p.running[:i], p.running[i+1:]...)
			break
		}
	}
	p.past.analysed += e.Length
	p.past.faces += e.Faces
	if p.warnings {
		for _, w := range e.Warnings {
			p.clear()
			fmt.Fprintf(p.out, "warning: %s: %s\n", printable(e.Path), printable(w))
		}
	}
	if e.Err != nil {
		p.clear()
		fmt.Fprintf(p.out, "error: %s: %s\n", printable(e.Path), printable(e.Err.Error()))
		return
	}
	of := ""
	if e.Persons >= 0 {
		of = " of " + plural(e.Persons, "person", "people")
	}
	p.line("%s: done in %s%s, %s%s", printable(e.Path), e.Took.Round(100*time.Millisecond), inSpeed(e.Length, e.Took),
		plural(e.Faces, "face", "faces"), of)
}

// overall is what the bar says of all videos in work together.
func (p *progress) overall() (label string, share float64, facts string) {
	analysed, length, faces := p.past.analysed, p.past.analysed, p.past.faces
	for _, r := range p.running {
		analysed += r.analysed
		length += max(r.length, r.analysed)
		faces += r.faces
	}
	if len(p.running) > 0 {
		label = printable(filepath.Base(p.running[0].path))
	}
	if p.videos > 1 {
		label = fmt.Sprintf("[%d/%d] %s", min(p.ended+1, p.videos), p.videos, label)
	}
	if length > 0 {
		share = float64(analysed) / float64(length)
	}
	facts = fmt.Sprintf("%s / %s", clock(analysed), clock(length))
	took := p.now().Sub(p.began)
	if took < 500*time.Millisecond || analysed <= 0 {
		return label, share, facts // too early for a speed
	}
	facts += "  " + times(analysed.Seconds()/took.Seconds()) + "  " + plural(faces, "face", "faces")
	if p.ended+len(p.running) >= p.videos { // otherwise how much is to come is not known
		facts += "  " + clock(time.Duration(float64(took)/share*(1-share))) + " left"
	}
	return label, share, facts
}

// show draws the bar on a terminal and writes a line elsewhere.
func (p *progress) show(label string, share float64, facts string) {
	if p.quiet {
		return
	}
	p.last = p.now()
	if !p.terminal() {
		fmt.Fprintf(p.out, "%s: %.0f %%  %s\n", label, 100*share, facts)
		return
	}
	fmt.Fprint(p.out, "\r"+bar(label, share, facts, p.columns()-1)+"\x1b[K")
	p.drawn = true
}

// line writes a line that stays.
func (p *progress) line(format string, args ...any) {
	if p.quiet {
		return
	}
	p.clear()
	fmt.Fprintf(p.out, format+"\n", args...)
	p.last = p.now()
}

func (p *progress) terminal() bool { return p.columns != nil }

func (p *progress) due(every time.Duration) bool { return p.now().Sub(p.last) >= every }

// bar fits a label, a bar and facts into a width: the bar takes what is left over, and where nothing is left the label
// goes first and the facts are cut last.
func bar(label string, share float64, facts string, width int) string {
	const shortest, longest = 8, 40
	used := columns(facts) + 2
	label = shorten(label, max(width-used-shortest-2, 0))
	if label != "" {
		used += columns(label) + 2
		label += "  "
	}
	length := min(width-used, longest)
	if length < shortest {
		return shorten(facts, max(width, 0))
	}
	full := int(min(max(share, 0), 1) * float64(length))
	return label + strings.Repeat("━", full) + strings.Repeat("─", length-full) + "  " + facts
}

func inSpeed(length, took time.Duration) string {
	if took <= 0 || length <= 0 {
		return ""
	}
	return " (" + times(length.Seconds()/took.Seconds()) + " real time)"
}
