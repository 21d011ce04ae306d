package sdktest_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// tracked waits for the end of a person tracking.
func tracked(t *testing.T, c *rekognition.Client, in rekognition.StartPersonTrackingInput) *rekognition.GetPersonTrackingOutput {
	t.Helper()
	job := ok(c.StartPersonTracking(t.Context(), &in))(t).JobId
	var out *rekognition.GetPersonTrackingOutput
	await(t, func() bool {
		out = ok(c.GetPersonTracking(t.Context(), &rekognition.GetPersonTrackingInput{JobId: job}))(t)
		if *out.JobId != *job || out.VideoMetadata == nil || out.Persons == nil {
			t.Errorf("on the way: %+v", out)
		}
		return out.JobStatus != types.VideoJobStatusInProgress
	})
	return out
}

// TestGetPersonTracking wants the persons of a face search of the same video: they are known by their faces.
func TestGetPersonTracking(t *testing.T) {
	t.Parallel()
	c := client(t)
	whole := tracked(t, c, rekognition.StartPersonTrackingInput{Video: film("clip.mp4"), JobTag: new("tag")})
	if whole.JobStatus != types.VideoJobStatusSucceeded || *whole.JobTag != "tag" || whole.NextToken != nil {
		t.Fatalf("%s, tag %s", whole.JobStatus, *whole.JobTag)
	}
	wantMetadata(t, whole.VideoMetadata)
	search := searched(t, c, searchedClip(t, c).job)
	if len(whole.Persons) != len(search.Persons) || len(whole.Persons) < 60 {
		t.Fatalf("%d sightings, %d in the search", len(whole.Persons), len(search.Persons))
	}
	for i, p := range whole.Persons {
		same := search.Persons[i]
		if p.Timestamp != same.Timestamp || p.Person.Index != same.Person.Index ||
			*p.Person.BoundingBox.Left != *same.Person.BoundingBox.Left || len(p.Person.Face.Landmarks) != 5 {
			t.Errorf("sighting %d is another one than in the search", i)
		}
	}
	in := &rekognition.GetPersonTrackingInput{JobId: whole.JobId, MaxResults: new(int32(13)), SortBy: types.PersonTrackingSortByIndex}
	var byPerson []types.PersonDetection
	for pages := rekognition.NewGetPersonTrackingPaginator(c, in); pages.HasMorePages(); {
		byPerson = append(byPerson, ok(pages.NextPage(t.Context()))(t).Persons...)
	}
	if len(byPerson) != len(whole.Persons) || !slices.IsSortedFunc(byPerson, func(a, b types.PersonDetection) int {
		return cmp.Or(cmp.Compare(a.Person.Index, b.Person.Index), cmp.Compare(a.Timestamp, b.Timestamp))
	}) {
		t.Errorf("sorted by INDEX, %d sightings are not person by person in the order of time", len(byPerson))
	}
	_, err := c.GetFaceDetection(t.Context(), &rekognition.GetFaceDetectionInput{JobId: whole.JobId})
	refused[*types.ResourceNotFoundException](t, err, "Could not find JobId")
}

func TestStartPersonTrackingRefuses(t *testing.T) {
	t.Parallel()
	c := client(t)
	start := func(change func(*rekognition.StartPersonTrackingInput)) error {
		in := &rekognition.StartPersonTrackingInput{Video: film("clip.mp4")}
		change(in)
		_, err := c.StartPersonTracking(t.Context(), in)
		return err
	}
	refusedForItsVideo(t, func(v *types.Video) error {
		return start(func(in *rekognition.StartPersonTrackingInput) { in.Video = v })
	})
	refusedForItsTopic(t, func(n *types.NotificationChannel) error {
		return start(func(in *rekognition.StartPersonTrackingInput) { in.NotificationChannel = n })
	})
	out := tracked(t, c, rekognition.StartPersonTrackingInput{Video: film("text.mp4")})
	if out.JobStatus != types.VideoJobStatusFailed || !strings.HasPrefix(*out.StatusMessage, "Unsupported codec/format.") {
		t.Errorf("the job is %s", out.JobStatus)
	}
}
