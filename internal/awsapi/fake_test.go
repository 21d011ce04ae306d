package awsapi

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// recorder is a Service that knows one of everything, or nothing at all, and writes down what it is asked.
type recorder struct {
	asked strings.Builder
	// empty makes every answer as poor as it can be.
	empty bool
	state service.JobState
	// fails is what every call ends with, if set.
	fails error
	// detail is the face that is seen everywhere; the usual one if nil.
	detail *service.Detail
}

func (r *recorder) note(call string, args ...any) error {
	r.asked.WriteString(call)
	for _, a := range args {
		text, err := json.Marshal(a)
		if err != nil {
			return err
		}
		fmt.Fprintf(&r.asked, " %s", text)
	}
	r.asked.WriteString("\n")
	return r.fails
}

var (
	someTime = time.Date(2026, 11, 23, 4, 31, 47, 250e6, time.UTC)
	bob      = service.Face{
		Enrolled: face.Enrolled{
			ID: face.ID{0x0b}, ImageID: face.ID{0x1b}, ExternalID: "bob.1",
			Detection: face.Detection{Box: face.Box{Left: 0.25, Top: -0.5, Width: 0.5, Height: 1.5}, Confidence: 99.5},
		},
		User: "bob", Version: "1.0",
	}
	nobody = service.Face{Enrolled: face.Enrolled{ID: face.ID{0x0c}, ImageID: face.ID{0x1c}}, Version: "1.0"}
)

func seen() service.Detail {
	return service.Detail{
		Detection: face.Detection{
			Box:        face.Box{Left: 0.125, Top: 0.25, Width: 0.5, Height: 0.75},
			Landmarks:  face.Landmarks{{X: 0.25, Y: 0.5}, {X: 0.5, Y: 0.5}, {X: 0.375, Y: 0.625}, {X: 0.25, Y: 0.75}, {X: 0.5, Y: 0.75}},
			Confidence: 98.5, Pose: face.Pose{Roll: -1.5, Yaw: 2.5, Pitch: 0}, Quality: face.Quality{Brightness: 50, Sharpness: 75.5},
		},
		Attributes: &face.Attributes{
			Age:       &face.AgeRange{Low: 30, High: 38},
			Gender:    &face.Gender{Female: true, Confidence: 97.5},
			Smile:     &face.Trait{Value: false, Confidence: 60},
			EyesOpen:  &face.Trait{Value: true, Confidence: 99},
			MouthOpen: &face.Trait{Value: false, Confidence: 88},
			Emotions:  []face.Emotion{{Type: face.Calm, Confidence: 70}, {Type: face.Happy, Confidence: 20}},
			Further:   &face.FurtherLandmarks{2: {X: 0.25, Y: 0.375}},
		},
	}
}

func (r *recorder) seen() service.Detail {
	if r.detail != nil {
		return *r.detail
	}
	return seen()
}

func (r *recorder) hits() []service.FaceHit {
	if r.empty {
		return nil
	}
	return []service.FaceHit{{Face: bob, Similarity: 99.25}, {Face: nobody, Similarity: 80}}
}

func (r *recorder) users() []service.UserHit {
	if r.empty {
		return nil
	}
	return []service.UserHit{{User: service.User{ID: "bob", Status: service.UserActive}, Similarity: 91}}
}

func (r *recorder) unused(why ...service.Reason) []service.Unused {
	if r.empty {
		return nil
	}
	return []service.Unused{{Detail: r.seen(), Reasons: why}}
}

func (r *recorder) collection(id service.CollectionID) *service.Collection {
	c := &service.Collection{ID: id, Version: "1.0", Created: someTime}
	if !r.empty {
		c.Faces, c.Users = 12, 3
	}
	return c
}

func (r *recorder) CreateCollection(
	_ context.Context, id service.CollectionID, tags map[string]string,
) (*service.Collection, error) {
	return r.collection(id), r.note("CreateCollection", id, tags)
}

func (r *recorder) Collection(_ context.Context, id service.CollectionID) (*service.Collection, error) {
	return r.collection(id), r.note("Collection", id)
}

func (r *recorder) Collections(_ context.Context, p service.PageRequest) ([]service.Collection, string, error) {
	err := r.note("Collections", p)
	if r.empty {
		return nil, "", err
	}
	return []service.Collection{*r.collection("a"), *r.collection("b")}, "next", err
}

func (r *recorder) DeleteCollection(_ context.Context, id service.CollectionID) error {
	return r.note("DeleteCollection", id)
}

