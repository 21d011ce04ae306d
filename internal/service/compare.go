package service

import (
	"context"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
)

// DetectFaces finds the faces of a photo, largest first. None is no error.
func (s *Service) DetectFaces(ctx context.Context, image Image, attributes bool) ([]Detail, error) {
	_, faces, err := s.look(ctx, image, Wanted{Attributes: attributes})
	if err != nil {
		return nil, err
	}
	list := make([]Detail, len(faces))
	for i := range faces {
		list[i] = faces[i].Detail
	}
	return list, nil
}

// CompareFaces compares the largest face of a photo with all faces of another that pass the filter. [Invalid] if one of
// the photos has no face; and the errors of reading them.
func (s *Service) CompareFaces(
	ctx context.Context, source, target Image, threshold *face.Similarity, q QualityFilter,
) (*Comparison, error) {
	_, from, err := s.look(ctx, source, Wanted{Probe: true})
	if err != nil {
		return nil, err
	}
	probe, _ := largest(from, q)
	if probe == nil {
		return nil, errNoFace()
	}
	_, to, err := s.look(ctx, target, Wanted{Probe: true})
	if err != nil {
		return nil, err
	}
	if len(to) == 0 {
		return nil, errNoFace()
	}
	out := &Comparison{Source: probe.Detail}
	s.compare(out, probe.Probe, to, q, Search{Threshold: threshold}.threshold())
	return out, nil
}

func errNoFace() error { return Errorf(Invalid, "Request has invalid parameters") }

func (s *Service) compare(out *Comparison, probe []float32, to []PhotoFace, q QualityFilter, least face.Similarity) {
	if q == "" {
		q = QualityNone
	}
	bar, i := q.bar(), s.ports.Model.Cohort.Impostors(probe)
	for k := range to {
		if len(bar.reasons(&to[k])) > 0 {
			continue // as AWS does, faces that do not pass are in neither list
		}
		similarity := face.Similarity(0)
		if to[k].Probe != nil {
			similarity = s.similarity(face.Score(face.Dot(probe, to[k].Probe)), i)
		}
		if similarity < least {
			out.Unmatched = append(out.Unmatched, to[k].Detail)
			continue
		}
		out.Matches = append(out.Matches, ComparedFace{Detail: to[k].Detail, Similarity: similarity})
	}
	slices.SortStableFunc(out.Matches, func(a, b ComparedFace) int {
		switch {
		case a.Similarity > b.Similarity:
			return -1
		case a.Similarity < b.Similarity:
			return 1
		default:
			return 0
		}
	})
}
