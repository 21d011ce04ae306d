package report

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
)

func TestOverlookTellsWhoIsWhere(t *testing.T) {
	t.Parallel()
	o := Overlook(archive(t))
	var got []string
	for _, p := range o.Found {
		got = append(got, fmt.Sprintf("%s %v %v %d", p.Name, p.Best.Similarity, p.Seen, p.Places))
		for _, c := range p.Clips {
			got = append(got, fmt.Sprintf("  %s %v %v", c.Video.Name, c.Best.Similarity, c.Seen))
		}
	}
	want := []string{
		"Anna 99.21 9.6s 5", // 0.6 + 3.8 + 0.2 + 3 + 2
		"  a/party.mp4 99.21 600ms", "  c/party.mp4 99.21 3.8s", "  b/street #1.mp4 91.5 3.2s", "  broken.mov 88 2s",
		"山田花子 95 3.8s 2",
		"  b/street #1.mp4 95 3.4s", "  b/half.mkv 84 400ms",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if m := o.Missing; len(m) != 16 || m[0] != (Missing{"Bob", 81.2, "Anna", "c/party.mp4"}) || m[15] != (Missing{Name: "Nobody O."}) {
		t.Errorf("missing are %+v", m)
	}
	for what, list := range map[string][]*Video{
		"[broken.mov letter.pdf]": o.Failed, "[b/half.mkv]": o.Partial, "[b/empty.mp4]": o.Nobody,
	} {
		var names []string
		for _, v := range list {
			names = append(names, v.Name)
		}
		if fmt.Sprint(names) != what {
			t.Errorf("%v, want %s", names, what)
		}
	}
}

func TestPortraitsOfFound(t *testing.T) {
	t.Parallel()
	run := archive(t)
	v := &run.Videos[0]
	got := PortraitsOfFound(v, &run.Gallery, run.SampleRate)
	if want := map[int][]byte{0: v.Portraits[0]}; !cmp.Equal(got, want) {
		t.Errorf("portraits of %d persons, want Anna's alone", len(got))
	}
	v.Portraits = nil
	if got := PortraitsOfFound(v, &run.Gallery, run.SampleRate); len(got) != 0 {
		t.Errorf("%d portraits of none", len(got))
	}
}

// TestOverviewAccountsForEverybody holds what is true of any run: it says the same as the summaries of its videos do.
func TestOverviewAccountsForEverybody(t *testing.T) {
	t.Parallel()
	names := []string{"Anna", "Bob", "Carl", "Dora"}
	g := gallery(t, names...)
	rapid.Check(t, func(t *rapid.T) {
		run := &Run{Gallery: g, SampleRate: 5}
		for i := range rapid.IntRange(0, 8).Draw(t, "videos") {
			v := Video{Name: fmt.Sprint("clip ", i/2)}
			for range rapid.IntRange(0, 5).Draw(t, "sightings") {
				s := face.Sighting{Time: ms(rapid.IntRange(0, 9000).Draw(t, "time")), Person: rapid.IntRange(0, 2).Draw(t, "person")}
				for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(1, 4), 0, 2, rapid.ID[int]).Draw(t, "matches") {
					s.Matches = append(s.Matches, match(n, face.Similarity(rapid.IntRange(80, 84).Draw(t, "similarity"))))
				}
				v.Sightings = append(v.Sightings, s)
			}
			slices.SortFunc(v.Sightings, func(a, b face.Sighting) int { return int(a.Time - b.Time) })
			run.Videos = append(run.Videos, v)
		}
		o := Overlook(run)
		var want, got []string
		for i := range run.Videos {
			for _, a := range Summarise(&run.Videos[i], &g, 5).People {
				want = append(want, fmt.Sprintf("%p %+v", &run.Videos[i], a))
			}
		}
		everybody := []string{}
		for i, p := range o.Found {
			everybody = append(everybody, p.Name)
			if i > 0 && !(o.Found[i-1].Best.Similarity > p.Best.Similarity ||
				o.Found[i-1].Best.Similarity == p.Best.Similarity && o.Found[i-1].Name < p.Name) {
				t.Fatalf("%s comes before %s", o.Found[i-1].Name, p.Name)
			}
			var seen time.Duration
			for j, c := range p.Clips {
				got = append(got, fmt.Sprintf("%p %+v", c.Video, c.Appearance))
				seen += c.Seen
				if c.Best.Similarity > p.Best.Similarity || j > 0 && p.Clips[j-1].Best.Similarity < c.Best.Similarity {
					t.Fatalf("clips of %s: %+v", p.Name, p.Clips)
				}
			}
			if seen != p.Seen {
				t.Fatalf("%s is seen for %v, in the clips for %v", p.Name, p.Seen, seen)
			}
		}
		for _, m := range o.Missing {
			everybody = append(everybody, m.Name)
		}
		slices.Sort(want)
		slices.Sort(got)
		slices.Sort(everybody)
		if !slices.Equal(want, got) || !slices.Equal(everybody, names) {
			t.Fatalf("found %q, want %q; everybody: %q", got, want, everybody)
		}
	})
}
