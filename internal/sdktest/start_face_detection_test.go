package sdktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestStartFaceDetectionOnce(t *testing.T) {
	t.Parallel()
	c := client(t)
	in := &rekognition.StartFaceDetectionInput{
		Video: film("clip.mp4"), ClientRequestToken: new(name(t)), FaceAttributes: types.FaceAttributesDefault,
	}
	first, second := ok(c.StartFaceDetection(t.Context(), in))(t), ok(c.StartFaceDetection(t.Context(), in))(t)
	if *first.JobId != *second.JobId || len(*first.JobId) != 64 {
		t.Errorf("jobs %s and %s", *first.JobId, *second.JobId)
	}
	in.FaceAttributes = types.FaceAttributesAll
	_, err := c.StartFaceDetection(t.Context(), in)
	refused[*types.IdempotentParameterMismatchException](t, err,
		"The ClientRequestToken: "+*in.ClientRequestToken+" you have supplied is already in use.")
}

func TestStartFaceDetectionRefuses(t *testing.T) {
	t.Parallel()
	c := client(t)
	start := func(change func(*rekognition.StartFaceDetectionInput)) error {
		in := &rekognition.StartFaceDetectionInput{Video: film("clip.mp4")}
		change(in)
		_, err := c.StartFaceDetection(t.Context(), in)
		return err
	}
	refusedForItsVideo(t, func(v *types.Video) error {
		return start(func(in *rekognition.StartFaceDetectionInput) { in.Video = v })
	})
	refusedForItsTopic(t, func(n *types.NotificationChannel) error {
		return start(func(in *rekognition.StartFaceDetectionInput) { in.NotificationChannel = n })
	})
	invalid(t, start(func(in *rekognition.StartFaceDetectionInput) { in.FaceAttributes = "SOME" }),
		"1 validation error detected: Value 'SOME' at 'faceAttributes' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [DEFAULT, ALL]")
}
