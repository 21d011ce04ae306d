package report

import (
	"fmt"
	"strings"
)

// overview writes the table by person: who was found, in which videos, then who was not, and which videos tell nothing.
func (t *table) overview(run *Run, o *Overview) {
	if len(o.Found) == 0 {
		t.line("nobody enrolled was found")
	} else {
		t.found(o.Found)
	}
	t.line("")
	t.missing(o.Missing)
	t.list("failed:", o.Failed, failure)
	t.list("not searched completely:", o.Partial, func(v *Video) string { return plain(strings.Join(v.Partial, "; ")) })
	if len(o.Nobody) > 0 {
		t.line("nobody enrolled was found in " + count(len(o.Nobody), "video", "videos"))
	}
	for _, line := range oddities(run) {
		t.line(line)
	}
}

func (t *table) found(found []Person) {
	const heads = "PERSON, VIDEO"
	name, long := columns(heads), columns("SEEN FOR")
	for i := range found {
		name = max(name, columns(plain(found[i].Name)))
		long = max(long, columns(lasting(found[i].Seen)))
		for j := range found[i].Clips {
			name = max(name, columns(plain(found[i].Clips[j].Video.Name))+2)
		}
	}
	name = min(name, maxNameColumns)
	before := func(who, best, seen, places string) string {
		return fmt.Sprintf("%s  %7s  %*s  %6s  ", fit(who, name), best, long, seen, places)
	}
	// What stands for a file or a person is never cut: a longer name has a line of its own.
	row := func(who, best, seen, places, what string) {
		if columns(who) > name {
			t.line(who)
			who = ""
		}
		t.line(before(who, best, seen, places) + what)
	}
	room := t.columns - columns(before("", "", "", ""))
	row(heads, "BEST", "SEEN FOR", "PLACES", "WHEN")
	for i := range found {
		p := &found[i]
		if i > 0 {
			t.line("")
		}
		row(plain(p.Name), percent(p.Best.Similarity)+" %", lasting(p.Seen), grouped(p.Places),
			"in "+count(len(p.Clips), "video", "videos"))
		for j := range p.Clips {
			c := &p.Clips[j]
			when := t.when(c.Intervals, room)
			row("  "+plain(c.Video.Name), percent(c.Best.Similarity)+" %", lasting(c.Seen), grouped(len(c.Intervals)), when[0])
			if len(c.Lookalikes) > 0 {
				when = append(when, wrap(lookalikes(c.Lookalikes), room)...)
			}
			for _, line := range when[1:] {
				row("", "", "", "", line)
			}
		}
	}
}

// failure is why a video failed.
func failure(v *Video) string {
	reason := plain(v.Err.Error())
	if len(v.Sightings) > 0 {
		reason += " (what was found until then is above)"
	}
	return reason
}

// missing are all who were found nowhere: an overview is asked for them, too.
func (t *table) missing(list []Missing) {
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].words()
	}
	t.labelled("not found: ", names)
}

// words are a missing person's name, and whom they come second to.
func (m *Missing) words() string {
	if m.Second == 0 {
		return plain(m.Name)
	}
	return fmt.Sprintf("%s (only second to %s, %s %%)", plain(m.Name), plain(m.To), percent(m.Second))
}

// labelled are items in lines that fit, beside a label.
func (t *table) labelled(label string, items []string) {
	for i, line := range wrap(items, t.columns-len(label)) {
		if i > 0 {
			label = strings.Repeat(" ", len(label))
		}
		t.line(label + line)
	}
}

// list is a line for each video, with what there is to say about it.
func (t *table) list(label string, videos []*Video, say func(*Video) string) {
	if len(videos) == 0 {
		return
	}
	t.line(label)
	for _, v := range videos {
		t.line("  " + plain(v.Name) + ": " + say(v))
	}
}
