package sdktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestSearchFacesByImage(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	want := enrol(t, c, id, anna, "anna")
	enrol(t, c, id, dora, "")
	for name, image := range map[string]*types.Image{"bytes": sent(t, anna), "object": stored(anna)} {
		out := ok(c.SearchFacesByImage(t.Context(), &rekognition.SearchFacesByImageInput{CollectionId: id, Image: image}))(t)
		if len(out.FaceMatches) != 1 || *out.FaceMatches[0].Face.FaceId != want || *out.FaceMatches[0].Similarity < 99 ||
			out.SearchedFaceBoundingBox == nil || *out.SearchedFaceConfidence < 90 || *out.FaceModelVersion == "" {
			t.Errorf("%s: answered with %+v", name, out)
		}
	}
	nobody := ok(c.SearchFacesByImage(t.Context(), &rekognition.SearchFacesByImageInput{CollectionId: id, Image: stored(eve)}))(t)
	if nobody.FaceMatches == nil || len(nobody.FaceMatches) != 0 || nobody.SearchedFaceBoundingBox == nil {
		t.Errorf("a stranger is answered with %+v", nobody)
	}
	all := ok(c.SearchFacesByImage(t.Context(), &rekognition.SearchFacesByImageInput{
		CollectionId: id, Image: stored(eve), FaceMatchThreshold: new(float32(0)),
	}))(t)
	one := ok(c.SearchFacesByImage(t.Context(), &rekognition.SearchFacesByImageInput{
		CollectionId: id, Image: stored(eve), FaceMatchThreshold: new(float32(0)), MaxFaces: new(int32(1)),
	}))(t)
	if len(all.FaceMatches) != 2 || len(one.FaceMatches) != 1 {
		t.Errorf("without a threshold %d, and at most one is %d", len(all.FaceMatches), len(one.FaceMatches))
	}
}

func TestSearchFacesByImageRefuses(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	search := func(change func(*rekognition.SearchFacesByImageInput)) error {
		in := &rekognition.SearchFacesByImageInput{CollectionId: id, Image: stored(anna)}
		change(in)
		_, err := c.SearchFacesByImage(t.Context(), in)
		return err
	}
	const noFace = "There are no faces in the image. Should be at least 1."
	refusedForItsImage(t, func(i *types.Image) error {
		return search(func(in *rekognition.SearchFacesByImageInput) { in.Image = i })
	})
	refused[*types.InvalidParameterException](t,
		search(func(in *rekognition.SearchFacesByImageInput) { in.Image = stored("blank.jpg") }), noFace)
	refused[*types.InvalidParameterException](t, search(func(in *rekognition.SearchFacesByImageInput) {
		in.Image, in.QualityFilter = stored("small.jpg"), types.QualityFilterHigh
	}), noFace)
	refused[*types.ResourceNotFoundException](t,
		search(func(in *rekognition.SearchFacesByImageInput) { in.CollectionId = new("nobody") }),
		"The collection id: nobody does not exist")
	invalid(t, search(func(in *rekognition.SearchFacesByImageInput) { in.FaceMatchThreshold = new(float32(-1)) }), "")
	invalid(t, search(func(in *rekognition.SearchFacesByImageInput) { in.MaxFaces = new(int32(0)) }), "")
}
