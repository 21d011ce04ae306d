package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// line is what [Lines] writes of a person in a video. Times are in seconds from the start of the video, similarities in percent.
type line struct {
	Clip       string         `json:"clip"`
	Track      int            `json:"track,omitempty"` // from 1; none where the file has one only
	Person     string         `json:"person"`
	Similarity float64        `json:"similarity"` // the best
	Seen       float64        `json:"seen_seconds"`
	Intervals  []lineInterval `json:"intervals"`
	// Incomplete says why there may be more: the video is not known to its end, or is damaged.
	Incomplete string `json:"incomplete,omitempty"`
}

type lineInterval struct {
	Start      float64 `json:"start_seconds"`
	End        float64 `json:"end_seconds"`
	Similarity float64 `json:"similarity"`
}

// Lines writes a JSON document for each enrolled person who is in a video, which is called clip, one a line, the best similarity first. Names are written as they
// are, but for what is not UTF-8. The only errors are w's.
func Lines(w io.Writer, clip string, v *Video, g *Gallery, sampleRate float64) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	for _, a := range byBest(Summarise(v, g, sampleRate).People) {
		l := line{Clip: clip, Track: v.Track, Person: a.Name, Similarity: hundredths(a.Best.Similarity), Seen: thousandths(a.Seen)}
		for _, i := range a.Intervals {
			l.Intervals = append(l.Intervals, lineInterval{
				Start: thousandths(i.Start), End: thousandths(i.End), Similarity: hundredths(i.Best.Similarity),
			})
		}
		if l.Incomplete = strings.Join(v.Partial, "; "); v.Err != nil {
			l.Incomplete = v.Err.Error()
		}
		if err := out.Encode(&l); err != nil {
			return fmt.Errorf("write JSON: %w", err)
		}
	}
	return nil
}

func thousandths(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }

// hundredths is rounded, as in [CSV].
func hundredths(s face.Similarity) float64 { return math.Round(float64(s)*100) / 100 }

// byBest orders by the best similarity, then by name.
func byBest(people []Appearance) []Appearance {
	slices.SortStableFunc(people, func(a, b Appearance) int {
		return cmp.Or(cmp.Compare(b.Best.Similarity, a.Best.Similarity), cmp.Compare(a.Name, b.Name))
	})
	return people
}
