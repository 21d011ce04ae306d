package sdktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestSearchFaces(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	probe := enrol(t, c, id, anna, "one")
	twin := enrol(t, c, id, anna, "two")
	enrol(t, c, id, dora, "dora")
	out := ok(c.SearchFaces(t.Context(), &rekognition.SearchFacesInput{CollectionId: id, FaceId: &probe}))(t)
	if *out.SearchedFaceId != probe || len(out.FaceMatches) != 1 || *out.FaceModelVersion == "" {
		t.Fatalf("%d matches", len(out.FaceMatches))
	}
	m := out.FaceMatches[0]
	if *m.Face.FaceId != twin || *m.Similarity < 99 || *m.Face.ExternalImageId != "two" || m.Face.BoundingBox == nil {
		t.Errorf("matched %+v with %v", m.Face, *m.Similarity)
	}
	all := ok(c.SearchFaces(t.Context(), &rekognition.SearchFacesInput{
		CollectionId: id, FaceId: &probe, FaceMatchThreshold: new(float32(0)),
	}))(t)
	if len(all.FaceMatches) != 2 || *all.FaceMatches[0].Similarity < *all.FaceMatches[1].Similarity {
		t.Errorf("without a threshold %d matches", len(all.FaceMatches))
	}
	one := ok(c.SearchFaces(t.Context(), &rekognition.SearchFacesInput{
		CollectionId: id, FaceId: &probe, FaceMatchThreshold: new(float32(0)), MaxFaces: new(int32(1)),
	}))(t)
	if len(one.FaceMatches) != 1 || *one.FaceMatches[0].Face.FaceId != twin {
		t.Errorf("at most one is %d", len(one.FaceMatches))
	}
}

func TestSearchFacesRefuses(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	search := func(change func(*rekognition.SearchFacesInput)) error {
		in := &rekognition.SearchFacesInput{CollectionId: id, FaceId: new(nobodysFace)}
		change(in)
		_, err := c.SearchFaces(t.Context(), in)
		return err
	}
	refused[*types.InvalidParameterException](t, search(func(*rekognition.SearchFacesInput) {}),
		"faceId was not found in the collection.")
	refused[*types.ResourceNotFoundException](t, search(func(in *rekognition.SearchFacesInput) { in.CollectionId = new("nobody") }),
		"The collection id: nobody does not exist")
	invalid(t, search(func(in *rekognition.SearchFacesInput) { in.FaceMatchThreshold = new(float32(100.5)) }),
		"1 validation error detected: Value '100.5' at 'faceMatchThreshold' failed to satisfy constraint: "+
			"Member must have value less than or equal to 100")
	invalid(t, search(func(in *rekognition.SearchFacesInput) { in.MaxFaces = new(int32(4097)) }), "")
	invalid(t, search(func(in *rekognition.SearchFacesInput) { in.FaceId = new("00000000") }), "")
}
