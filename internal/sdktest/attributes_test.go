package sdktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// wantDefaultAttributes wants what every face comes with.
func wantDefaultAttributes(t *testing.T, d *types.FaceDetail) {
	t.Helper()
	if d.BoundingBox == nil || d.Confidence == nil || d.Pose == nil || d.Quality == nil || len(d.Landmarks) < 5 {
		t.Fatalf("the face is %+v", d)
	}
	named := map[types.LandmarkType]types.Landmark{}
	for _, l := range d.Landmarks {
		named[l.Type] = l
	}
	left, right, nose := named[types.LandmarkTypeEyeLeft], named[types.LandmarkTypeEyeRight], named[types.LandmarkTypeNose]
	mouth := named[types.LandmarkTypeMouthLeft]
	if left.X == nil || right.X == nil || nose.X == nil || mouth.X == nil || named[types.LandmarkTypeMouthRight].X == nil {
		t.Fatalf("the landmarks are %v", d.Landmarks)
	}
	if *left.X >= *right.X || *left.Y >= *nose.Y || *nose.Y >= *mouth.Y {
		t.Error("eyes, nose and mouth are in odd places")
	}
	box := d.BoundingBox
	if *nose.X < *box.Left || *nose.X > *box.Left+*box.Width || *nose.Y < *box.Top || *nose.Y > *box.Top+*box.Height {
		t.Error("the nose is not in the face")
	}
}

func wantNoFurtherAttributes(t *testing.T, d *types.FaceDetail) {
	t.Helper()
	if d.AgeRange != nil || d.Gender != nil || d.Emotions != nil || d.Smile != nil || d.EyesOpen != nil || d.MouthOpen != nil ||
		len(d.Landmarks) != 5 {
		t.Errorf("attributes that were not asked for: %+v", d)
	}
	wantNoUnknownAttributes(t, d)
}

// wantNoUnknownAttributes wants what no model says to be left out.
func wantNoUnknownAttributes(t *testing.T, d *types.FaceDetail) {
	t.Helper()
	if d.Beard != nil || d.Mustache != nil || d.Eyeglasses != nil || d.Sunglasses != nil || d.FaceOccluded != nil ||
		d.EyeDirection != nil {
		t.Errorf("attributes that nobody knows: %+v", d)
	}
}

// wantAllAttributes wants everything that is known of a face.
func wantAllAttributes(t *testing.T, d *types.FaceDetail) {
	t.Helper()
	wantDefaultAttributes(t, d)
	wantNoUnknownAttributes(t, d)
	if d.AgeRange == nil || d.Gender == nil || d.Smile == nil || d.EyesOpen == nil || d.MouthOpen == nil || len(d.Emotions) == 0 ||
		len(d.Landmarks) <= 5 {
		t.Fatalf("attributes are missing: %+v", d)
	}
	if *d.AgeRange.Low > *d.AgeRange.High || *d.AgeRange.High > 100 {
		t.Errorf("%d to %d years", *d.AgeRange.Low, *d.AgeRange.High)
	}
	for i, e := range d.Emotions[1:] {
		if *e.Confidence > *d.Emotions[i].Confidence {
			t.Error("the surest emotion is not the first")
		}
	}
}
