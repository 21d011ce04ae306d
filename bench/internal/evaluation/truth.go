package evaluation

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Truth is a clip's ground truth. Its times are milliseconds after the first video frame.
type Truth struct {
	Video      string     `json:"video"`
	FirstFrame *int       `json:"firstFramePtsMs"`
	Identities []Identity `json:"identities"`
}

// Identity is somebody who is in a clip or could be.
type Identity struct {
	ID       string `json:"id"`
	Enrolled bool   `json:"enrolled"`
	// Visible: a match is expected. Ignore: nothing is scored. Elsewhere a match is false.
	Visible []Span `json:"visible"`
	Ignore  []Span `json:"ignore"`
}

// Span is [from, to] in milliseconds.
type Span [2]int

func (s Span) holds(t, widen int) bool { return t >= s[0]-widen && t <= s[1]+widen }

func within(t int, spans []Span, widen int) bool {
	return slices.ContainsFunc(spans, func(s Span) bool { return s.holds(t, widen) })
}

// ReadTruth reads a clip's ground truth.
func ReadTruth(path string) (*Truth, error) {
	raw, err := os.ReadFile(path) //nolint:gosec // named by the person who runs the measurement
	if err != nil {
		return nil, err
	}
	var t Truth
	if err := json.Unmarshal(raw, &t); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return &t, nil
}

// Offset is what the ground truth's clock is behind the container's, in ms.
func (t *Truth) Offset() int {
	if t.FirstFrame == nil {
		return 0
	}
	return *t.FirstFrame
}

// Visible says whether somebody is to be seen at a time.
func (t *Truth) Visible(person string, at int) bool {
	return slices.ContainsFunc(t.Identities, func(p Identity) bool { return p.ID == person && within(at, p.Visible, 0) })
}

// Absent says whether somebody can be nowhere in the picture at a time.
func (t *Truth) Absent(person string, at int) bool {
	return !slices.ContainsFunc(t.Identities, func(p Identity) bool {
		return p.ID == person && (within(at, p.Visible, widen) || within(at, p.Ignore, widen))
	})
}

// enrolled are the ids of those who are searched for.
func (t *Truth) enrolled() []string {
	var ids []string
	for _, p := range t.Identities {
		if p.Enrolled {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// person is the identity that an external id names: the longest one that it starts with, up to a separator.
func person(external string, ids []string) string {
	best := ""
	for _, id := range ids {
		rest, ok := strings.CutPrefix(external, id)
		if ok && len(id) > len(best) && (rest == "" || strings.ContainsAny(rest[:1], "./-_")) {
			best = id
		}
	}
	if best == "" {
		return external
	}
	return best
}
