package awsapi

import (
	"slices"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// traits are the face attributes that a request asks for. The default ones are always given; ALL wins over everything.
type traits struct {
	asked []model.Attribute
	// neutral says of an attribute that is not known that it is as likely as not; otherwise it is left out.
	neutral bool
}

// has says whether an attribute is asked for, by itself or with all others.
func (t traits) has(a model.Attribute) bool {
	return slices.Contains(t.asked, a) || slices.Contains(t.asked, model.AttributeAll)
}

// any says whether more than the default attributes are asked for.
func (t traits) any() bool {
	return slices.ContainsFunc(t.asked, func(a model.Attribute) bool { return a != model.AttributeDefault })
}

// detail is a face with the attributes that are asked for and known, and with the neutral ones.
func (t traits) detail(d *service.Detail) *model.FaceDetail {
	out := faceDetail(&d.Detection)
	a := d.Attributes
	if a == nil {
		a = &face.Attributes{}
	}
	if a.Age != nil && t.has(model.AttributeAgeRange) {
		out.AgeRange = ageRange(a.Age)
	}
	if a.Gender != nil && t.has(model.AttributeGender) {
		out.Gender = gender(a.Gender)
	}
	if v, c := t.trait(model.AttributeSmile, a.Smile); v != nil {
		out.Smile = &model.Smile{Value: v, Confidence: c}
	}
	if v, c := t.trait(model.AttributeEyesOpen, a.EyesOpen); v != nil {
		out.EyesOpen = &model.EyeOpen{Value: v, Confidence: c}
	}
	if v, c := t.trait(model.AttributeMouthOpen, a.MouthOpen); v != nil {
		out.MouthOpen = &model.MouthOpen{Value: v, Confidence: c}
	}
	if a.Emotions != nil && t.has(model.AttributeEmotions) {
		out.Emotions = emotions(a.Emotions)
	}
	if a.Further != nil && t.has(model.AttributeAll) { // no single attribute asks for more landmarks
		out.Landmarks = slices.Concat(out.Landmarks, furtherLandmarks(a.Further))
	}
	t.addUnknown(out)
	return out
}

// addUnknown adds the attributes of which no model of a pack says anything.
func (t traits) addUnknown(out *model.FaceDetail) {
	if v, c := t.trait(model.AttributeEyeglasses, nil); v != nil {
		out.Eyeglasses = &model.Eyeglasses{Value: v, Confidence: c}
	}
	if v, c := t.trait(model.AttributeSunglasses, nil); v != nil {
		out.Sunglasses = &model.Sunglasses{Value: v, Confidence: c}
	}
	if v, c := t.trait(model.AttributeBeard, nil); v != nil {
		out.Beard = &model.Beard{Value: v, Confidence: c}
	}
	if v, c := t.trait(model.AttributeMustache, nil); v != nil {
		out.Mustache = &model.Mustache{Value: v, Confidence: c}
	}
	if v, c := t.trait(model.AttributeFaceOccluded, nil); v != nil {
		out.FaceOccluded = &model.FaceOccluded{Value: v, Confidence: c}
	}
	if t.neutral && t.has(model.AttributeEyeDirection) {
		out.EyeDirection = &model.EyeDirection{Yaw: new(float32(0)), Pitch: new(float32(0)), Confidence: new(float32(notLookedAt))}
	}
}

// notLookedAt is the confidence, in percent, of an answer that could as well be the other one.
const notLookedAt = 50

// trait is what is known of an attribute, where it is asked for; nil where it is to be left out.
func (t traits) trait(a model.Attribute, known *face.Trait) (value *bool, confidence *float32) {
	switch {
	case !t.has(a):
		return nil, nil
	case known != nil:
		return new(known.Value), new(percent(known.Confidence))
	case t.neutral:
		return new(false), new(float32(notLookedAt))
	default:
		return nil, nil
	}
}

// faceDetail is a face with the default attributes.
func faceDetail(d *face.Detection) *model.FaceDetail {
	return &model.FaceDetail{
		BoundingBox: boundingBox(d.Box),
		Landmarks:   landmarks(&d.Landmarks),
		Pose: &model.Pose{
			Roll: new(degrees(d.Pose.Roll)), Yaw: new(degrees(d.Pose.Yaw)), Pitch: new(degrees(d.Pose.Pitch)),
		},
		Quality: &model.ImageQuality{
			Brightness: new(percent(d.Quality.Brightness)), Sharpness: new(percent(d.Quality.Sharpness)),
		},
		Confidence: new(percent(d.Confidence)),
	}
}

// landmarks are in the order in which AWS gives them.
func landmarks(l *face.Landmarks) []model.Landmark {
	return []model.Landmark{
		landmark(model.LandmarkTypeEyeLeft, l[face.EyeLeft]),
		landmark(model.LandmarkTypeEyeRight, l[face.EyeRight]),
		landmark(model.LandmarkTypeMouthLeft, l[face.MouthLeft]),
		landmark(model.LandmarkTypeMouthRight, l[face.MouthRight]),
		landmark(model.LandmarkTypeNose, l[face.Nose]),
	}
}

func furtherLandmarks(points *face.FurtherLandmarks) []model.Landmark {
	out := make([]model.Landmark, len(points))
	for i, name := range face.FurtherLandmarkNames() {
		out[i] = landmark(model.LandmarkType(name), points[i])
	}
	return out
}

func landmark(name model.LandmarkType, p face.Point) model.Landmark {
	return model.Landmark{Type: name, X: new(number(p.X)), Y: new(number(p.Y))}
}

func ageRange(a *face.AgeRange) *model.AgeRange {
	const oldest = 150 // nobody is; it keeps a broken model's answer within the shape
	low := min(max(a.Low, 0), oldest)
	high := min(max(a.High, low), oldest)
	return &model.AgeRange{Low: new(int32(low)), High: new(int32(high))}
}

func gender(g *face.Gender) *model.Gender {
	out := &model.Gender{Value: model.GenderTypeMale, Confidence: new(percent(g.Confidence))}
	if g.Female {
		out.Value = model.GenderTypeFemale
	}
	return out
}

func emotions(list []face.Emotion) []model.Emotion {
	out := make([]model.Emotion, len(list))
	for i, e := range list {
		out[i] = model.Emotion{Type: model.EmotionName(e.Type), Confidence: new(percent(e.Confidence))}
	}
	return out
}
