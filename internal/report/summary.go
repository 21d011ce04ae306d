package report

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// Summary is what was found in one video.
type Summary struct {
	People    []Appearance // by first sighting, then name
	Strangers []Stranger   // by person number
	Absent    []string     // enrolled people whom no face matches, sorted
}

// Appearance is one enrolled person in one video.
type Appearance struct {
	Name string
	// Best is the best match of all sightings, and Person the number of the person of the video that it was seen on.
	Best      face.Match
	Person    int
	Sightings int
	Intervals []Interval // ascending
	// Seen is how long the intervals last together, each at least the time from one look at the video to the next.
	Seen time.Duration
	// Lookalikes are other enrolled people whom the same sightings match too, less well. Best first.
	Lookalikes []Lookalike
}

// Lookalike is an enrolled person who comes second on someone else's face.
type Lookalike struct {
	Name string
	Best face.Similarity
}

// Stranger is a person of the video without any match.
type Stranger struct {
	Person    int // the person's number in the video
	Number    int // from 1, among the strangers of the video
	Sightings int
	Intervals []Interval
	Seen      time.Duration // as in [Appearance]
}

// Interval is a stretch of time in which a person was seen without a long gap.
type Interval struct {
	Start, End time.Duration // the first and the last sighting; equal for a single one
	Sightings  int
	Best       face.Match // zero for strangers
}

// Gaps up to this long do not end an interval: whichever is longer of three sampling periods (the tracker bridges two
// missed looks at a face, so three is the first gap that means something) and one second (a turned head or a hand
// before the face, which a viewer would not call leaving).
const (
	gapPeriods = 3
	gapTime    = time.Second
)

// Summarise says who was seen in a video, and when. sampleRate is in frames a second.
func Summarise(v *Video, g *Gallery, sampleRate float64) Summary {
	sample := period(sampleRate)
	gap := max(gapTime, gapPeriods*sample)
	people := map[string]*appearance{}
	strangers := map[int]*Stranger{}
	numbers := strangerNumbers(v.Sightings)
	for i := range v.Sightings {
		s := &v.Sightings[i]
		if len(s.Matches) > 0 {
			entry(people, g.name(s.Matches[0].ID)).add(s, g, gap)
		} else if number := numbers[s.Person]; number > 0 {
			stranger := entry(strangers, s.Person)
			stranger.Person, stranger.Number = s.Person, number
			stranger.Sightings++
			stranger.Intervals = extend(stranger.Intervals, s, gap)
		}
	}
	for _, a := range people {
		a.Seen = seenFor(a.Intervals, sample)
	}
	for _, s := range strangers {
		s.Seen = seenFor(s.Intervals, sample)
	}
	return Summary{People: appearances(people), Strangers: values(strangers), Absent: absent(people, g)}
}

// strangerNumbers numbers the persons of a video without any match from 1, in the order of their numbers as persons.
func strangerNumbers(sightings []face.Sighting) map[int]int {
	known := map[int]bool{}
	for i := range sightings {
		known[sightings[i].Person] = known[sightings[i].Person] || len(sightings[i].Matches) > 0
	}
	maps.DeleteFunc(known, func(_ int, matched bool) bool { return matched })
	numbers := make(map[int]int, len(known))
	for i, person := range slices.Sorted(maps.Keys(known)) {
		numbers[person] = i + 1
	}
	return numbers
}

// seenFor is how long intervals last together: each as long as a look at the video stands for, at least.
func seenFor(intervals []Interval, sample time.Duration) (sum time.Duration) {
	for _, i := range intervals {
		sum += max(i.End-i.Start, sample)
	}
	return sum
}

// appearance is an [Appearance] in the making.
type appearance struct {
	Appearance
	lookalikes map[string]face.Similarity
}

func (a *appearance) add(s *face.Sighting, g *Gallery, gap time.Duration) {
	a.Name = g.name(s.Matches[0].ID)
	a.Sightings++
	a.Intervals = extend(a.Intervals, s, gap)
	if s.Matches[0].Similarity > a.Best.Similarity || a.Sightings == 1 {
		a.Best, a.Person = s.Matches[0], s.Person
	}
	for _, m := range s.Matches[1:] {
		name := g.name(m.ID)
		if name == a.Name {
			continue
		}
		if a.lookalikes == nil {
			a.lookalikes = map[string]face.Similarity{}
		}
		a.lookalikes[name] = max(a.lookalikes[name], m.Similarity)
	}
}

func appearances(people map[string]*appearance) []Appearance {
	out := make([]Appearance, 0, len(people))
	for _, a := range people {
		for name, best := range a.lookalikes {
			a.Lookalikes = append(a.Lookalikes, Lookalike{name, best})
		}
		slices.SortFunc(a.Lookalikes, func(x, y Lookalike) int {
			return cmp.Or(cmp.Compare(y.Best, x.Best), cmp.Compare(x.Name, y.Name))
		})
		out = append(out, a.Appearance)
	}
	slices.SortFunc(out, func(x, y Appearance) int {
		return cmp.Or(cmp.Compare(x.Intervals[0].Start, y.Intervals[0].Start), cmp.Compare(x.Name, y.Name))
	})
	return out
}

// absent are the enrolled people whom nothing matches, not even second to somebody else.
func absent(people map[string]*appearance, g *Gallery) []string {
	missing := map[string]bool{}
	for id := range g.Faces {
		missing[g.name(id)] = true
	}
	for id := range g.Person {
		missing[g.name(id)] = true
	}
	for name, a := range people {
		delete(missing, name)
		for other := range a.lookalikes {
			delete(missing, other)
		}
	}
	return slices.Sorted(maps.Keys(missing))
}

// extend adds a sighting to the last interval, or begins a new one after a gap.
func extend(intervals []Interval, s *face.Sighting, gap time.Duration) []Interval {
	if n := len(intervals); n == 0 || s.Time-intervals[n-1].End > gap {
		intervals = append(intervals, Interval{Start: s.Time, End: s.Time})
	}
	last := &intervals[len(intervals)-1]
	last.End = max(last.End, s.Time)
	last.Sightings++
	if len(s.Matches) > 0 && s.Matches[0].Similarity > last.Best.Similarity {
		last.Best = s.Matches[0]
	}
	return intervals
}

// period is the time from one look at the video to the next; a second where the rate is unknown.
func period(sampleRate float64) time.Duration {
	if !(sampleRate > 0) {
		return time.Second
	}
	return time.Duration(float64(time.Second) / sampleRate)
}

// entry is the map's value for a key, made where it is missing.
func entry[K comparable, V any](m map[K]*V, key K) *V {
	v := m[key]
	if v == nil {
		v = new(V)
		m[key] = v
	}
	return v
}

// values are a map's values in the order of its keys.
func values[K cmp.Ordered, V any](m map[K]*V) []V {
	out := make([]V, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		out = append(out, *m[key])
	}
	return out
}
