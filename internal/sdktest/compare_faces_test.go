package sdktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestCompareFaces(t *testing.T) {
	t.Parallel()
	c := client(t)
	out := ok(c.CompareFaces(t.Context(), &rekognition.CompareFacesInput{SourceImage: sent(t, anna), TargetImage: stored("group.png")}))(t)
	if len(out.FaceMatches) != 1 || len(out.UnmatchedFaces) < 3 || out.SourceImageFace.BoundingBox == nil ||
		*out.SourceImageFace.Confidence < 90 || out.SourceImageOrientationCorrection != "" {
		t.Fatalf("%d matches, %d others", len(out.FaceMatches), len(out.UnmatchedFaces))
	}
	m := out.FaceMatches[0]
	// ANNA is at the left of the photo.
	if *m.Similarity < 90 || *m.Face.BoundingBox.Left > 0.4 || len(m.Face.Landmarks) != 5 || m.Face.Pose == nil || m.Face.Quality == nil {
		t.Errorf("matched %+v with %v", m.Face, *m.Similarity)
	}
	all := ok(c.CompareFaces(t.Context(), &rekognition.CompareFacesInput{
		SourceImage: sent(t, anna), TargetImage: stored("group.png"), SimilarityThreshold: new(float32(0)),
	}))(t)
	if len(all.FaceMatches) != len(out.FaceMatches)+len(out.UnmatchedFaces) || len(all.UnmatchedFaces) != 0 ||
		all.UnmatchedFaces == nil || *all.FaceMatches[0].Similarity != *m.Similarity {
		t.Errorf("without a threshold %d matches, %d others", len(all.FaceMatches), len(all.UnmatchedFaces))
	}
	for i, m := range all.FaceMatches[1:] {
		if *m.Similarity > *all.FaceMatches[i].Similarity {
			t.Error("the most similar face is not the first")
		}
	}
}

func TestCompareFacesFilters(t *testing.T) {
	t.Parallel()
	c := client(t)
	out := ok(c.CompareFaces(t.Context(), &rekognition.CompareFacesInput{
		SourceImage: stored(anna), TargetImage: stored("small.jpg"), QualityFilter: types.QualityFilterHigh,
	}))(t)
	if len(out.FaceMatches)+len(out.UnmatchedFaces) != 0 {
		t.Errorf("a face that does not pass the filter is among the %d matches and %d others",
			len(out.FaceMatches), len(out.UnmatchedFaces))
	}
}

func TestCompareFacesRefuses(t *testing.T) {
	t.Parallel()
	c := client(t)
	compare := func(source, target *types.Image) error {
		_, err := c.CompareFaces(t.Context(), &rekognition.CompareFacesInput{SourceImage: source, TargetImage: target})
		return err
	}
	refusedForItsImage(t, func(i *types.Image) error { return compare(i, stored(anna)) })
	refusedForItsImage(t, func(i *types.Image) error { return compare(stored(anna), i) })
	const noFace = "Request has invalid parameters"
	refused[*types.InvalidParameterException](t, compare(stored("blank.jpg"), stored(anna)), noFace)
	refused[*types.InvalidParameterException](t, compare(stored(anna), stored("blank.jpg")), noFace)
	_, err := c.CompareFaces(t.Context(), &rekognition.CompareFacesInput{
		SourceImage: stored(anna), TargetImage: stored(anna), SimilarityThreshold: new(float32(101)),
	})
	invalid(t, err, "1 validation error detected: Value '101.0' at 'similarityThreshold' failed to satisfy constraint: "+
		"Member must have value less than or equal to 100")
}
