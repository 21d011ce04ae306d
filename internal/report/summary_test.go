package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
)

func TestSummariseMergesShortGaps(t *testing.T) {
	t.Parallel()
	g := gallery(t, "Anna")
	at := func(times ...int) *Video {
		v := &Video{}
		for _, n := range times {
			v.Sightings = append(v.Sightings, face.Sighting{Time: ms(n), Matches: []face.Match{match(1, 90)}})
		}
		return v
	}
	for _, tc := range []struct {
		name string
		rate float64
		v    *Video
		want []string
	}{
		{"one sighting", 5, at(3000), []string{"0:03.0"}},
		{"a gap of exactly a second", 5, at(0, 1000), []string{"0:00.0-0:01.0"}},
		{"a gap of more than a second", 5, at(0, 1001), []string{"0:00.0", "0:01.0"}},
		{"three slow samples", 1, at(0, 3000), []string{"0:00.0-0:03.0"}},
		{"more than three slow samples", 1, at(0, 3001), []string{"0:00.0", "0:03.0"}},
		{"unknown rate", 0, at(0, 3000, 6001), []string{"0:00.0-0:03.0", "0:06.0"}},
	} {
		var got []string
		for _, i := range Summarise(tc.v, &g, tc.rate).People[0].Intervals {
			got = append(got, span(i, "-"))
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func TestSummariseTellsWhoIsWho(t *testing.T) {
	t.Parallel()
	run := office(t)
	got := Summarise(&run.Videos[0], &run.Gallery, run.SampleRate)
	want := Summary{
		People: []Appearance{
			{
				Name: "Anna", Best: match(1, 99.21), Person: 0, Sightings: 114,
				Intervals: []Interval{
					{Start: ms(3200), End: ms(7000), Sightings: 20, Best: match(1, 98.44)},
					{Start: ms(12_400), End: ms(31_000), Sightings: 94, Best: match(1, 99.21)},
				},
				Seen:       ms(3800 + 18_600),
				Lookalikes: []Lookalike{{"Bob", 81.2}},
			},
			{
				Name: "山田花子", Best: inherited(3, 93, 61.5), Person: 2, Sightings: 12,
				Intervals: []Interval{
					{Start: ms(9000), End: ms(9000), Sightings: 1, Best: match(3, 84.5)},
					{Start: ms(61_000), End: ms(63_000), Sightings: 11, Best: inherited(3, 93, 61.5)},
				},
				Seen: ms(200 + 2000), // a single look stands for the time to the next
			},
		},
		Strangers: []Stranger{
			{Person: 1, Number: 1, Sightings: 3, Intervals: []Interval{{Start: ms(4000), End: ms(4400), Sightings: 3}}, Seen: ms(400)},
			{Person: 3, Number: 2, Sightings: 61, Intervals: []Interval{{Start: ms(30_000), End: ms(42_000), Sightings: 61}}, Seen: ms(12_000)},
		},
		Absent: []string{"Dora"}, // and not Bob, whom a face resembles
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSummariseCountsAPersonWithAnyMatchAsKnown(t *testing.T) {
	t.Parallel()
	g := gallery(t, "Anna")
	v := &Video{Sightings: append(seen(4, 0, 400), seen(4, 600, 1000, match(1, 85))...)}
	got := Summarise(v, &g, 5)
	if len(got.Strangers) != 0 || len(got.People) != 1 || got.People[0].Sightings != 3 {
		t.Errorf("%+v", got)
	}
}

func TestSummariseNamesFacesThatHaveNoName(t *testing.T) {
	t.Parallel()
	g := Gallery{Faces: map[face.ID]face.Enrolled{id(1): {ID: id(1), ExternalID: "ANNA.7"}}}
	v := &Video{Sightings: append(seen(0, 0, 0, match(1, 90)), seen(1, 5000, 5000, match(2, 90))...)}
	got := Summarise(v, &g, 5)
	if got.People[0].Name != "ANNA.7" || got.People[1].Name != id(2).String() {
		t.Errorf("%+v", got.People)
	}
}

// TestSummaryAccountsForEverySighting holds the arithmetic of any summary.
func TestSummaryAccountsForEverySighting(t *testing.T) {
	t.Parallel()
	g := gallery(t, "Anna", "Bob", "Carl")
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]float64{0.5, 1, 5, 25}).Draw(t, "rate")
		v := &Video{}
		now := time.Duration(0)
		for range rapid.IntRange(0, 60).Draw(t, "sightings") {
			now += ms(rapid.SampledFrom([]int{0, 40, 200, 1000, 1001, 9000}).Draw(t, "gap"))
			s := face.Sighting{Time: now, Person: rapid.IntRange(0, 4).Draw(t, "person")}
			for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(1, 3), 0, 3, rapid.ID[int]).Draw(t, "matches") {
				s.Matches = append(s.Matches, match(n, face.Similarity(95-len(s.Matches))))
			}
			v.Sightings = append(v.Sightings, s)
		}
		s := Summarise(v, &g, rate)
		gap := max(time.Second, 3*period(rate))
		total, known := 0, map[int]bool{}
		check := func(who string, sightings int, intervals []Interval, seen time.Duration) {
			sum := 0
			if least := time.Duration(len(intervals)) * period(rate); seen < least || seen > least+now {
				t.Fatalf("%s: seen for %v in %+v", who, seen, intervals)
			}
			for i, interval := range intervals {
				sum += interval.Sightings
				if interval.End < interval.Start || i > 0 && interval.Start-intervals[i-1].End <= gap {
					t.Fatalf("%s: intervals %+v", who, intervals)
				}
			}
			if sum != sightings || sum == 0 {
				t.Fatalf("%s: %d sightings in all, %d in the intervals", who, sightings, sum)
			}
			total += sum
		}
		for _, a := range s.People {
			check(a.Name, a.Sightings, a.Intervals, a.Seen)
		}
		for i, stranger := range s.Strangers {
			check(strangerName(stranger.Number), stranger.Sightings, stranger.Intervals, stranger.Seen)
			if stranger.Number != i+1 {
				t.Fatalf("the stranger after %d others has number %d", i, stranger.Number)
			}
		}
		want := 0
		for _, sighting := range v.Sightings {
			known[sighting.Person] = known[sighting.Person] || len(sighting.Matches) > 0
		}
		for _, sighting := range v.Sightings {
			if len(sighting.Matches) > 0 || !known[sighting.Person] {
				want++
			}
		}
		if total != want {
			t.Fatalf("%d sightings are accounted for, want %d", total, want)
		}
	})
}
