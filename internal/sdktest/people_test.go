package sdktest_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// The photos of people in the bucket.
const (
	anna = "people/ANNA/green.jpg"
	bea  = "people/BEA/necklace.jpg"
	cleo = "people/CLEO/black.jpg"
	dora = "people/DORA/red.jpg"
	eve  = "people/EVE.jpg"
)

var collections atomic.Int64

// name is a collection id that nobody else uses.
func name(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("%s-%d", regexp.MustCompile(`[^a-zA-Z0-9_.\-]`).ReplaceAllString(t.Name(), "_"), collections.Add(1))
}

// collection makes a collection for one test.
func collection(t *testing.T, c *rekognition.Client) *string {
	t.Helper()
	id := new(name(t))
	ok(c.CreateCollection(t.Context(), &rekognition.CreateCollectionInput{CollectionId: id}))(t)
	t.Cleanup(func() { // it may have been deleted; the server may have been stopped
		_, _ = c.DeleteCollection(context.Background(), &rekognition.DeleteCollectionInput{CollectionId: id})
	})
	return id
}

// stored is an image of the bucket.
func stored(key string) *types.Image { return &types.Image{S3Object: object(key)} }

func object(key string) *types.S3Object { return &types.S3Object{Bucket: new(archive), Name: &key} }

// sent is the same image as bytes.
func sent(t *testing.T, key string) *types.Image {
	t.Helper()
	return &types.Image{Bytes: ok(os.ReadFile(here(t).path(key)))(t)}
}

// enrol indexes the face of a photo and gives its id.
func enrol(t *testing.T, c *rekognition.Client, id *string, key, external string) string {
	t.Helper()
	in := &rekognition.IndexFacesInput{CollectionId: id, Image: stored(key)}
	if external != "" {
		in.ExternalImageId = &external
	}
	out := ok(c.IndexFaces(t.Context(), in))(t)
	if len(out.FaceRecords) != 1 {
		t.Fatalf("%s gives %d faces", key, len(out.FaceRecords))
	}
	return *out.FaceRecords[0].Face.FaceId
}

// user makes a user with a face.
func user(t *testing.T, c *rekognition.Client, collection *string, id string, faces ...string) {
	t.Helper()
	ok(c.CreateUser(t.Context(), &rekognition.CreateUserInput{CollectionId: collection, UserId: &id}))(t)
	for _, face := range faces {
		out := ok(c.AssociateFaces(t.Context(), &rekognition.AssociateFacesInput{
			CollectionId: collection, UserId: &id, FaceIds: []string{face},
		}))(t)
		if len(out.AssociatedFaces) != 1 {
			t.Fatalf("face %s cannot be associated with %s", face, id)
		}
	}
}
