package sdktest_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestListFaces(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	empty := ok(c.ListFaces(t.Context(), &rekognition.ListFacesInput{CollectionId: id}))(t)
	if empty.Faces == nil || len(empty.Faces) != 0 || empty.NextToken != nil || *empty.FaceModelVersion == "" {
		t.Errorf("no faces are listed as %+v", empty)
	}
	var want []string
	for _, photo := range []string{anna, bea, cleo, dora, eve} {
		want = append(want, enrol(t, c, id, photo, "name"))
	}
	slices.Sort(want)
	var listed []string
	pages := rekognition.NewListFacesPaginator(c, &rekognition.ListFacesInput{CollectionId: id, MaxResults: new(int32(2))})
	for pages.HasMorePages() {
		page := ok(pages.NextPage(t.Context()))(t)
		if len(page.Faces) > 2 {
			t.Errorf("a page of %d faces", len(page.Faces))
		}
		for _, f := range page.Faces {
			if f.ImageId == nil || f.BoundingBox == nil || f.Confidence == nil || *f.ExternalImageId != "name" {
				t.Errorf("a face is listed as %+v", f)
			}
			listed = append(listed, *f.FaceId)
		}
	}
	if !slices.Equal(listed, want) {
		t.Errorf("listed %v, want %v", listed, want)
	}
	some := ok(c.ListFaces(t.Context(), &rekognition.ListFacesInput{
		CollectionId: id, FaceIds: []string{want[3], want[1], nobodysFace},
	}))(t)
	if len(some.Faces) != 2 || *some.Faces[0].FaceId != want[1] || *some.Faces[1].FaceId != want[3] {
		t.Errorf("of three ids %d are listed", len(some.Faces))
	}
}

// nobodysFace is an id that no face has.
const nobodysFace = "00000000-0000-0000-0000-000000000000"

func TestListFacesOfAUser(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	face := enrol(t, c, id, anna, "")
	enrol(t, c, id, bea, "")
	user(t, c, id, "anna", face)
	out := ok(c.ListFaces(t.Context(), &rekognition.ListFacesInput{CollectionId: id, UserId: new("anna")}))(t)
	if len(out.Faces) != 1 || *out.Faces[0].FaceId != face || *out.Faces[0].UserId != "anna" {
		t.Errorf("%d faces are listed", len(out.Faces))
	}
	_, err := c.ListFaces(t.Context(), &rekognition.ListFacesInput{CollectionId: id, UserId: new("nobody")})
	refused[*types.ResourceNotFoundException](t, err, "The user id: nobody does not exist")
}

func TestListFacesRefuses(t *testing.T) {
	t.Parallel()
	c := client(t)
	id, other := collection(t, c), collection(t, c)
	enrol(t, c, id, anna, "")
	enrol(t, c, id, bea, "")
	_, err := c.ListFaces(t.Context(), &rekognition.ListFacesInput{CollectionId: new("nobody")})
	refused[*types.ResourceNotFoundException](t, err, "The collection id: nobody does not exist")
	page := ok(c.ListFaces(t.Context(), &rekognition.ListFacesInput{CollectionId: id, MaxResults: new(int32(1))}))(t)
	_, err = c.ListFaces(t.Context(), &rekognition.ListFacesInput{CollectionId: other, NextToken: page.NextToken})
	refused[*types.InvalidPaginationTokenException](t, err, "Invalid Pagination Token")
	_, err = c.ListFaces(t.Context(), &rekognition.ListFacesInput{CollectionId: id, MaxResults: new(int32(-1))})
	invalid(t, err, "1 validation error detected: Value '-1' at 'maxResults' failed to satisfy constraint: "+
		"Member must have value greater than or equal to 0")
	_, err = c.ListFaces(t.Context(), &rekognition.ListFacesInput{CollectionId: id, FaceIds: []string{"no id"}})
	invalid(t, err, "")
}
