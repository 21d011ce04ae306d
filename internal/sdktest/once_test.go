package sdktest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/google/go-cmp/cmp"
)

// TestAVideoIsLookedAtOnce searches a clip, and once more after somebody was enrolled. A server looks at it once, and says what another one says
// that keeps nothing.
func TestAVideoIsLookedAtOnce(t *testing.T) {
	t.Parallel()
	w := here(t)
	said := map[string][2][]string{}
	for name, test := range map[string]struct {
		keep     string
		searches int // of which the clip is looked at
	}{"once": {"forever", 1}, "anew": {"0", 2}} {
		s := w.own(t, name, settings{"keep-analyses": test.keep})
		c := s.client(t)
		id := collection(t, c)
		enrol(t, c, id, anna, "anna")
		search := rekognition.StartFaceSearchInput{CollectionId: id, Video: film("clip.mp4")}
		first := who(searched(t, c, startSearch(t, c, search)))
		looks := looked(t, s)
		enrol(t, c, id, bea, "bea")
		second := who(searched(t, c, startSearch(t, c, search)))
		if n := looked(t, s); n != test.searches*looks || looks == 0 {
			t.Errorf("%s: %d segments were looked at, and after another search %d", name, looks, n)
		}
		if text := strings.Join(first, " "); !strings.Contains(text, "anna") || strings.Contains(text, "bea") {
			t.Errorf("%s: the first search finds %s", name, text)
		}
		if text := strings.Join(second, " "); !strings.Contains(text, "bea") {
			t.Errorf("%s: the second search finds %s", name, text)
		}
		said[name] = [2][]string{first, second}
	}
	if diff := cmp.Diff(said["anew"], said["once"]); diff != "" {
		t.Errorf("answers (-anew +once):\n%s", diff)
	}
}

// who says who is seen when and where.
func who(out *rekognition.GetFaceSearchOutput) []string {
	seen := make([]string, len(out.Persons))
	for i, p := range out.Persons {
		box := p.Person.Face.BoundingBox
		seen[i] = fmt.Sprint(p.Timestamp, " #", p.Person.Index, " ", *box.Left, " ", *box.Top)
		for _, m := range p.FaceMatches {
			seen[i] += fmt.Sprint(" ", *m.Face.ExternalImageId, " ", *m.Similarity)
		}
	}
	return seen
}

// looked is how many segments a server has looked at.
func looked(t *testing.T, s *server) (n int) {
	t.Helper()
	metrics := string(ok(get(t.Context(), s.url+"/metrics"))(t).body)
	_, line, found := strings.Cut(metrics, "\nspotter_segments_total ")
	if _, err := fmt.Sscan(line, &n); !found || err != nil {
		t.Fatalf("the segments are not counted: %v", err)
	}
	return n
}
