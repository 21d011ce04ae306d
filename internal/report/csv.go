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
//
// Rows of a video without a person say in note why there is nothing, or not all: "nobody found" where it was searched
// completely, "failed: REASON", and "not searched completely: REASON". Other rows have no note. By person the rows are
// the same, those of the person that was found best first, and those without a person last.
//
// The only errors are w's. Strangers and lookalikes are not in it: see [Table] and [HTML].
//
// A cell that a spreadsheet would take for a formula (it begins with = + - @, a tab or a carriage return) gets a
// leading apostrophe. https://owasp.org/www-community/attacks/CSV_Injection
func CSV(w io.Writer, run *Run) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{ // the writer keeps its first error
		"video", "person", "start_seconds", "end_seconds", "start", "end",
		"best_similarity", "sightings", "external_image_id", "face_id", "best_own_similarity", "note",
	})
	o := Overlook(run)
	if run.By == ByPerson {
		for i := range o.Found {
			for j := range o.Found[i].Clips {
				c := &o.Found[i].Clips[j]
				writeAppearance(out, c.Video, &c.Appearance, &run.Gallery)
			}
		}
	}
	for i := range run.Videos {
		v, s := &run.Videos[i], o.summary[i]
		if run.By == ByClip {
			for j := range s.People {
				writeAppearance(out, v, &s.People[j], &run.Gallery)
			}
		}
		if note := remark(v, s); note != "" {
			_ = out.Write([]string{0: cell(v.Name), 11: cell(note)})
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// writeAppearance writes a row for each interval.
func writeAppearance(out *csv.Writer, v *Video, a *Appearance, g *Gallery) {
	for _, interval := range a.Intervals {
		best := interval.Best
		_ = out.Write([]string{
			cell(v.Name), cell(a.Name), seconds(interval.Start), seconds(interval.End),
			stamp(interval.Start), stamp(interval.End),
			strconv.FormatFloat(float64(best.Similarity), 'f', 2, 64), strconv.Itoa(interval.Sightings),
			cell(g.Faces[best.ID].ExternalID), best.ID.String(),
			strconv.FormatFloat(float64(best.Own), 'f', 2, 64), "",
		})
	}
}

// remark is why nothing was found in a video, or maybe not all that there is; empty where neither is so.
func remark(v *Video, s *Summary) string {
	switch {
	case v.Err != nil:
		return "failed: " + v.Err.Error()
	case len(v.Partial) > 0:
		return "not searched completely: " + strings.Join(v.Partial, "; ")
	case len(s.People) == 0:
		return "nobody found"
	default:
		return ""
	}
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
