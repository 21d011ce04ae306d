package awsapi

import (
	"math"
	"time"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

func videoMetadata(v *face.VideoInfo) *model.VideoMetadata {
	m := &model.VideoMetadata{
		Codec: v.Codec, DurationMillis: positive(millis(v.Duration)), Format: v.Format,
		FrameHeight: positive(int64(v.Height)), FrameWidth: positive(int64(v.Width)),
	}
	if rate := number(float32(v.FrameRate)); rate > 0 {
		m.FrameRate = &rate
	}
	switch {
	case v.Codec == "": // nothing was decoded, so nothing is known of its range
	case v.FullRange:
		m.ColorRange = model.VideoColorRangeFull
	default:
		m.ColorRange = model.VideoColorRangeLimited
	}
	return m
}

// positive is nil for a number that says that nothing is known: members of a video that could not be read are absent.
func positive(n int64) *int64 {
	if n <= 0 {
		return nil
	}
	return &n
}

// person is who is seen. The box is the face's: Spotter does not look for bodies.
func person(s *face.Sighting) *model.PersonDetail {
	return &model.PersonDetail{
		Index: new(int64(s.Person)), BoundingBox: boundingBox(s.Detection.Box), Face: faceDetail(&s.Detection),
	}
}

// personMatch is a face of a video at one time.
func personMatch(s *face.Sighting, matches []model.FaceMatch) model.PersonMatch {
	return model.PersonMatch{Timestamp: new(millis(s.Time)), Person: person(s), FaceMatches: matches}
}

// faceMatches is never nil: an empty list says that nobody matches.
func faceMatches(hits []service.FaceHit) []model.FaceMatch {
	out := make([]model.FaceMatch, len(hits))
	for i := range hits {
		out[i] = model.FaceMatch{
			Similarity: new(percent(float32(hits[i].Similarity))), Face: enrolledFace(&hits[i].Face),
		}
	}
	return out
}

func userMatches(hits []service.UserHit) []model.UserMatch {
	out := make([]model.UserMatch, len(hits))
	for i, h := range hits {
		out[i] = model.UserMatch{
			Similarity: new(percent(float32(h.Similarity))),
			User:       &model.MatchedUser{UserId: string(h.User.ID), UserStatus: model.UserStatus(h.User.Status)},
		}
	}
	return out
}

func enrolledFace(f *service.Face) *model.Face {
	return &model.Face{
		FaceId: f.ID.String(), BoundingBox: boundingBox(f.Detection.Box), ImageId: f.ImageID.String(),
		ExternalImageId: f.ExternalID, Confidence: new(percent(f.Detection.Confidence)),
		IndexFacesModelVersion: f.Version, UserId: string(f.User),
	}
}

func boundingBox(b face.Box) *model.BoundingBox {
	return &model.BoundingBox{
		Width: new(number(b.Width)), Height: new(number(b.Height)), Left: new(number(b.Left)), Top: new(number(b.Top)),
	}
}

// words spells values that the service has in AWS's words already.
func words[To, From ~string](list []From) []To {
	out := make([]To, len(list))
	for i, w := range list {
		out[i] = To(w)
	}
	return out
}

// millis rounds to the nearest millisecond.
func millis(d time.Duration) int64 { return d.Round(time.Millisecond).Milliseconds() }

// number replaces what JSON cannot say by 0.
func number(x float32) float32 {
	if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
		return 0
	}
	return x
}

// percent is held to the range that the service model gives, so that a client's own validation takes it.
func percent(x float32) float32 { return min(max(number(x), 0), 100) }

func degrees(x float32) float32 { return min(max(number(x), -180), 180) }
