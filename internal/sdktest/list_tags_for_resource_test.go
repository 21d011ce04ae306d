package sdktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
)

func TestListTagsForResource(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := name(t)
	out := ok(c.CreateCollection(t.Context(), &rekognition.CreateCollectionInput{
		CollectionId: &id, Tags: map[string]string{"from": "the start"},
	}))(t)
	wantTags(t, c, *out.CollectionArn, map[string]string{"from": "the start"})
	// The next one of the name does not inherit them.
	ok(c.DeleteCollection(t.Context(), &rekognition.DeleteCollectionInput{CollectionId: &id}))(t)
	ok(c.CreateCollection(t.Context(), &rekognition.CreateCollectionInput{CollectionId: &id}))(t)
	wantTags(t, c, *out.CollectionArn, nil)
}
