package main

import (
	"cmp"
	"slices"
)

// How matches and ground truth are compared, in milliseconds; the evaluation set's own rules. Recall is asked every step
// inside a visible interval whose ends are trimmed, and a match at most near away answers. Precision allows the ends
// of an interval to be widened.
const (
	step  = 500
	trim  = 250
	near  = 400
	widen = 500
	// Intervals shorter than this are too short to be asked for.
	shortest = 500
)

// outcome is one clip's score.
type outcome struct {
	Clip string `json:"clip"`
	// Points and Hits: where a match is expected, and where one is.
	Points int `json:"points"`
	Hits   int `json:"hits"`
	// Intervals and IntervalsFound count visible intervals, and those with at least one match.
	Intervals      int `json:"intervals"`
	IntervalsFound int `json:"intervalsFound"`
	// True and False count scored matches.
	True  int `json:"true"`
	False int `json:"false"`
	// Missed and Wrong list the points without a match and the false matches, for people to look at.
	Missed []moment `json:"missed,omitempty"`
	Wrong  []moment `json:"wrong,omitempty"`
}

type moment struct {
	Identity   string  `json:"identity"`
	At         int     `json:"at"` // ms after the first video frame
	Similarity float64 `json:"similarity,omitempty"`
}

func (o outcome) recall() float64    { return share(o.Hits, o.Points) }
func (o outcome) precision() float64 { return share(o.True, o.True+o.False) }

// share of nothing is everything: no point was missed, no match was false.
func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// score compares a document with the ground truth. Of each face only the best match at or above the threshold counts.
func score(doc *document, gt *truth, threshold float64) outcome {
	o := outcome{Clip: gt.Video}
	var enrolled []string
	people := map[string]identity{}
	for _, p := range gt.Identities {
		people[p.ID] = p
		if p.Enrolled {
			enrolled = append(enrolled, p.ID)
		}
	}
	found := map[string][]int{}
	for _, m := range matches(doc, gt, enrolled, threshold) {
		found[m.Identity] = append(found[m.Identity], m.At)
		o.judge(m, people)
	}
	for _, id := range enrolled {
		o.ask(id, people[id].Visible, found[id])
	}
	return o
}

func matches(doc *document, gt *truth, enrolled []string, threshold float64) []moment {
	var out []moment
	for _, p := range doc.Persons {
		if len(p.FaceMatches) == 0 {
			continue
		}
		best := p.FaceMatches[0]
		for _, m := range p.FaceMatches[1:] {
			if m.Similarity > best.Similarity {
				best = m
			}
		}
		if best.Similarity >= threshold {
			out = append(out, moment{person(best.Face.ExternalImageId, enrolled), p.Timestamp - gt.offset(), best.Similarity})
		}
	}
	return out
}

func (o *outcome) judge(m moment, people map[string]identity) {
	p := people[m.Identity]
	switch {
	case within(m.At, p.Visible, widen):
		o.True++
	case within(m.At, p.Ignore, widen):
	default:
		o.False++
		o.Wrong = append(o.Wrong, m)
	}
}

func (o *outcome) ask(id string, visible []span, found []int) {
	slices.Sort(found)
	for _, s := range visible {
		if s[1]-s[0] >= shortest {
			o.Intervals++
			if slices.ContainsFunc(found, func(t int) bool { return s.holds(t, widen) }) {
				o.IntervalsFound++
			}
		}
		for t := s[0] + trim; t <= s[1]-trim; t += step {
			o.Points++
			if answered(found, t) {
				o.Hits++
			} else {
				o.Missed = append(o.Missed, moment{Identity: id, At: t})
			}
		}
	}
}

func answered(found []int, t int) bool {
	i, _ := slices.BinarySearchFunc(found, t-near, cmp.Compare[int])
	return i < len(found) && found[i] <= t+near
}
