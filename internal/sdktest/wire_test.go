package sdktest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// TestWhatNoSDKSends sends bodies that are no requests, and one with a member that nobody knows.
func TestWhatNoSDKSends(t *testing.T) {
	t.Parallel()
	s := here(t).server
	const target = "RekognitionService.ListCollections"
	for _, body := range []string{"", "{}", `{"Unheard":{"Of":[1]}}`, `{"MaxResults":null}`} {
		if a := s.call(t, target, body); a.status != http.StatusOK || !strings.Contains(string(a.body), `"CollectionIds":[`) ||
			strings.Contains(string(a.body), "null") {
			t.Errorf("%s is answered with %d %s", body, a.status, a.body)
		}
	}
	for _, body := range []string{"{", "[]", `"x"`, `{"MaxResults":"two"}`, `{"NextToken":7}`, strings.Repeat(`{"a":`, 100_000)} {
		wantError(t, s.call(t, target, body), "SerializationException", "")
	}
	for _, target := range []string{"", "RekognitionService.", "RekognitionService.Unheard", "DetectFaces", "S3.ListBuckets"} {
		wantError(t, s.call(t, target, "{}"), "UnknownOperationException", "")
	}
}

// TestOtherSettings has a server take what AWS takes only, and topics that it does not know.
func TestOtherSettings(t *testing.T) {
	t.Parallel()
	w := here(t)
	c := w.own(t, "other", settings{"formats": "aws", "unknown-topics": "log", "region": "eu-west-1", "account": "123456789012"}).client(t)
	id := collection(t, c)
	described := ok(c.DescribeCollection(t.Context(), &rekognition.DescribeCollectionInput{CollectionId: id}))(t)
	if want := "arn:aws:rekognition:eu-west-1:123456789012:collection/" + *id; *described.CollectionARN != want {
		t.Errorf("the collection is called %s, want %s", *described.CollectionARN, want)
	}
	for key, status := range map[string]types.VideoJobStatus{
		"clip.mp4": types.VideoJobStatusSucceeded, "clip.mkv": types.VideoJobStatusFailed,
	} {
		job := startSearch(t, c, rekognition.StartFaceSearchInput{
			CollectionId: id, Video: film(key),
			NotificationChannel: &types.NotificationChannel{SNSTopicArn: new(knownTopic), RoleArn: new(someRole)},
		})
		out := searched(t, c, job)
		if out.JobStatus != status || status == types.VideoJobStatusFailed && !strings.HasPrefix(*out.StatusMessage, "Unsupported codec/format.") {
			t.Errorf("a search of %s is %s", key, out.JobStatus)
		}
	}
}
