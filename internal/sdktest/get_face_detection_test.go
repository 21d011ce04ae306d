package sdktest_test

import (
	"math"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// detected waits for the end of a face detection, and gives the first page of its results.
func detected(t *testing.T, c *rekognition.Client, in rekognition.StartFaceDetectionInput) *rekognition.GetFaceDetectionOutput {
	t.Helper()
	job := ok(c.StartFaceDetection(t.Context(), &in))(t).JobId
	var out *rekognition.GetFaceDetectionOutput
	await(t, func() bool {
		out = ok(c.GetFaceDetection(t.Context(), &rekognition.GetFaceDetectionInput{JobId: job}))(t)
		if *out.JobId != *job || out.VideoMetadata == nil || out.Faces == nil {
			t.Errorf("on the way: %+v", out)
		}
		return out.JobStatus != types.VideoJobStatusInProgress
	})
	return out
}

func TestGetFaceDetection(t *testing.T) {
	t.Parallel()
	c := client(t)
	for _, attributes := range []types.FaceAttributes{"", types.FaceAttributesAll} {
		whole := detected(t, c, rekognition.StartFaceDetectionInput{
			Video: film("clip.mp4"), JobTag: new("tag"), FaceAttributes: attributes,
		})
		if whole.JobStatus != types.VideoJobStatusSucceeded || len(whole.Faces) < 60 || *whole.JobTag != "tag" ||
			*whole.Video.S3Object.Name != "clip.mp4" || whole.NextToken != nil {
			t.Fatalf("%s with %d faces", whole.JobStatus, len(whole.Faces))
		}
		wantMetadata(t, whole.VideoMetadata)
		for i, f := range whole.Faces {
			wantVideoAttributes(t, f.Face, attributes)
			if i > 0 && f.Timestamp < whole.Faces[i-1].Timestamp || f.Timestamp < 0 || f.Timestamp >= 6000 {
				t.Errorf("face %d is seen at %d", i, f.Timestamp)
			}
		}
		wantPages(t, c, whole)
	}
}

// wantVideoAttributes wants the attributes that were asked for.
func wantVideoAttributes(t *testing.T, d *types.FaceDetail, asked types.FaceAttributes) {
	t.Helper()
	if asked != types.FaceAttributesAll {
		wantNoFurtherAttributes(t, d)
		return
	}
	wantAllAttributes(t, d)
	box := d.BoundingBox
	for _, l := range d.Landmarks {
		if math.Abs(float64(*l.X-*box.Left-*box.Width/2)) > float64(*box.Height) ||
			math.Abs(float64(*l.Y-*box.Top-*box.Height/2)) > float64(*box.Height) {
			t.Errorf("%s lies at %v, %v, the face at %v, %v", l.Type, *l.X, *l.Y, *box.Left, *box.Top)
		}
	}
}

// TestNeutralAttributes reads all attributes unguarded, as many programs do.
func TestNeutralAttributes(t *testing.T) {
	t.Parallel()
	c := here(t).own(t, "neutral", settings{"absent-attributes": "neutral"}).client(t)
	photo := ok(c.DetectFaces(t.Context(), &rekognition.DetectFacesInput{
		Image: sent(t, anna), Attributes: []types.Attribute{types.AttributeAll},
	}))(t)
	video := detected(t, c, rekognition.StartFaceDetectionInput{Video: film("clip.mp4"), FaceAttributes: types.FaceAttributesAll})
	for _, d := range []*types.FaceDetail{&photo.FaceDetails[0], video.Faces[0].Face} {
		if d.Eyeglasses.Value || d.Sunglasses.Value || d.Beard.Value || d.Mustache.Value || d.FaceOccluded.Value ||
			*d.EyeDirection.Confidence != 50 || *d.Sunglasses.Confidence != 50 {
			t.Errorf("not neutral: %+v", d)
		}
	}
	bare := ok(c.DetectFaces(t.Context(), &rekognition.DetectFacesInput{Image: sent(t, anna)}))(t)
	wantNoFurtherAttributes(t, &bare.FaceDetails[0])
}

// wantPages wants the pages of a detection to hold what it holds as a whole.
func wantPages(t *testing.T, c *rekognition.Client, whole *rekognition.GetFaceDetectionOutput) {
	t.Helper()
	in := &rekognition.GetFaceDetectionInput{JobId: whole.JobId, MaxResults: new(int32(11))}
	n := 0
	for pages := rekognition.NewGetFaceDetectionPaginator(c, in); pages.HasMorePages(); {
		page := ok(pages.NextPage(t.Context()))(t)
		wantMetadata(t, page.VideoMetadata)
		for _, f := range page.Faces {
			if n >= len(whole.Faces) || f.Timestamp != whole.Faces[n].Timestamp || *f.Face.Confidence != *whole.Faces[n].Face.Confidence {
				t.Fatalf("face %d is another one", n)
			}
			n++
		}
	}
	if n != len(whole.Faces) {
		t.Errorf("all pages hold %d faces, want %d", n, len(whole.Faces))
	}
}

func TestGetFaceDetectionFails(t *testing.T) {
	t.Parallel()
	out := detected(t, client(t), rekognition.StartFaceDetectionInput{Video: film("text.mp4")})
	if out.JobStatus != types.VideoJobStatusFailed || !strings.HasPrefix(*out.StatusMessage, "Unsupported codec/format.") {
		t.Errorf("the job is %s", out.JobStatus)
	}
}

func TestGetFaceDetectionRefuses(t *testing.T) {
	t.Parallel()
	c := client(t)
	e := searchedClip(t, c)
	for name, job := range map[string]string{"unknown": strings.Repeat("f", 64), "of a search": *e.job} {
		_, err := c.GetFaceDetection(t.Context(), &rekognition.GetFaceDetectionInput{JobId: &job})
		t.Log(name)
		refused[*types.ResourceNotFoundException](t, err, "Could not find JobId")
	}
	done := detected(t, c, rekognition.StartFaceDetectionInput{Video: film("clip.mp4")})
	page := ok(c.GetFaceSearch(t.Context(), &rekognition.GetFaceSearchInput{JobId: e.job, MaxResults: new(int32(1))}))(t)
	_, err := c.GetFaceDetection(t.Context(), &rekognition.GetFaceDetectionInput{JobId: done.JobId, NextToken: page.NextToken})
	refused[*types.InvalidPaginationTokenException](t, err, "Invalid Pagination Token")
	_, err = c.GetFaceDetection(t.Context(), &rekognition.GetFaceDetectionInput{JobId: done.JobId, MaxResults: new(int32(-3))})
	invalid(t, err, "")
}
