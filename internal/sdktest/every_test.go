package sdktest_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
	"github.com/aws/smithy-go"
)

// operation is one that Spotter answers.
type operation struct {
	name string
	// collection says that it is about one, which policies can name.
	collection bool
	// call calls it with what it needs, about a collection of this id.
	call func(ctx context.Context, c *rekognition.Client, id *string) error
}

// asked drops an answer, for calls that are about errors.
func asked[T any](_ T, err error) error { return err }

// operations are all that Spotter answers.
func operations() []operation {
	return slices.Concat(collectionOperations(), faceOperations(), userOperations(), videoOperations())
}

func collectionOperations() []operation {
	return []operation{
		{"CreateCollection", false, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.CreateCollection(ctx, &rekognition.CreateCollectionInput{CollectionId: id}))
		}},
		{"DescribeCollection", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.DescribeCollection(ctx, &rekognition.DescribeCollectionInput{CollectionId: id}))
		}},
		{"ListCollections", false, func(ctx context.Context, c *rekognition.Client, _ *string) error {
			return asked(c.ListCollections(ctx, &rekognition.ListCollectionsInput{}))
		}},
		{"DeleteCollection", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.DeleteCollection(ctx, &rekognition.DeleteCollectionInput{CollectionId: id}))
		}},
		{"TagResource", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.TagResource(ctx, &rekognition.TagResourceInput{
				ResourceArn: new(arn(*id)), Tags: map[string]string{"a": "b"},
			}))
		}},
		{"UntagResource", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.UntagResource(ctx, &rekognition.UntagResourceInput{ResourceArn: new(arn(*id)), TagKeys: []string{"a"}}))
		}},
		{"ListTagsForResource", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.ListTagsForResource(ctx, &rekognition.ListTagsForResourceInput{ResourceArn: new(arn(*id))}))
		}},
	}
}

func faceOperations() []operation {
	return []operation{
		{"IndexFaces", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.IndexFaces(ctx, &rekognition.IndexFacesInput{CollectionId: id, Image: stored(anna)}))
		}},
		{"ListFaces", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.ListFaces(ctx, &rekognition.ListFacesInput{CollectionId: id}))
		}},
		{"DeleteFaces", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.DeleteFaces(ctx, &rekognition.DeleteFacesInput{CollectionId: id, FaceIds: []string{nobodysFace}}))
		}},
		{"SearchFaces", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.SearchFaces(ctx, &rekognition.SearchFacesInput{CollectionId: id, FaceId: new(nobodysFace)}))
		}},
		{"SearchFacesByImage", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.SearchFacesByImage(ctx, &rekognition.SearchFacesByImageInput{CollectionId: id, Image: stored(anna)}))
		}},
		{"DetectFaces", false, func(ctx context.Context, c *rekognition.Client, _ *string) error {
			return asked(c.DetectFaces(ctx, &rekognition.DetectFacesInput{Image: stored(anna)}))
		}},
		{"CompareFaces", false, func(ctx context.Context, c *rekognition.Client, _ *string) error {
			return asked(c.CompareFaces(ctx, &rekognition.CompareFacesInput{SourceImage: stored(anna), TargetImage: stored(anna)}))
		}},
	}
}

func userOperations() []operation {
	return []operation{
		{"CreateUser", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.CreateUser(ctx, &rekognition.CreateUserInput{CollectionId: id, UserId: new("x")}))
		}},
		{"DeleteUser", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.DeleteUser(ctx, &rekognition.DeleteUserInput{CollectionId: id, UserId: new("x")}))
		}},
		{"ListUsers", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.ListUsers(ctx, &rekognition.ListUsersInput{CollectionId: id}))
		}},
		{"AssociateFaces", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.AssociateFaces(ctx, &rekognition.AssociateFacesInput{
				CollectionId: id, UserId: new("x"), FaceIds: []string{nobodysFace},
			}))
		}},
		{"DisassociateFaces", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.DisassociateFaces(ctx, &rekognition.DisassociateFacesInput{
				CollectionId: id, UserId: new("x"), FaceIds: []string{nobodysFace},
			}))
		}},
		{"SearchUsers", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.SearchUsers(ctx, &rekognition.SearchUsersInput{CollectionId: id, UserId: new("x")}))
		}},
		{"SearchUsersByImage", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.SearchUsersByImage(ctx, &rekognition.SearchUsersByImageInput{CollectionId: id, Image: stored(anna)}))
		}},
	}
}

