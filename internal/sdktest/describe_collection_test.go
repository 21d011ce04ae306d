package sdktest_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestDescribeCollection(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	describe := func() *rekognition.DescribeCollectionOutput {
		t.Helper()
		return ok(c.DescribeCollection(t.Context(), &rekognition.DescribeCollectionInput{CollectionId: id}))(t)
	}
	out := describe()
	if *out.FaceCount != 0 || *out.UserCount != 0 || *out.CollectionARN != arn(*id) || *out.FaceModelVersion == "" {
		t.Errorf("described as %d faces, %d users, %s", *out.FaceCount, *out.UserCount, *out.CollectionARN)
	}
	if age := time.Since(*out.CreationTimestamp); age < -time.Second || age > time.Minute {
		t.Errorf("created at %v", out.CreationTimestamp)
	}
	enrol(t, c, id, anna, "")
	enrol(t, c, id, bea, "")
	ok(c.CreateUser(t.Context(), &rekognition.CreateUserInput{CollectionId: id, UserId: new("anna")}))(t)
	if out = describe(); *out.FaceCount != 2 || *out.UserCount != 1 {
		t.Errorf("described as %d faces, %d users", *out.FaceCount, *out.UserCount)
	}
	_, err := c.DescribeCollection(t.Context(), &rekognition.DescribeCollectionInput{CollectionId: new("nobody")})
	refused[*types.ResourceNotFoundException](t, err, "Collection:nobody not found!")
}
