package sdktest_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestSearchUsersByImage(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	user(t, c, id, "anna", enrol(t, c, id, anna, ""))
	user(t, c, id, "dora", enrol(t, c, id, dora, ""))
	out := ok(c.SearchUsersByImage(t.Context(), &rekognition.SearchUsersByImageInput{CollectionId: id, Image: sent(t, anna)}))(t)
	wantUsers(t, out.UserMatches, "anna")
	if out.SearchedFace == nil || out.UnsearchedFaces == nil || *out.FaceModelVersion == "" {
		t.Fatalf("answered with %+v", out)
	}
	wantDefaultAttributes(t, out.SearchedFace.FaceDetail)
	all := ok(c.SearchUsersByImage(t.Context(), &rekognition.SearchUsersByImageInput{
		CollectionId: id, Image: stored(anna), UserMatchThreshold: new(float32(0)), MaxUsers: new(int32(1)),
	}))(t)
	wantUsers(t, all.UserMatches, "anna")
}

func TestSearchUsersByImageTellsOfOtherFaces(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	group := ok(c.SearchUsersByImage(t.Context(), &rekognition.SearchUsersByImageInput{CollectionId: id, Image: stored("group.png")}))(t)
	if group.SearchedFace == nil || len(group.UnsearchedFaces) < 3 {
		t.Fatalf("in a group %d faces are not searched for", len(group.UnsearchedFaces))
	}
	for _, f := range group.UnsearchedFaces {
		if !slices.Contains(f.Reasons, types.UnsearchedFaceReasonFaceNotLargest) || f.FaceDetails.BoundingBox == nil {
			t.Errorf("a face is not searched for because of %v", f.Reasons)
		}
	}
	small := ok(c.SearchUsersByImage(t.Context(), &rekognition.SearchUsersByImageInput{
		CollectionId: id, Image: stored("small.jpg"), QualityFilter: types.QualityFilterHigh,
	}))(t)
	if small.SearchedFace != nil || small.UserMatches == nil || len(small.UserMatches) != 0 || len(small.UnsearchedFaces) == 0 ||
		!slices.Contains(small.UnsearchedFaces[0].Reasons, types.UnsearchedFaceReasonSmallBoundingBox) {
		t.Errorf("a photo whose faces do not pass is answered with %+v", small)
	}
}

func TestSearchUsersByImageRefuses(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	refusedForItsImage(t, func(i *types.Image) error {
		_, err := c.SearchUsersByImage(t.Context(), &rekognition.SearchUsersByImageInput{CollectionId: id, Image: i})
		return err
	})
	_, err := c.SearchUsersByImage(t.Context(), &rekognition.SearchUsersByImageInput{CollectionId: new("nobody"), Image: stored(anna)})
	refused[*types.ResourceNotFoundException](t, err, "The collection id: nobody does not exist")
	_, err = c.SearchUsersByImage(t.Context(), &rekognition.SearchUsersByImageInput{
		CollectionId: id, Image: stored(anna), MaxUsers: new(int32(0)),
	})
	invalid(t, err, "")
}
