package evaluation

import (
	"encoding/json"
	"fmt"
)

// Document is the part of a GetFaceSearch answer that is scored.
type Document struct {
	JobStatus     string
	StatusMessage string
	Persons       []SeenFace
}

// SeenFace is a face at one time.
type SeenFace struct {
	Timestamp int
	Person    struct {
		Face struct {
			BoundingBox struct{ Left, Top, Width, Height float64 }
		}
	}
	FaceMatches []MatchedFace
}

// MatchedFace is an enrolled face that it resembles.
type MatchedFace struct {
	Similarity float64
	Face       struct{ ExternalImageId string } //nolint:revive // AWS's spelling
}

// ReadDocument reads the answer of a search that succeeded.
func ReadDocument(raw []byte) (*Document, error) {
	doc := &Document{}
	if err := json.Unmarshal(raw, doc); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if doc.JobStatus != "SUCCEEDED" {
		return nil, fmt.Errorf("the search ended: %s %s", doc.JobStatus, doc.StatusMessage)
	}
	return doc, nil
}

// Matches are a document's faces that resemble somebody, each with the best match only.
func (d *Document) Matches(gt *Truth) []Match {
	var out []Match
	for _, p := range d.Persons {
		if len(p.FaceMatches) == 0 {
			continue
		}
		best := p.FaceMatches[0]
		for _, m := range p.FaceMatches[1:] {
			if m.Similarity > best.Similarity {
				best = m
			}
		}
		out = append(out, Match{best.Face.ExternalImageId, p.Timestamp - gt.Offset(), best.Similarity})
	}
	return out
}
