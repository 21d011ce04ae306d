package awsapi

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// FaceSearch is what a GetFaceSearch document is made of.
type FaceSearch struct {
	Status JobStatus
	// Message says why a search failed; empty otherwise.
	Message string
	Video   face.VideoInfo
	// Sightings stand in the document in the order in which they stand here: by time, then person, for TIMESTAMP.
	Sightings []face.Sighting
	// Enrolled looks up a matched face. A face that it does not know any more is given by its id alone.
	Enrolled func(face.ID) (face.Enrolled, bool)
}

// WriteFaceSearch writes the document with all its pages merged, as one line of JSON. Sightings are encoded one at a
// time, so memory does not grow with their number. An error is w's, wrapped.
func WriteFaceSearch(w io.Writer, in FaceSearch) error {
	head, err := json.Marshal(FaceSearchDocument{
		JobStatus: in.Status, StatusMessage: in.Message,
		VideoMetadata: videoMetadata(&in.Video), Persons: []PersonMatch{},
	})
	if err != nil {
		return fmt.Errorf("encode face search: %w", err)
	}
	// Persons is the last member, so the sightings go between these two brackets.
	const tail = "]}"
	if !bytes.HasSuffix(head, []byte(tail)) {
		return fmt.Errorf("encode face search: the document ends in %q and not in its persons", head[len(head)-len(tail):])
	}
	out := bufio.NewWriterSize(w, 64<<10)
	_, _ = out.Write(head[:len(head)-len(tail)]) // the writer keeps its first error and gives it to every later call
	for i := range in.Sightings {
		element, err := json.Marshal(personMatch(&in.Sightings[i], in.Enrolled))
		if err != nil {
			return fmt.Errorf("encode sighting %d: %w", i, err)
		}
		if i > 0 {
			_ = out.WriteByte(',')
		}
		if _, err := out.Write(element); err != nil {
			return fmt.Errorf("write face search: %w", err)
		}
	}
	_, _ = out.WriteString(tail + "\n")
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write face search: %w", err)
	}
	return nil
}

func videoMetadata(v *face.VideoInfo) VideoMetadata {
	m := VideoMetadata{
		Codec: v.Codec, DurationMillis: max(millis(v.Duration), 0), Format: v.Format,
		FrameRate: max(number(float32(v.FrameRate)), 0), FrameHeight: max(v.Height, 0), FrameWidth: max(v.Width, 0),
	}
	switch {
	case v.Codec == "": // nothing was decoded, so nothing is known of its range
	case v.FullRange:
		m.ColorRange = "FULL"
	default:
		m.ColorRange = "LIMITED"
	}
	return m
}

func personMatch(s *face.Sighting, enrolled func(face.ID) (face.Enrolled, bool)) PersonMatch {
	box := boundingBox(s.Detection.Box)
	return PersonMatch{
		Timestamp:   millis(s.Time),
		Person:      PersonDetail{Index: s.Person, BoundingBox: box, Face: faceDetail(&s.Detection)},
		FaceMatches: faceMatches(s.Matches, enrolled),
	}
}

func faceDetail(d *face.Detection) FaceDetail {
	return FaceDetail{
		BoundingBox: boundingBox(d.Box),
		Landmarks:   landmarks(&d.Landmarks),
		Pose:        Pose{Roll: degrees(d.Pose.Roll), Yaw: degrees(d.Pose.Yaw), Pitch: degrees(d.Pose.Pitch)},
		Quality:     ImageQuality{Brightness: percent(d.Quality.Brightness), Sharpness: percent(d.Quality.Sharpness)},
		Confidence:  percent(d.Confidence),
	}
}

// landmarks are in the order in which AWS gives them.
func landmarks(l *face.Landmarks) []Landmark {
	point := func(name string, i int) Landmark { return Landmark{Type: name, X: number(l[i].X), Y: number(l[i].Y)} }
	return []Landmark{
		point("eyeLeft", face.EyeLeft),
		point("eyeRight", face.EyeRight),
		point("mouthLeft", face.MouthLeft),
		point("mouthRight", face.MouthRight),
		point("nose", face.Nose),
	}
}

func faceMatches(matches []face.Match, enrolled func(face.ID) (face.Enrolled, bool)) []FaceMatch {
	out := make([]FaceMatch, len(matches))
	for i, m := range matches {
		out[i] = FaceMatch{Similarity: percent(float32(m.Similarity)), Face: Face{FaceID: m.ID.String()}}
		e, known := enrolled(m.ID)
		if !known {
			continue
		}
		box, confidence := boundingBox(e.Detection.Box), percent(e.Detection.Confidence)
		f := &out[i].Face
		f.BoundingBox, f.Confidence = &box, &confidence
		f.ImageID, f.ExternalImageID = e.ImageID.String(), e.ExternalID
	}
	return out
}

func boundingBox(b face.Box) BoundingBox {
	return BoundingBox{Width: number(b.Width), Height: number(b.Height), Left: number(b.Left), Top: number(b.Top)}
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
