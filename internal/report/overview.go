package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// Grouping is by what a report is laid out.
type Grouping int

// The groupings.
const (
	ByClip   Grouping = iota // video by video, who is in it
	ByPerson                 // person by person, in which videos they are
)

// Overview is what was found in all videos of a run, person by person.
type Overview struct {
	Found   []Person   // best similarity first, then by name
	Missing []Missing  // by name
	Failed  []*Video   // in the order of the run
	Partial []*Video   // those of the others that were not searched completely
	Nobody  []*Video   // searched completely, and nobody enrolled is in them
	summary []*Summary // of each video, in the order of the run
}

// Person is one enrolled person who was found.
type Person struct {
	Name   string
	Best   face.Match    // of all clips
	Seen   time.Duration // in all clips together
	Places int           // intervals of all clips together
	Clips  []Clip        // best similarity first, then by name
}

// Clip is a video that a person is in.
type Clip struct {
	Video *Video
	Appearance
}

// Missing is one enrolled person who was found nowhere.
type Missing struct {
	Name string
	// Second is the best match where they come second on a face of To, of the clip with this name; 0 where they never do.
	Second   face.Similarity
	To, Clip string
}

// missing are the names of those who were found nowhere.
func (o *Overview) missing() []string {
	list := make([]string, len(o.Missing))
	for i := range o.Missing {
		list[i] = o.Missing[i].Name
	}
	return list
}

// Overlook says who was found in which videos. The videos in it are those of the run.
func Overlook(run *Run) Overview {
	o := Overview{summary: make([]*Summary, len(run.Videos))}
	found := map[string]*Person{}
	second := map[string]Missing{}
	for i := range run.Videos {
		v := &run.Videos[i]
		s := Summarise(v, &run.Gallery, run.rate(v))
		o.summary[i] = &s
		for _, a := range s.People {
			entry(found, a.Name).add(Clip{Video: v, Appearance: a})
			for _, other := range a.Lookalikes {
				if m := second[other.Name]; other.Best > m.Second {
					second[other.Name] = Missing{Name: other.Name, Second: other.Best, To: a.Name, Clip: v.Name}
				}
			}
		}
		switch {
		case v.Err != nil:
			o.Failed = append(o.Failed, v)
		case len(v.Partial) > 0:
			o.Partial = append(o.Partial, v)
		case len(s.People) == 0:
			o.Nobody = append(o.Nobody, v)
		}
	}
	o.Found = inOrder(found)
	for _, name := range slices.Sorted(maps.Keys(people(&run.Gallery))) {
		if found[name] == nil {
			m := second[name]
			m.Name = name
			o.Missing = append(o.Missing, m)
		}
	}
	return o
}

func (p *Person) add(c Clip) {
	if len(p.Clips) == 0 || c.Best.Similarity > p.Best.Similarity {
		p.Name, p.Best = c.Name, c.Best
	}
	p.Seen += c.Seen
	p.Places += len(c.Intervals)
	p.Clips = append(p.Clips, c)
}

// inOrder orders people and the clips of each.
func inOrder(found map[string]*Person) []Person {
	all := values(found) // by name
	slices.SortStableFunc(all, func(a, b Person) int { return cmp.Compare(b.Best.Similarity, a.Best.Similarity) })
	for i := range all {
		slices.SortStableFunc(all[i].Clips, func(a, b Clip) int {
			return cmp.Or(cmp.Compare(b.Best.Similarity, a.Best.Similarity), cmp.Compare(a.Video.Name, b.Video.Name))
		})
	}
	return all
}

// PortraitsOfFound are those of a video's portraits that a page by person shows.
func PortraitsOfFound(v *Video, g *Gallery, sampleRate float64) map[int][]byte {
	shown := map[int][]byte{}
	for _, a := range Summarise(v, g, sampleRate).People {
		if picture := v.Portraits[a.Person]; picture != nil {
			shown[a.Person] = picture
		}
	}
	return shown
}

// oddities are the warnings and cautions of a run's videos in a sentence each, but for those that say what was not searched:
// the same one of several videos is said once.
func oddities(run *Run) []string {
	var texts []string
	videos := map[string][]string{}
	note := func(v *Video, kind string, notes []string) {
		for _, n := range notes {
			if text := kind + plain(n); !slices.Contains(v.Partial, n) {
				if videos[text] == nil {
					texts = append(texts, text)
				}
				videos[text] = append(videos[text], plain(v.Name))
			}
		}
	}
	for i := range run.Videos {
		v := &run.Videos[i]
		note(v, "warning: ", v.Warnings)
		note(v, "caution: ", v.Cautions)
	}
	const named = 3 // videos; the others are counted
	for i, text := range texts {
		in := videos[text]
		if len(in) == 1 {
			texts[i] = in[0] + ": " + text
			continue
		}
		where := strings.Join(in[:min(len(in), named)], ", ")
		if more := len(in) - named; more > 0 {
			where += " and " + grouped(more) + " more"
		}
		texts[i] = fmt.Sprintf("%s (%s: %s)", text, count(len(in), "video", "videos"), where)
	}
	return texts
}
