package sdktest_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"

	"github.com/spotter-video/spotter/internal/testkit/media"
)

// TestPhotosOnTheirSide holds what AWS documents: a picture is turned as its EXIF orientation says, and not at all without
// one. The boxes are those of the turned picture, which viewers show, or of the picture as it was sent.
func TestPhotosOnTheirSide(t *testing.T) {
	t.Parallel()
	c, w := client(t), here(t)
	file := filepath.Join(t.TempDir(), "side.jpg")
	// The face is in the left half, and lies in the lower one when the photo is turned.
	if err := media.FFmpeg(t.Context(), "-i", w.path(anna), "-vf", "pad=2*iw:ih,transpose=cclock", "-q:v", "2", file); err != nil {
		t.Fatal(err)
	}
	lying := ok(os.ReadFile(file))(t)
	const quarter = 6 // to be turned clockwise by 90 degrees (EXIF 2.32, 4.6.4)
	for name, test := range map[string]struct {
		image []byte
		left  bool
	}{
		"as it is":  {lying, false},
		"with EXIF": {withOrientation(lying, quarter), true},
	} {
		out := ok(c.DetectFaces(t.Context(), &rekognition.DetectFacesInput{Image: &types.Image{Bytes: test.image}}))(t)
		if len(out.FaceDetails) != 1 || out.OrientationCorrection != "" {
			t.Fatalf("%s: %d faces, %q", name, len(out.FaceDetails), out.OrientationCorrection)
		}
		box := out.FaceDetails[0].BoundingBox
		x, y := *box.Left+*box.Width/2, *box.Top+*box.Height/2
		t.Logf("%s: the face is at %.2f, %.2f", name, x, y)
		if left := x < 0.4; left != test.left || !left && y < 0.6 {
			t.Errorf("%s: the face is at %.2f, %.2f", name, x, y)
		}
	}
}

// withOrientation is a JPEG with an EXIF orientation and nothing else.
func withOrientation(jpeg []byte, orientation byte) []byte {
	exif := slices.Concat([]byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"),
		[]byte{orientation}, make([]byte, 6))
	segment := append(binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(exif)+2)), exif...)
	return slices.Concat(jpeg[:2], segment, jpeg[2:])
}
