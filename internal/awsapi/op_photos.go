package awsapi

import (
	"context"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/service"
)

func detectFaces(ctx context.Context, s Service, c call, in *model.DetectFacesRequest) (*model.DetectFacesResponse, error) {
	photo, err := image("image", in.Image)
	if err != nil {
		return nil, err
	}
	want := traits{asked: in.Attributes, neutral: c.neutral}
	found, err := s.DetectFaces(ctx, photo, want.any())
	if err != nil {
		return nil, err
	}
	out := &model.DetectFacesResponse{FaceDetails: make([]model.FaceDetail, len(found))}
	for i := range found {
		out.FaceDetails[i] = *want.detail(&found[i])
	}
	return out, nil
}

func compareFaces(
	ctx context.Context, s Service, _ call, in *model.CompareFacesRequest,
) (*model.CompareFacesResponse, error) {
	source, err := image("sourceImage", in.SourceImage)
	if err != nil {
		return nil, err
	}
	target, err := image("targetImage", in.TargetImage)
	if err != nil {
		return nil, err
	}
	found, err := s.CompareFaces(ctx, source, target, threshold(in.SimilarityThreshold), service.QualityFilter(in.QualityFilter))
	if err != nil {
		return nil, err
	}
	out := &model.CompareFacesResponse{
		SourceImageFace: &model.ComparedSourceImageFace{
			BoundingBox: boundingBox(found.Source.Box), Confidence: new(percent(found.Source.Confidence)),
		},
		FaceMatches:    make([]model.CompareFacesMatch, len(found.Matches)),
		UnmatchedFaces: make([]model.ComparedFace, len(found.Unmatched)),
	}
	for i := range found.Matches {
		m := &found.Matches[i]
		out.FaceMatches[i] = model.CompareFacesMatch{
			Similarity: new(percent(float32(m.Similarity))), Face: comparedFace(&m.Detail),
		}
	}
	for i := range found.Unmatched {
		out.UnmatchedFaces[i] = *comparedFace(&found.Unmatched[i])
	}
	return out, nil
}

// comparedFace is a face detail under another name. Attributes are not asked for, so it has none.
func comparedFace(d *service.Detail) *model.ComparedFace {
	f := faceDetail(&d.Detection)
	return &model.ComparedFace{
		BoundingBox: f.BoundingBox, Confidence: f.Confidence, Landmarks: f.Landmarks, Pose: f.Pose, Quality: f.Quality,
	}
}
