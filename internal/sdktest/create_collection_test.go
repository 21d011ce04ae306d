package sdktest_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// arn is a collection's.
func arn(id string) string { return "arn:aws:rekognition:us-east-1:000000000000:collection/" + id }

func TestCreateCollection(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := name(t)
	tags := map[string]string{"team": "news", "empty": ""}
	out := ok(c.CreateCollection(t.Context(), &rekognition.CreateCollectionInput{CollectionId: &id, Tags: tags}))(t)
	if *out.StatusCode != 200 || *out.CollectionArn != arn(id) || *out.FaceModelVersion == "" {
		t.Errorf("answered with %d, %s, %s", *out.StatusCode, *out.CollectionArn, *out.FaceModelVersion)
	}
	kept := ok(c.ListTagsForResource(t.Context(), &rekognition.ListTagsForResourceInput{ResourceArn: out.CollectionArn}))(t)
	if !maps.Equal(kept.Tags, tags) {
		t.Errorf("tags are %v", kept.Tags)
	}
	_, err := c.CreateCollection(t.Context(), &rekognition.CreateCollectionInput{CollectionId: &id})
	refused[*types.ResourceAlreadyExistsException](t, err, "The collection id: "+id+" already exists.")
	upper := strings.ToUpper(id) // ids are case-sensitive
	ok(c.CreateCollection(t.Context(), &rekognition.CreateCollectionInput{CollectionId: &upper}))(t)
}

func TestCreateCollectionChecksItsParameters(t *testing.T) {
	t.Parallel()
	c := client(t)
	const pattern = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.\\-]+"
	long := strings.Repeat("x", 256)
	for name, in := range map[string]struct {
		id   string
		tags map[string]string
		says string
	}{
		"characters": {"bad id!", nil, "1 validation error detected: Value 'bad id!' at 'collectionId' failed to satisfy constraint: " + pattern},
		"length": {long, nil, "1 validation error detected: Value '" + long +
			"' at 'collectionId' failed to satisfy constraint: Member must have length less than or equal to 255"},
		"empty": {"", nil, "2 validation errors detected: Value '' at 'collectionId' failed to satisfy constraint: " +
			"Member must have length greater than or equal to 1; Value '' at 'collectionId' failed to satisfy constraint: " + pattern},
		"tag of AWS": {"x", map[string]string{"aws:x": "y"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := c.CreateCollection(t.Context(), &rekognition.CreateCollectionInput{CollectionId: &in.id, Tags: in.tags})
			invalid(t, err, in.says)
		})
	}
}
