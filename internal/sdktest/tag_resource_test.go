package sdktest_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// wantTags wants the collection to have these tags.
func wantTags(t *testing.T, c *rekognition.Client, arn string, want map[string]string) {
	t.Helper()
	out := ok(c.ListTagsForResource(t.Context(), &rekognition.ListTagsForResourceInput{ResourceArn: &arn}))(t)
	if out.Tags == nil || !maps.Equal(out.Tags, want) {
		t.Errorf("tags are %v, want %v", out.Tags, want)
	}
}

func TestTagResource(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := arn(*collection(t, c))
	wantTags(t, c, id, nil)
	ok(c.TagResource(t.Context(), &rekognition.TagResourceInput{ResourceArn: &id, Tags: map[string]string{"a": "1", "b": "2"}}))(t)
	without := strings.TrimPrefix(id, "arn:") // as older answers of AWS had it
	ok(c.TagResource(t.Context(), &rekognition.TagResourceInput{ResourceArn: &without, Tags: map[string]string{"b": "3", "ü x": "4"}}))(t)
	wantTags(t, c, without, map[string]string{"a": "1", "b": "3", "ü x": "4"})
}

func TestTagResourceHasBounds(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := arn(*collection(t, c))
	most := map[string]string{}
	for i := range 200 {
		most[fmt.Sprintf("tag%d", i)] = "value"
	}
	ok(c.TagResource(t.Context(), &rekognition.TagResourceInput{ResourceArn: &id, Tags: most}))(t)
	one := map[string]string{"one": "more"}
	_, err := c.TagResource(t.Context(), &rekognition.TagResourceInput{ResourceArn: &id, Tags: one})
	refused[*types.ServiceQuotaExceededException](t, err, "A collection has at most 200 tags")
	wantTags(t, c, id, most)
	_, err = c.TagResource(t.Context(), &rekognition.TagResourceInput{ResourceArn: &id, Tags: map[string]string{"x": strings.Repeat("y", 257)}})
	invalid(t, err, "")
}

func TestTagsOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	c := client(t)
	nobody := arn("nobody")
	_, err := c.TagResource(t.Context(), &rekognition.TagResourceInput{ResourceArn: &nobody, Tags: map[string]string{"a": "b"}})
	refused[*types.ResourceNotFoundException](t, err, "The collection id: nobody does not exist")
	_, err = c.UntagResource(t.Context(), &rekognition.UntagResourceInput{ResourceArn: &nobody, TagKeys: []string{"a"}})
	refused[*types.ResourceNotFoundException](t, err, "The collection id: nobody does not exist")
	_, err = c.ListTagsForResource(t.Context(), &rekognition.ListTagsForResourceInput{ResourceArn: &nobody})
	refused[*types.ResourceNotFoundException](t, err, "The collection id: nobody does not exist")
	elsewhere := strings.Replace(nobody, "us-east-1", "eu-west-1", 1)
	_, err = c.ListTagsForResource(t.Context(), &rekognition.ListTagsForResourceInput{ResourceArn: &elsewhere})
	refused[*types.ResourceNotFoundException](t, err, "")
	_, err = c.ListTagsForResource(t.Context(), &rekognition.ListTagsForResourceInput{ResourceArn: new("some string of twenty letters")})
	refused[*types.InvalidParameterException](t, err, "")
}
