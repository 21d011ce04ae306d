package sdktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// unreadable is what AWS says of an object that it cannot get at.
const unreadable = "Unable to get object metadata from S3. Check object key, region and/or access permissions."

// refusedForItsImage wants an operation to refuse every image that cannot be used.
func refusedForItsImage(t *testing.T, call func(*types.Image) error) {
	t.Helper()
	refused[*types.InvalidS3ObjectException](t, call(stored("none.jpg")), unreadable)
	refused[*types.InvalidS3ObjectException](t, call(stored("../archive/people/EVE.jpg")), unreadable)
	refused[*types.InvalidS3ObjectException](t,
		call(&types.Image{S3Object: &types.S3Object{Bucket: new("nobucket"), Name: new(anna)}}), unreadable)
	refused[*types.ImageTooLargeException](t, call(stored("large.jpg")), "Image size is too large.")
	refused[*types.ImageTooLargeException](t, call(stored("wide.jpg")), "")
	refused[*types.InvalidImageFormatException](t, call(stored("text.mp4")), "")
	refused[*types.InvalidImageFormatException](t, call(&types.Image{Bytes: []byte("GIF89a")}), "")
	refused[*types.InvalidParameterException](t, call(stored("tiny.jpg")), "")
	refused[*types.InvalidParameterException](t, call(&types.Image{}), "")
	refused[*types.InvalidParameterException](t, call(&types.Image{Bytes: []byte("x"), S3Object: object(anna)}), "")
	refused[*types.InvalidParameterException](t, call(&types.Image{S3Object: &types.S3Object{Bucket: new(archive)}}), "")
	// The model's own bound, of what is sent within a request.
	invalid(t, call(&types.Image{Bytes: make([]byte, 5<<20+1)}), "")
}
