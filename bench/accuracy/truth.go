package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// truth is a clip's ground truth. Its times are milliseconds after the first video frame.
type truth struct {
	Video      string     `json:"video"`
	FirstFrame *int       `json:"firstFramePtsMs"`
	Identities []identity `json:"identities"`
}

type identity struct {
	ID       string `json:"id"`
	Enrolled bool   `json:"enrolled"`
	// Visible: a match is expected. Ignore: nothing is scored. Elsewhere a match is false.
	Visible []span `json:"visible"`
	Ignore  []span `json:"ignore"`
}

// span is [from, to] in milliseconds.
type span [2]int

func (s span) holds(t, widen int) bool { return t >= s[0]-widen && t <= s[1]+widen }

func within(t int, spans []span, widen int) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return s.holds(t, widen) })
}

// document is the part of a GetFaceSearch answer that is scored.
type document struct {
	JobStatus     string
	StatusMessage string
	Persons       []seenFace
}

type seenFace struct {
	Timestamp int
	Person    struct {
		Face struct {
			BoundingBox struct{ Left, Top, Width, Height float64 }
		}
	}
	FaceMatches []matchedFace
}

type matchedFace struct {
	Similarity float64
	Face       struct{ ExternalImageId string } //nolint:revive // AWS's spelling
}

func readTruth(path string) (*truth, error) {
	raw, err := os.ReadFile(path) //nolint:gosec // named by the person who runs the measurement
	if err != nil {
		return nil, err
	}
	var t truth
	if err := json.Unmarshal(raw, &t); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return &t, nil
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

// offset is what the ground truth's clock is behind the container's, in ms.
func (t *truth) offset() int {
	if t.FirstFrame == nil {
		return 0
	}
	return *t.FirstFrame
}

// visible says whether somebody is to be seen at a time.
func (t *truth) visible(person string, at int) bool {
	return slices.ContainsFunc(t.Identities, func(p identity) bool { return p.ID == person && within(at, p.Visible, 0) })
}

// absent says whether somebody can be nowhere in the picture at a time.
func (t *truth) absent(person string, at int) bool {
	return !slices.ContainsFunc(t.Identities, func(p identity) bool {
		return p.ID == person && (within(at, p.Visible, widen) || within(at, p.Ignore, widen))
	})
}
