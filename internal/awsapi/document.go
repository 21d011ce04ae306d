package awsapi

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// FaceSearchDocument is the GetFaceSearch response. In a written document, members that only a server knows (JobId,
// NextToken) are absent.
type FaceSearchDocument = model.GetFaceSearchResponse

// JobStatus says how far an asynchronous operation is.
type JobStatus = model.VideoJobStatus

// The values of [JobStatus].
const (
	InProgress = model.VideoJobStatusInProgress
	Succeeded  = model.VideoJobStatusSucceeded
	Failed     = model.VideoJobStatusFailed
)

// FaceSearch is what a GetFaceSearch document is made of.
type FaceSearch struct {
	Status JobStatus
	// Message says why a search failed, or what of the video was not searched; empty otherwise.
	Message string
	// Tag names the document where there are several of one video, as a job's tag does.
	Tag string
	// Name is the video's, as who asked named it; the document has it as Video.S3Object.Name, without a bucket. Bytes that
	// are not UTF-8 become U+FFFD. None where it is empty.
	Name  string
	Video face.VideoInfo
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
		VideoMetadata: videoMetadata(&in.Video), Persons: []model.PersonMatch{},
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
		element, err := json.Marshal(personMatch(&in.Sightings[i], in.matches(in.Sightings[i].Matches)))
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
	_ = out.WriteByte(']')
	if err := in.writeRest(out); err != nil {
		return err
	}
	_, _ = out.WriteString("}\n")
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write face search: %w", err)
	}
	return nil
}

// writeRest writes the members that come after Persons.
func (in *FaceSearch) writeRest(out *bufio.Writer) error {
	rest, err := json.Marshal(struct {
		Video  *model.Video `json:",omitzero"`
		JobTag string       `json:",omitzero"`
	}{in.object(), in.Tag})
	if err != nil {
		return fmt.Errorf("encode video and tag: %w", err)
	}
	if members := rest[1 : len(rest)-1]; len(members) > 0 {
		_ = out.WriteByte(',')
		_, _ = out.Write(members)
	}
	return nil
}

func (in *FaceSearch) object() *model.Video {
	if in.Name == "" {
		return nil
	}
	return video(service.Object{Key: in.Name})
}

// matches are those of a sighting, with what is known of the enrolled faces.
func (in *FaceSearch) matches(list []face.Match) []model.FaceMatch {
	out := make([]model.FaceMatch, len(list))
	for i, m := range list {
		out[i] = model.FaceMatch{Similarity: new(percent(float32(m.Similarity))), Face: &model.Face{FaceId: m.ID.String()}}
		if e, known := in.Enrolled(m.ID); known {
			e.ID = m.ID
			out[i].Face = enrolledFace(&service.Face{Enrolled: e})
		}
	}
	return out
}
