package sdktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestDeleteCollection(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	enrol(t, c, id, anna, "")
	ok(c.CreateUser(t.Context(), &rekognition.CreateUserInput{CollectionId: id, UserId: new("anna")}))(t)
	out := ok(c.DeleteCollection(t.Context(), &rekognition.DeleteCollectionInput{CollectionId: id}))(t)
	if *out.StatusCode != 200 {
		t.Errorf("answered with %d", *out.StatusCode)
	}
	_, err := c.DeleteCollection(t.Context(), &rekognition.DeleteCollectionInput{CollectionId: id})
	refused[*types.ResourceNotFoundException](t, err, "The collection id: "+*id+" does not exist")

	// Another one of that name begins empty.
	ok(c.CreateCollection(t.Context(), &rekognition.CreateCollectionInput{CollectionId: id}))(t)
	made := ok(c.DescribeCollection(t.Context(), &rekognition.DescribeCollectionInput{CollectionId: id}))(t)
	if *made.FaceCount != 0 || *made.UserCount != 0 {
		t.Errorf("a new collection has %d faces and %d users", *made.FaceCount, *made.UserCount)
	}
	found := ok(c.SearchFacesByImage(t.Context(), &rekognition.SearchFacesByImageInput{CollectionId: id, Image: stored(anna)}))(t)
	if len(found.FaceMatches) != 0 {
		t.Error("a face of the deleted collection is found")
	}
}
