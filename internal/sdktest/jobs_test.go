package sdktest_test

import (
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"

	"github.com/spotter-video/spotter/internal/testkit/patience"
)

// film is a video of the bucket.
func film(key string) *types.Video { return &types.Video{S3Object: object(key)} }

// startSearch starts a face search and gives the job's id.
func startSearch(t *testing.T, c *rekognition.Client, in rekognition.StartFaceSearchInput) *string {
	t.Helper()
	out := ok(c.StartFaceSearch(t.Context(), &in))(t)
	if len(*out.JobId) != 64 {
		t.Errorf("the job's id is %s", *out.JobId)
	}
	return out.JobId
}

// searched waits for the end of a face search, and gives the first page of its results.
func searched(t *testing.T, c *rekognition.Client, job *string) *rekognition.GetFaceSearchOutput {
	t.Helper()
	var out *rekognition.GetFaceSearchOutput
	await(t, func() bool {
		out = ok(c.GetFaceSearch(t.Context(), &rekognition.GetFaceSearchInput{JobId: job}))(t)
		return out.JobStatus != types.VideoJobStatusInProgress
	})
	return out
}

// await polls until something is done.
func await(t *testing.T, done func() bool) {
	t.Helper()
	if !patience.Usual().Until(t.Context(), done) {
		t.Fatal("it takes too long")
	}
}

// example is a face search that has ended, for the tests that read results: everybody but CLEO is enrolled, and the clip
// shows everybody but EVE.
type example struct {
	collection, job *string
	faces           map[string]string // ids of faces by their ExternalImageId
}

var theExample struct {
	once sync.Once
	example
}

func searchedClip(t *testing.T, c *rekognition.Client) example {
	t.Helper()
	theExample.once.Do(func() {
		e := example{collection: new("example"), faces: map[string]string{}}
		ok(c.CreateCollection(t.Context(), &rekognition.CreateCollectionInput{CollectionId: e.collection}))(t)
		for name, photo := range map[string]string{"anna": anna, "bea": bea, "dora": dora, "eve": eve} {
			e.faces[name] = enrol(t, c, e.collection, photo, name)
		}
		e.job = startSearch(t, c, rekognition.StartFaceSearchInput{
			CollectionId: e.collection, Video: film("clip.mp4"), JobTag: new("example"),
		})
		if out := searched(t, c, e.job); out.JobStatus != types.VideoJobStatusSucceeded {
			t.Fatalf("the job is %s: %s", out.JobStatus, *out.StatusMessage)
		}
		theExample.example = e
	})
	if theExample.job == nil {
		t.Fatal("there is no example: see the test that was to make it")
	}
	return theExample.example
}
