package sdktest_test

import (
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// TestStartFaceSearchOnce starts the same search 20 times at the same time.
func TestStartFaceSearchOnce(t *testing.T) {
	t.Parallel()
	w := here(t)
	c := w.server.client(t)
	in := rekognition.StartFaceSearchInput{
		CollectionId: collection(t, c), Video: film("clip.mp4"), ClientRequestToken: new(name(t)),
		NotificationChannel: &types.NotificationChannel{SNSTopicArn: new(knownTopic), RoleArn: new(someRole)},
	}
	jobs := make([]*string, 20)
	var group sync.WaitGroup
	for i := range jobs {
		group.Go(func() {
			out, err := c.StartFaceSearch(t.Context(), &in)
			if err != nil {
				t.Error(err)
				return
			}
			jobs[i] = out.JobId
		})
	}
	group.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for _, job := range jobs {
		if *job != *jobs[0] {
			t.Fatal("several jobs for one token")
		}
	}
	searched(t, c, jobs[0])
	if again := startSearch(t, c, in); *again != *jobs[0] {
		t.Error("another job, once the first has ended")
	}
	if told, err := w.hook.of(t.Context(), *jobs[0]); err != nil || len(told) != 1 {
		t.Errorf("told %v, %v", told, err)
	}
	other := in
	other.JobTag = new("tag")
	_, err := c.StartFaceSearch(t.Context(), &other)
	refused[*types.IdempotentParameterMismatchException](t, err,
		"The ClientRequestToken: "+*in.ClientRequestToken+" you have supplied is already in use.")
	// The token of another operation is another token.
	detection := ok(c.StartFaceDetection(t.Context(), &rekognition.StartFaceDetectionInput{
		Video: film("text.mp4"), ClientRequestToken: in.ClientRequestToken,
	}))(t)
	if *detection.JobId == *jobs[0] {
		t.Error("a detection is answered with the job of a search")
	}
	// Without a token each is a job of its own.
	in.ClientRequestToken, in.Video, in.NotificationChannel = nil, film("text.mp4"), nil
	if one, two := startSearch(t, c, in), startSearch(t, c, in); *one == *two {
		t.Error("two requests without a token are one job")
	}
}

// TestStartFaceSearchRepeats wants a repeated request to be answered before anything is looked at.
func TestStartFaceSearchRepeats(t *testing.T) {
	t.Parallel()
	w := here(t)
	c := w.server.client(t)
	if err := os.Link(w.path("clip.mp4"), w.path("gone.mp4")); err != nil {
		t.Fatal(err)
	}
	in := rekognition.StartFaceSearchInput{
		CollectionId: collection(t, c), Video: film("gone.mp4"), ClientRequestToken: new(name(t)),
	}
	job := startSearch(t, c, in)
	searched(t, c, job)
	if err := os.Remove(w.path("gone.mp4")); err != nil {
		t.Fatal(err)
	}
	ok(c.DeleteCollection(t.Context(), &rekognition.DeleteCollectionInput{CollectionId: in.CollectionId}))(t)
	if again := startSearch(t, c, in); *again != *job {
		t.Error("a repeated request is another job")
	}
}

func TestStartFaceSearchThreshold(t *testing.T) {
	t.Parallel()
	c := client(t)
	e := searchedClip(t, c)
	matches := func(threshold float32) (n int) {
		job := startSearch(t, c, rekognition.StartFaceSearchInput{
			CollectionId: e.collection, Video: film("clip.mp4"), FaceMatchThreshold: &threshold,
		})
		for _, p := range searched(t, c, job).Persons {
			for _, m := range p.FaceMatches {
				if n++; *m.Similarity < threshold {
					t.Errorf("a match of %v is below the threshold %v", *m.Similarity, threshold)
				}
			}
		}
		return n
	}
	usual := 0
	for _, p := range searched(t, c, e.job).Persons {
		usual += len(p.FaceMatches)
	}
	if low, same, none := matches(0), matches(80), matches(100); low <= usual || same != usual || none != 0 {
		t.Errorf("%d matches by default, %d from 0, %d from 80, %d from 100", usual, low, same, none)
	}
}

func TestStartFaceSearchRefuses(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	start := func(change func(*rekognition.StartFaceSearchInput)) error {
		in := &rekognition.StartFaceSearchInput{CollectionId: id, Video: film("clip.mp4")}
		change(in)
		_, err := c.StartFaceSearch(t.Context(), in)
		return err
	}
	refused[*types.ResourceNotFoundException](t,
		start(func(in *rekognition.StartFaceSearchInput) { in.CollectionId = new("nobody") }),
		"The collection id: nobody does not exist")
	refusedForItsVideo(t, func(v *types.Video) error {
		return start(func(in *rekognition.StartFaceSearchInput) { in.Video = v })
	})
	refusedForItsTopic(t, func(n *types.NotificationChannel) error {
		return start(func(in *rekognition.StartFaceSearchInput) { in.NotificationChannel = n })
	})
	invalid(t, start(func(in *rekognition.StartFaceSearchInput) { in.FaceMatchThreshold = new(float32(120)) }),
		"1 validation error detected: Value '120.0' at 'faceMatchThreshold' failed to satisfy constraint: "+
			"Member must have value less than or equal to 100")
	invalid(t, start(func(in *rekognition.StartFaceSearchInput) { in.ClientRequestToken = new(strings.Repeat("t", 65)) }), "")
	invalid(t, start(func(in *rekognition.StartFaceSearchInput) { in.JobTag = new("no blanks") }), "")
	invalid(t, start(func(in *rekognition.StartFaceSearchInput) { in.Video, in.CollectionId = film("\x00"), new("bad id!") }), "")
}

// refusedForItsVideo wants an operation to refuse every video that cannot be looked at.
func refusedForItsVideo(t *testing.T, call func(*types.Video) error) {
	t.Helper()
	for _, key := range []string{"none.mp4", "people", "../archive/clip.mp4"} {
		refused[*types.InvalidS3ObjectException](t, call(film(key)), unreadable)
	}
	elsewhere := film("clip.mp4")
	elsewhere.S3Object.Bucket = new("nobucket")
	refused[*types.InvalidS3ObjectException](t, call(elsewhere), unreadable)
	versioned := film("clip.mp4")
	versioned.S3Object.Version = new("1") // a folder keeps none
	refused[*types.InvalidS3ObjectException](t, call(versioned), unreadable)
	refused[*types.VideoTooLargeException](t, call(film("large.mp4")),
		"Video size in bytes: 10737418241 is more than the maximum limit of: 10737418240 bytes.")
	refused[*types.InvalidParameterException](t, call(&types.Video{}), "")
	refused[*types.InvalidParameterException](t, call(&types.Video{S3Object: &types.S3Object{Bucket: new(archive)}}), "")
	short := film("clip.mp4")
	short.S3Object.Bucket = new("ab")
	invalid(t, call(short), "1 validation error detected: Value 'ab' at 'video.s3Object.bucket' failed to satisfy constraint: "+
		"Member must have length greater than or equal to 3")
}

// refusedForItsTopic wants an operation to refuse topics that nobody has configured, and what is no topic.
func refusedForItsTopic(t *testing.T, call func(*types.NotificationChannel) error) {
	t.Helper()
	unknown := "arn:aws:sns:us-east-1:000000000000:unknown"
	refused[*types.InvalidParameterException](t, call(&types.NotificationChannel{SNSTopicArn: &unknown, RoleArn: new(someRole)}),
		"Request has invalid parameters: no topic "+unknown+" is configured")
	invalid(t, call(&types.NotificationChannel{SNSTopicArn: new("topic"), RoleArn: new(someRole)}), "")
	invalid(t, call(&types.NotificationChannel{SNSTopicArn: new(knownTopic), RoleArn: new("role")}), "")
}