func (r *recorder) Tags(_ context.Context, id service.CollectionID) (map[string]string, error) {
	err := r.note("Tags", id)
	if r.empty {
		return nil, err
	}
	return map[string]string{"team": "news", "empty": ""}, err
}

func (r *recorder) Tag(_ context.Context, id service.CollectionID, tags map[string]string) error {
	return r.note("Tag", id, tags)
}

func (r *recorder) Untag(_ context.Context, id service.CollectionID, keys []string) error {
	return r.note("Untag", id, keys)
}

func (r *recorder) IndexFaces(_ context.Context, q service.IndexRequest) (*service.Indexed, error) {
	out := &service.Indexed{Version: "1.0", Unindexed: r.unused(service.SmallBoundingBox, service.LowSharpness)}
	if !r.empty {
		out.Faces = []service.IndexedFace{{Face: bob, Detail: r.seen()}}
	}
	return out, r.note("IndexFaces", q)
}

func (r *recorder) Faces(_ context.Context, q service.FaceList) (*service.Faces, error) {
	err := r.note("Faces", q)
	if r.empty {
		return &service.Faces{Version: "1.0"}, err
	}
	return &service.Faces{Faces: []service.Face{bob, nobody}, Next: "next", Version: "1.0"}, err
}

func (r *recorder) DeleteFaces(_ context.Context, id service.CollectionID, ids []face.ID) (*service.DeletedFaces, error) {
	err := r.note("DeleteFaces", id, ids)
	if r.empty {
		return &service.DeletedFaces{}, err
	}
	return &service.DeletedFaces{
		Deleted: []face.ID{nobody.ID}, Associated: []service.AssociatedFace{{ID: bob.ID, User: "bob"}}, Unknown: []face.ID{{0xff}},
	}, err
}

func (r *recorder) SearchFaces(
	_ context.Context, id service.CollectionID, probe face.ID, q service.Search,
) (*service.FacesFound, error) {
	return &service.FacesFound{Hits: r.hits(), Version: "1.0"}, r.note("SearchFaces", id, probe, q)
}

func (r *recorder) SearchFacesByImage(
	_ context.Context, id service.CollectionID, i service.Image, f service.QualityFilter, q service.Search,
) (*service.FacesFound, error) {
	return &service.FacesFound{Probe: r.seen(), Hits: r.hits(), Version: "1.0"}, r.note("SearchFacesByImage", id, i, f, q)
}

func (r *recorder) CreateUser(_ context.Context, id service.CollectionID, u service.UserID, token string) error {
	return r.note("CreateUser", id, u, token)
}

func (r *recorder) DeleteUser(_ context.Context, id service.CollectionID, u service.UserID, token string) error {
	return r.note("DeleteUser", id, u, token)
}

func (r *recorder) Users(
	_ context.Context, id service.CollectionID, p service.PageRequest,
) ([]service.User, string, error) {
	err := r.note("Users", id, p)
	if r.empty {
		return nil, "", err
	}
	return []service.User{{ID: "ann", Status: service.UserCreated}, {ID: "bob", Status: service.UserActive}}, "next", err
}

func (r *recorder) AssociateFaces(_ context.Context, q service.AssociateRequest) (*service.Associated, error) {
	err := r.note("AssociateFaces", q)
	if r.empty {
		return &service.Associated{Status: service.UserCreated}, err
	}
	return &service.Associated{Done: []face.ID{bob.ID}, Status: service.UserActive, Failed: []service.NotAssociated{
		{ID: face.ID{0xff}, Reason: service.UnknownFace},
		{ID: face.ID{0xfe}, Reason: service.OtherUser, User: "ann"},
		{ID: face.ID{0xfd}, Reason: service.LowSimilarity, Similarity: 0},
	}}, err
}

func (r *recorder) DisassociateFaces(_ context.Context, q service.AssociateRequest) (*service.Associated, error) {
	err := r.note("DisassociateFaces", q)
	if r.empty {
		return &service.Associated{Status: service.UserCreated}, err
	}
	return &service.Associated{Done: []face.ID{bob.ID}, Status: service.UserActive, Failed: []service.NotAssociated{
		{ID: face.ID{0xff}, Reason: service.UnknownFace}, {ID: face.ID{0xfe}, Reason: service.OtherUser, User: "ann"},
	}}, err
}

func (r *recorder) SearchUsers(
	_ context.Context, id service.CollectionID, u service.UserID, q service.Search,
) (*service.UsersFound, error) {
	return &service.UsersFound{Hits: r.users(), Version: "1.0"}, r.note("SearchUsers", id, u, q)
}

