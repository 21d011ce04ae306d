package sdktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestDetectFaces(t *testing.T) {
	t.Parallel()
	c := client(t)
	for name, attributes := range map[string][]types.Attribute{"absent": nil, "default": {types.AttributeDefault}} {
		out := ok(c.DetectFaces(t.Context(), &rekognition.DetectFacesInput{Image: sent(t, anna), Attributes: attributes}))(t)
		if len(out.FaceDetails) == 0 || out.OrientationCorrection != "" {
			t.Fatalf("%s: %+v", name, out)
		}
		wantDefaultAttributes(t, &out.FaceDetails[0])
		wantNoFurtherAttributes(t, &out.FaceDetails[0])
	}
	group := ok(c.DetectFaces(t.Context(), &rekognition.DetectFacesInput{Image: stored("group.png")}))(t)
	if len(group.FaceDetails) < 4 {
		t.Errorf("%d faces in a group", len(group.FaceDetails))
	}
	nobody := ok(c.DetectFaces(t.Context(), &rekognition.DetectFacesInput{Image: stored("blank.jpg")}))(t)
	if nobody.FaceDetails == nil || len(nobody.FaceDetails) != 0 {
		t.Errorf("nobody is %+v", nobody)
	}
}

func TestDetectFacesWithAttributes(t *testing.T) {
	t.Parallel()
	c := client(t)
	all := ok(c.DetectFaces(t.Context(), &rekognition.DetectFacesInput{
		Image: stored(anna), Attributes: []types.Attribute{types.AttributeDefault, types.AttributeAll},
	}))(t)
	wantAllAttributes(t, &all.FaceDetails[0])
	one := ok(c.DetectFaces(t.Context(), &rekognition.DetectFacesInput{
		Image: stored(anna), Attributes: []types.Attribute{types.AttributeGender, types.AttributeBeard},
	}))(t)
	d := one.FaceDetails[0]
	wantDefaultAttributes(t, &d)
	wantNoUnknownAttributes(t, &d)
	if d.Gender == nil || d.Gender.Value != types.GenderTypeFemale || d.AgeRange != nil || d.Emotions != nil {
		t.Errorf("asked for gender alone: %+v", d)
	}
}

func TestDetectFacesRefuses(t *testing.T) {
	t.Parallel()
	c := client(t)
	refusedForItsImage(t, func(i *types.Image) error {
		_, err := c.DetectFaces(t.Context(), &rekognition.DetectFacesInput{Image: i})
		return err
	})
	_, err := c.DetectFaces(t.Context(), &rekognition.DetectFacesInput{Image: stored(anna), Attributes: []types.Attribute{"HAIR"}})
	invalid(t, err, "")
}
