package report

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

const (
	maxTimes     = 24  // of a person's times that are shown before the rest is folded away
	maxStrangers = 100 // that get a lane of their own; a crowd's page must still open
)

// videoView is one video on the page.
type videoView struct {
	ID, Name, Facts, Gist string
	Failure               string
	Partial, Searched     bool // something was found before it failed; the search came to an end or found something
	Warnings              []string
	Ticks                 []tick
	Lanes, Strangers      []laneView
	StrangersText         string
	StrangersRest         string
	Absent                string
}

// laneView is one person's row.
type laneView struct {
	Name, Percent, Seen, Span string
	Link                      string // to the video that the lane is named after; empty for a person's
	OwnAxis                   bool   // the lane has an axis of its own
	Lookalikes, Label         string
	Pictures                  []pictureView
	Ticks                     []tick
	Bars                      []barView
	Times, More               []timeView
	MoreText                  string
	Rest                      string // how many times are not shown
}

type pictureView struct {
	Source        template.URL
	Text, Caption string
}

// barView is an interval on the time axis; At and Width are in percent of the axis.
type barView struct{ Class, At, Width, Stamp, Title string }

// timeView is a time to copy, or a link to it.
type timeView struct{ Stamp, Text, Link string }

func newVideoView(i int, run *Run) videoView {
	v := &run.Videos[i]
	s := Summarise(v, &run.Gallery, run.rate(v))
	times := newAxis(v, run.rate(v))
	view := videoView{
		ID: "video-" + strconv.Itoa(i+1), Name: plain(v.Name), Facts: videoFacts(v), Gist: gist(v, &s),
		Ticks: times.ticks(), Searched: v.Err == nil || len(v.Sightings) > 0, Partial: len(v.Sightings) > 0,
	}
	if v.Err != nil {
		view.Failure = plain(v.Err.Error())
	}
	for _, warning := range slices.Concat(v.Warnings, v.Cautions) {
		view.Warnings = append(view.Warnings, plain(warning))
	}
	for j := range s.People {
		view.Lanes = append(view.Lanes, personLane(&s.People[j], v, &run.Gallery, times))
	}
	view.addStrangers(s.Strangers, v, times)
	if len(s.People) > 0 && run.Of == 0 {
		view.Absent = names(s.Absent)
	}
	return view
}

func videoFacts(v *Video) string {
	words := facts(&v.Info, " × ")
	if v.Elapsed > 0 {
		text := "searched in " + v.Elapsed.Round(100*time.Millisecond).String()
		if v.Info.Duration > 0 && v.Err == nil {
			text += fmt.Sprintf(" (%.3g times real time)", v.Info.Duration.Seconds()/v.Elapsed.Seconds())
		}
		words = append(words, text)
	}
	return strings.Join(words, " · ")
}

// gist is a video in one line of the list of videos.
func gist(v *Video, s *Summary) string {
	var words []string
	if v.Err != nil {
		words = append(words, "failed: "+plain(v.Err.Error()))
	}
	if len(s.People) > 0 {
		found := make([]string, len(s.People))
		for i, a := range s.People {
			found[i] = a.Name
		}
		words = append(words, names(found))
	} else if v.Err == nil {
		words = append(words, "nobody enrolled")
	}
	if len(s.Strangers) > 0 {
		words = append(words, count(len(s.Strangers), "stranger", "strangers"))
	}
	return strings.Join(words, " · ")
}

// names are the first of a list of names, and how many more there are.
func names(list []string) string {
	shown := make([]string, 0, maxListed)
	for _, name := range list[:min(len(list), maxListed)] {
		shown = append(shown, plain(name))
	}
	text := strings.Join(shown, ", ")
	if more := len(list) - maxListed; more > 0 {
		text += fmt.Sprintf(" and %s more", grouped(more))
	}
	return text
}

func personLane(a *Appearance, v *Video, g *Gallery, axis axis) laneView {
	lane := newLane(plain(a.Name), a.Seen, a.Intervals, axis)
	lane.Percent = percent(a.Best.Similarity)
	lane.Pictures = []pictureView{
		{dataURI(v.Portraits[a.Person]), lane.Name + ", best picture from the video", "in the video"},
		{dataURI(enrolledPhoto(a, g)), lane.Name + ", enrolled photo", "enrolled"},
	}
	lane.Lookalikes = resembling(a.Lookalikes)
	return lane
}

// resembling are other people in one line.
func resembling(lookalikes []Lookalike) string {
	others := make([]string, len(lookalikes))
	for i, o := range lookalikes {
		others[i] = fmt.Sprintf("%s (%s %%)", o.Name, percent(o.Best))
	}
	return names(others)
}

// enrolledPhoto is the photo of the best match, or else of another enrolled face of that person.
func enrolledPhoto(a *Appearance, g *Gallery) []byte {
	if photo := g.Photos[a.Best.ID]; len(photo) > 0 {
		return photo
	}
	var best face.ID
	var photo []byte
	for id, p := range g.Photos {
		if len(p) > 0 && g.name(id) == a.Name && (photo == nil || string(id[:]) < string(best[:])) {
			best, photo = id, p
		}
	}
	return photo
}

func (view *videoView) addStrangers(list []Stranger, v *Video, axis axis) {
	if len(list) == 0 {
		return
	}
	view.StrangersText = strangers(list)
	slices.SortStableFunc(list, func(a, b Stranger) int { return cmp.Compare(b.Seen, a.Seen) })
	for _, s := range list[:min(len(list), maxStrangers)] {
		lane := newLane(strangerName(s.Number), s.Seen, s.Intervals, axis)
		lane.Pictures = []pictureView{{Source: dataURI(v.Portraits[s.Person]), Text: lane.Name}}
		view.Strangers = append(view.Strangers, lane)
	}
	if more := len(list) - maxStrangers; more > 0 {
		view.StrangersRest = fmt.Sprintf("and %s who were seen less", count(more, "more stranger", "more strangers"))
	}
}

func newLane(name string, seen time.Duration, intervals []Interval, axis axis) laneView {
	first, last := intervals[0].Start, intervals[0].End
	lane := laneView{Name: name, Ticks: axis.ticks()}
	times := make([]timeView, 0, len(intervals))
	for _, i := range intervals {
		last = max(last, i.End)
		lane.Bars = append(lane.Bars, axis.bar(i))
		times = append(times, timeView{Stamp: stamp(i.Start), Text: span(i, "–")})
	}
	lane.Seen = seenIn(seen, len(intervals))
	lane.Span = fmt.Sprintf("first %s, last %s", clock(first), clock(last))
	if clock(first) == clock(last) {
		lane.Span = "at " + clock(first)
	}
	lane.Label = fmt.Sprintf("%s: %s, %s", name, lane.Seen, lane.Span)
	lane.Times = times[:min(len(times), maxTimes)]
	if lane.More = times[len(lane.Times):]; len(lane.More) > 0 {
		lane.MoreText = grouped(len(lane.More)) + " more"
	}
	return lane
}
