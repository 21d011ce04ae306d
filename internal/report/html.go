package report

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed page
var pageFiles embed.FS

// HTML writes what was found as one self-contained page: pictures inside, no request to anywhere, nothing but its own
// script and style allowed to run. Errors are w's, wrapped.
func HTML(w io.Writer, run *Run) error {
	p, err := newPage(run)
	if err != nil {
		return fmt.Errorf("make page: %w", err)
	}
	t, err := template.ParseFS(pageFiles, "page/page.html", "page/people.html")
	if err != nil {
		return fmt.Errorf("make page: %w", err)
	}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// page is what page.html shows. Its strings are plain text; the template escapes them for where they stand.
type page struct {
	Title, Heading, Facts string
	Policy, Version, When string
	Style                 template.CSS
	Script                template.JS
	Legend                []legendEntry
	Videos                []videoView
	People                *peopleView // instead of videos, by person
	Absent                string      // who was found in none of the videos that were asked, of which Videos are a part
	Notes                 []string
}

type legendEntry struct{ Class, Text string }

func newPage(run *Run) (*page, error) {
	style, err := pageFiles.ReadFile("page/page.css")
	if err != nil {
		return nil, err
	}
	script, err := pageFiles.ReadFile("page/page.js")
	if err != nil {
		return nil, err
	}
	p := &page{
		Version: plain(run.Version),
		Policy:  policy(style, script),
		Style:   template.CSS(style), //nolint:gosec // the program's own file
		Script:  template.JS(script), //nolint:gosec // the program's own file
		Legend:  legend(run),
	}
	if !run.When.IsZero() {
		p.When = run.When.Format("2 January 2006, 15:04 MST")
	}
	if run.By == ByPerson {
		o := Overlook(run)
		p.People = newPeopleView(run, &o)
	} else {
		for i := range run.Videos {
			p.Videos = append(p.Videos, newVideoView(i, run))
		}
	}
	if run.By == ByClip && run.Of > 0 {
		o := Overlook(run)
		p.Absent = names(o.missing())
	}
	for _, note := range run.Notes {
		p.Notes = append(p.Notes, plain(note))
	}
	p.Title, p.Heading = titles(run)
	p.Facts = searched(run)
	return p, nil
}

// policy lets the page run its own script and style and show its own pictures, and nothing else.
func policy(style, script []byte) string {
	hash := func(b []byte) string {
		sum := sha256.Sum256(b)
		return base64.StdEncoding.EncodeToString(sum[:])
	}
	return fmt.Sprintf("default-src 'none'; img-src data:; style-src 'sha256-%s'; script-src 'sha256-%s'; "+
		"base-uri 'none'; form-action 'none'", hash(style), hash(script))
}

// titles are the window's title and the page's heading. A single video's name heads its own section already.
func titles(run *Run) (title, heading string) {
	const heads = "Faces found"
	if run.Of > 0 {
		heading = heads + " in " + grouped(run.files()) + " of " + count(run.Of, "video", "videos")
		return heading, heading
	}
	switch n := len(run.Videos); n {
	case 0:
		return heads, heads
	case 1:
		return heads + " in " + plain(run.Videos[0].Name), heads
	default:
		heading = heads + " in " + count(n, "video", "videos")
		return heading, heading
	}
}

// searched says what was looked for, and how closely.
func searched(run *Run) string {
	words := []string{
		"searched for " + count(len(people(&run.Gallery)), "person", "people"),
		fmt.Sprintf("similarity of at least %s %%", strings.TrimSuffix(percent(run.Threshold), ".0")),
	}
	if run.SampleRate > 0 {
		words = append(words, fmt.Sprintf("%.4g pictures looked at per second", run.SampleRate))
	}
	return strings.Join(words, " · ")
}

// Bands of similarity have a colour each. They begin where a step of the calibration does: 80 stands for a false match
// in 1e5 comparisons, 90 in 1e6, 99 in 1e7.
func band(s float64) string {
	switch {
	case s >= 99:
		return "q3"
	case s >= 90:
		return "q2"
	case s >= 80:
		return "q1"
	default:
		return "q0"
	}
}

func legend(run *Run) []legendEntry {
	entries := []legendEntry{{"q1", "80–90 %"}, {"q2", "90–99 %"}, {"q3", "99 % and more"}}
	if run.Threshold < 80 {
		entries = append([]legendEntry{{"q0", "below 80 %"}}, entries...)
	}
	return entries
}

// dataURI embeds a JPEG. What is not one is left out: the page vouches for its type.
func dataURI(jpeg []byte) template.URL {
	if !bytes.HasPrefix(jpeg, []byte("\xff\xd8\xff")) {
		return ""
	}
	//nolint:gosec // base64 after a fixed prefix cannot leave the attribute, and the type is an image's
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(jpeg))
}