func videoOperations() []operation {
	job := new(strings.Repeat("0", 64))
	return []operation{
		{"StartFaceSearch", true, func(ctx context.Context, c *rekognition.Client, id *string) error {
			return asked(c.StartFaceSearch(ctx, &rekognition.StartFaceSearchInput{CollectionId: id, Video: film("text.mp4")}))
		}},
		{"GetFaceSearch", false, func(ctx context.Context, c *rekognition.Client, _ *string) error {
			return asked(c.GetFaceSearch(ctx, &rekognition.GetFaceSearchInput{JobId: job}))
		}},
		{"StartFaceDetection", false, func(ctx context.Context, c *rekognition.Client, _ *string) error {
			return asked(c.StartFaceDetection(ctx, &rekognition.StartFaceDetectionInput{Video: film("text.mp4")}))
		}},
		{"StartPersonTracking", false, func(ctx context.Context, c *rekognition.Client, _ *string) error {
			return asked(c.StartPersonTracking(ctx, &rekognition.StartPersonTrackingInput{Video: film("text.mp4")}))
		}},
		{"GetPersonTracking", false, func(ctx context.Context, c *rekognition.Client, _ *string) error {
			return asked(c.GetPersonTracking(ctx, &rekognition.GetPersonTrackingInput{JobId: job}))
		}},
		{"GetFaceDetection", false, func(ctx context.Context, c *rekognition.Client, _ *string) error {
			return asked(c.GetFaceDetection(ctx, &rekognition.GetFaceDetectionInput{JobId: job}))
		}},
	}
}

func TestEveryOperationNeedsItsCollection(t *testing.T) {
	t.Parallel()
	c := client(t)
	for _, op := range operations() {
		if op.collection {
			err := op.call(t.Context(), c, new("nobody"))
			text := "The collection id: nobody does not exist"
			if op.name == "DescribeCollection" {
				text = "Collection:nobody not found!"
			}
			t.Log(op.name)
			refused[*types.ResourceNotFoundException](t, err, text)
		}
	}
}

// TestUnsupportedOperations asks for some of what Rekognition does beside faces.
func TestUnsupportedOperations(t *testing.T) {
	t.Parallel()
	c := client(t)
	const beginning, end = "Spotter does not support ", ". It keeps collections of faces and users, detects, compares and " +
		"searches faces in images, and detects, searches and tracks faces in stored videos."
	for name, call := range map[string]func() error{
		"DetectLabels": func() error {
			return asked(c.DetectLabels(t.Context(), &rekognition.DetectLabelsInput{Image: stored(anna)}))
		},
		"RecognizeCelebrities": func() error {
			return asked(c.RecognizeCelebrities(t.Context(), &rekognition.RecognizeCelebritiesInput{Image: stored(anna)}))
		},
		"StartLabelDetection": func() error {
			return asked(c.StartLabelDetection(t.Context(), &rekognition.StartLabelDetectionInput{Video: film("clip.mp4")}))
		},
		"ListStreamProcessors": func() error {
			return asked(c.ListStreamProcessors(t.Context(), &rekognition.ListStreamProcessorsInput{}))
		},
		"CreateFaceLivenessSession": func() error {
			return asked(c.CreateFaceLivenessSession(t.Context(), &rekognition.CreateFaceLivenessSessionInput{}))
		},
	} {
		err := call()
		refused[*smithy.GenericAPIError](t, err, beginning+name+end) // none that applications catch as "there is no face"
		if !strings.Contains(err.Error(), "UnknownOperationException") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