func (r *recorder) SearchUsersByFace(
	_ context.Context, id service.CollectionID, probe face.ID, q service.Search,
) (*service.UsersFound, error) {
	return &service.UsersFound{Hits: r.users(), Version: "1.0"}, r.note("SearchUsersByFace", id, probe, q)
}

func (r *recorder) SearchUsersByImage(
	_ context.Context, id service.CollectionID, i service.Image, f service.QualityFilter, q service.Search,
) (*service.UsersFound, error) {
	out := &service.UsersFound{Hits: r.users(), Unused: r.unused(service.NotLargest), Version: "1.0"}
	if !r.empty {
		out.Probe = new(r.seen())
	}
	return out, r.note("SearchUsersByImage", id, i, f, q)
}

func (r *recorder) DetectFaces(_ context.Context, i service.Image, attributes bool) ([]service.Detail, error) {
	err := r.note("DetectFaces", i, attributes)
	if r.empty {
		return nil, err
	}
	return []service.Detail{r.seen()}, err
}

func (r *recorder) CompareFaces(
	_ context.Context, source, target service.Image, t *face.Similarity, f service.QualityFilter,
) (*service.Comparison, error) {
	out := &service.Comparison{Source: r.seen()}
	if !r.empty {
		out.Matches = []service.ComparedFace{{Detail: r.seen(), Similarity: 88}}
		out.Unmatched = []service.Detail{r.seen()}
	}
	return out, r.note("CompareFaces", source, target, t, f)
}

func (r *recorder) StartJob(_ context.Context, q service.StartRequest) (service.JobID, error) {
	return service.JobID(strings.Repeat("0f", 32)), r.note("StartJob", q)
}

func (r *recorder) job(id service.JobID) *service.Job {
	j := &service.Job{
		ID: id, Operation: service.FaceSearch, State: r.state, Video: service.Object{Bucket: "bucket", Key: "a/video.mp4"},
		Collection: "people", Created: someTime,
	}
	if r.empty {
		return j
	}
	j.Video.Version, j.Tag = "v1", "tag"
	j.Plan = &service.JobPlan{Segments: 2, Warnings: []string{"The index is broken."}, Info: face.VideoInfo{
		Codec: "h264", Format: "QuickTime / MOV", Duration: 67_300 * time.Millisecond, FrameRate: 29.97, Width: 1920, Height: 1080,
	}}
	switch j.SegmentsDone = 1; r.state {
	case service.Succeeded:
		j.Results, j.Finished, j.Expires = &service.Results{Sightings: 2, Persons: 2}, someTime.Add(time.Minute), someTime.Add(time.Hour)
	case service.Failed:
		j.Message, j.Finished, j.Expires = "Unsupported codec/format.", someTime.Add(time.Minute), someTime.Add(time.Hour)
	case service.InProgress:
	}
	return j
}

func (r *recorder) Results(_ context.Context, q service.ResultRequest) (*service.ResultPage, error) {
	out := &service.ResultPage{Job: r.job(q.Job)}
	if !r.empty && r.state == service.Succeeded {
		shared := r.hits()
		out.Next = "next"
		out.Sightings = []service.JobSighting{
			{Sighting: face.Sighting{Time: 0, Person: 0, Detection: r.seen().Detection}, Hits: shared},
			{Sighting: face.Sighting{Time: 467_200 * time.Microsecond, Person: 1, Detection: r.seen().Detection}},
			{Sighting: face.Sighting{Time: 967 * time.Millisecond, Person: 0, Detection: r.seen().Detection}, Hits: shared},
		}
	}
	return out, r.note("Results", q)
}

func (r *recorder) Job(_ context.Context, id service.JobID) (*service.Job, error) {
	return r.job(id), r.note("Job", id)
}

func (r *recorder) Progress(j *service.Job) service.Progress {
	if j.State != service.InProgress {
		return service.Progress{Done: 1, Speed: 8}
	}
	return service.Progress{Done: 0.25, Speed: 8.125, Left: 24_700 * time.Millisecond}
}

func (r *recorder) CancelJob(_ context.Context, id service.JobID) error {
	return r.note("CancelJob", id)
}

func (r *recorder) DeleteJob(_ context.Context, id service.JobID) error {
	return r.note("DeleteJob", id)
}

func (r *recorder) Jobs(_ context.Context, s service.JobState, p service.PageRequest) (*service.JobList, error) {
	err := r.note("Jobs", s, p)
	if r.empty {
		return &service.JobList{}, err
	}
	return &service.JobList{Jobs: []service.Job{*r.job("a"), *r.job("b")}, Next: "next"}, err
}
