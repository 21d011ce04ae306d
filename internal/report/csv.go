package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// CSV writes a header and one row for each interval of each found person, for spreadsheets and scripts (RFC 4180, UTF-8,
// lines end in \n). best_similarity, external_image_id and face_id are of the interval's best match;
// best_own_similarity is what the face has by itself, where the match is inherited from another sighting of the person.
// The only errors are w's. Strangers, lookalikes and the reasons of failed videos are not in it: see [Table] and [HTML].
//
// A cell that a spreadsheet would take for a formula (it begins with = + - @, a tab or a carriage return) gets a
// leading apostrophe. https://owasp.org/www-community/attacks/CSV_Injection
func CSV(w io.Writer, run *Run) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{ // the writer keeps its first error
		"video", "person", "start_seconds", "end_seconds", "start", "end",
		"best_similarity", "sightings", "external_image_id", "face_id", "best_own_similarity",
	})
	for i := range run.Videos {
		v := &run.Videos[i]
		for _, a := range Summarise(v, &run.Gallery, run.SampleRate).People {
			for _, interval := range a.Intervals {
				best := interval.Best
				_ = out.Write([]string{
					cell(v.Name), cell(a.Name), seconds(interval.Start), seconds(interval.End),
					stamp(interval.Start), stamp(interval.End),
					strconv.FormatFloat(float64(best.Similarity), 'f', 2, 64), strconv.Itoa(interval.Sightings),
					cell(run.Gallery.Faces[best.ID].ExternalID), best.ID.String(),
					strconv.FormatFloat(float64(best.Own), 'f', 2, 64),
				})
			}
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// cell is text that neither a terminal nor a spreadsheet obeys.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		s = "'" + s
	}
	return plain(s)
}

func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Round(time.Millisecond).Seconds(), 'f', 3, 64)
}
