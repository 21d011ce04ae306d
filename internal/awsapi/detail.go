package awsapi

import (
	"slices"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// traits are the face attributes that a request asks for. The default ones are always given; ALL wins over everything.
type traits []model.Attribute

// has says whether an attribute is asked for, by itself or with all others.
func (t traits) has(a model.Attribute) bool {
	return slices.Contains(t, a) || slices.Contains(t, model.AttributeAll)
}

// any says whether more than the default attributes are asked for.
func (t traits) any() bool {
	return slices.ContainsFunc(t, func(a model.Attribute) bool { return a != model.AttributeDefault })
}

// detail is a face with the attributes that are asked for and known.
func (t traits) detail(d *service.Detail) *model.FaceDetail {
	out := faceDetail(&d.Detection)
	a := d.Attributes
	if a == nil {
		return out
	}
	if a.Age != nil && t.has(model.AttributeAgeRange) {
		out.AgeRange = ageRange(a.Age)
	}
	if a.Gender != nil && t.has(model.AttributeGender) {
		out.Gender = gender(a.Gender)
	}
	if a.Smile != nil && t.has(model.AttributeSmile) {
		out.Smile = &model.Smile{Value: new(a.Smile.Value), Confidence: new(percent(a.Smile.Confidence))}
	}
	if a.EyesOpen != nil && t.has(model.AttributeEyesOpen) {
		out.EyesOpen = &model.EyeOpen{Value: new(a.EyesOpen.Value), Confidence: new(percent(a.EyesOpen.Confidence))}
	}
	if a.MouthOpen != nil && t.has(model.AttributeMouthOpen) {
		out.MouthOpen = &model.MouthOpen{Value: new(a.MouthOpen.Value), Confidence: new(percent(a.MouthOpen.Confidence))}
	}
	if a.Emotions != nil && t.has(model.AttributeEmotions) {
		out.Emotions = emotions(a.Emotions)
	}
	if t.has(model.AttributeAll) { // no single attribute asks for more landmarks
		out.Landmarks = slices.Concat(out.Landmarks, furtherLandmarks(a.Points))
	}
	return out
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

func furtherLandmarks(points []face.NamedPoint) []model.Landmark {
	out := make([]model.Landmark, len(points))
	for i, p := range points {
		out[i] = landmark(model.LandmarkType(p.Name), p.Point)
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
