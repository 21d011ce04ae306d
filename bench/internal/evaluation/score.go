package evaluation

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

// Outcome is one clip's score.
type Outcome struct {
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
	Missed []Moment `json:"missed,omitempty"`
	Wrong  []Moment `json:"wrong,omitempty"`
}

// Moment is somebody at a time.
type Moment struct {
	Identity   string  `json:"identity"`
	At         int     `json:"at"` // ms after the first video frame
	Similarity float64 `json:"similarity,omitempty"`
}

// Recall is the share of the points that are found.
func (o Outcome) Recall() float64 { return Share(o.Hits, o.Points) }

// Precision is the share of the scored matches that are true.
func (o Outcome) Precision() float64 { return Share(o.True, o.True+o.False) }

// Share of nothing is everything: no point was missed, no match was false.
func Share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// Match is a face that an answer names, at its best.
type Match struct {
	Name  string // of the enrolled photo or person
	At    int    // ms after the first video frame
	Score float64
}

// Score compares a document with the ground truth. Of each face only the best match at or above the threshold counts.
func Score(doc *Document, gt *Truth, threshold float64) Outcome {
	return ScoreMatches(doc.Matches(gt), gt, threshold)
}

// ScoreMatches compares what anybody's answer names with the ground truth. Matches below the threshold do not count.
func ScoreMatches(matches []Match, gt *Truth, threshold float64) Outcome {
	o := Outcome{Clip: gt.Video}
	enrolled := gt.enrolled()
	people := map[string]Identity{}
	for _, p := range gt.Identities {
		people[p.ID] = p
	}
	found := map[string][]int{}
	for _, m := range matches {
		if m.Score < threshold {
			continue
		}
		name := person(m.Name, enrolled)
		found[name] = append(found[name], m.At)
		o.judge(Moment{name, m.At, m.Score}, people)
	}
	for _, id := range enrolled {
		o.ask(id, people[id].Visible, found[id])
	}
	return o
}

func (o *Outcome) judge(m Moment, people map[string]Identity) {
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

func (o *Outcome) ask(id string, visible []Span, found []int) {
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
				o.Missed = append(o.Missed, Moment{Identity: id, At: t})
			}
		}
	}
}

func answered(found []int, t int) bool {
	i, _ := slices.BinarySearchFunc(found, t-near, cmp.Compare[int])
	return i < len(found) && found[i] <= t+near
}
