package sdktest_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestDeleteFaces(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	lone, owned := enrol(t, c, id, anna, ""), enrol(t, c, id, bea, "")
	user(t, c, id, "bea", owned)
	out := ok(c.DeleteFaces(t.Context(), &rekognition.DeleteFacesInput{
		CollectionId: id, FaceIds: []string{nobodysFace, lone, owned},
	}))(t)
	if !slices.Equal(out.DeletedFaces, []string{lone}) || len(out.UnsuccessfulFaceDeletions) != 2 {
		t.Fatalf("%v deleted, %d not", out.DeletedFaces, len(out.UnsuccessfulFaceDeletions))
	}
	for _, f := range out.UnsuccessfulFaceDeletions {
		switch *f.FaceId {
		case nobodysFace:
			if f.UserId != nil || !slices.Equal(f.Reasons, []types.UnsuccessfulFaceDeletionReason{"FACE_NOT_FOUND"}) {
				t.Errorf("a face that is not there is told as %v", f.Reasons)
			}
		case owned:
			if *f.UserId != "bea" || !slices.Equal(f.Reasons, []types.UnsuccessfulFaceDeletionReason{"ASSOCIATED_TO_AN_EXISTING_USER"}) {
				t.Errorf("a user's face is told as %v", f.Reasons)
			}
		}
	}
	wantFaces(t, c, id, 1)
	found := ok(c.SearchFacesByImage(t.Context(), &rekognition.SearchFacesByImageInput{CollectionId: id, Image: stored(anna)}))(t)
	if len(found.FaceMatches) != 0 {
		t.Error("a deleted face is found")
	}
}

func TestDeleteFacesRefuses(t *testing.T) {
	t.Parallel()
	c := client(t)
	_, err := c.DeleteFaces(t.Context(), &rekognition.DeleteFacesInput{CollectionId: new("nobody"), FaceIds: []string{nobodysFace}})
	refused[*types.ResourceNotFoundException](t, err, "The collection id: nobody does not exist")
	id := collection(t, c)
	_, err = c.DeleteFaces(t.Context(), &rekognition.DeleteFacesInput{CollectionId: id, FaceIds: []string{}})
	invalid(t, err, "1 validation error detected: Value '[]' at 'faceIds' failed to satisfy constraint: "+
		"Member must have length greater than or equal to 1")
	_, err = c.DeleteFaces(t.Context(), &rekognition.DeleteFacesInput{
		CollectionId: id, FaceIds: slices.Repeat([]string{nobodysFace}, 4097),
	})
	invalid(t, err, "")
}
