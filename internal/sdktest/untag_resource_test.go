package sdktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
)

func TestUntagResource(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := arn(*collection(t, c))
	ok(c.TagResource(t.Context(), &rekognition.TagResourceInput{ResourceArn: &id, Tags: map[string]string{"a": "1", "b": "2"}}))(t)
	ok(c.UntagResource(t.Context(), &rekognition.UntagResourceInput{ResourceArn: &id, TagKeys: []string{"a", "unknown"}}))(t)
	wantTags(t, c, id, map[string]string{"b": "2"})
	_, err := c.UntagResource(t.Context(), &rekognition.UntagResourceInput{ResourceArn: &id, TagKeys: []string{""}})
	invalid(t, err, "")
}
