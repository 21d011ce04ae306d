package awsapi

import (
	"context"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/service"
)

func startFaceSearch(
	ctx context.Context, s Service, c call, in *model.StartFaceSearchRequest,
) (*model.StartFaceSearchResponse, error) {
	id, err := start(ctx, s, c, in.Video, in.NotificationChannel, service.StartRequest{
		Operation: service.FaceSearch, Collection: service.CollectionID(in.CollectionId),
		Threshold: threshold(in.FaceMatchThreshold), Token: in.ClientRequestToken, Tag: in.JobTag,
	})
	return &model.StartFaceSearchResponse{JobId: string(id)}, err
}

func startFaceDetection(
	ctx context.Context, s Service, c call, in *model.StartFaceDetectionRequest,
) (*model.StartFaceDetectionResponse, error) {
	id, err := start(ctx, s, c, in.Video, in.NotificationChannel, service.StartRequest{
		Operation: service.FaceDetection, Attributes: in.FaceAttributes == model.FaceAttributesAll,
		Token: in.ClientRequestToken, Tag: in.JobTag,
	})
	return &model.StartFaceDetectionResponse{JobId: string(id)}, err
}

func startPersonTracking(
	ctx context.Context, s Service, c call, in *model.StartPersonTrackingRequest,
) (*model.StartPersonTrackingResponse, error) {
	id, err := start(ctx, s, c, in.Video, in.NotificationChannel, service.StartRequest{
		Operation: service.PersonTracking, Token: in.ClientRequestToken, Tag: in.JobTag,
	})
	return &model.StartPersonTrackingResponse{JobId: string(id)}, err
}

// start adds what all kinds of jobs have.
func start(
	ctx context.Context, s Service, c call, v *model.Video, n *model.NotificationChannel, r service.StartRequest,
) (service.JobID, error) {
	var err error
	if r.Video, err = object("video", v.S3Object); err != nil {
		return "", err
	}
	if n != nil {
		r.Topic, r.Role = n.SNSTopicArn, n.RoleArn
	}
	r.Caller = c.caller
	return s.StartJob(ctx, r)
}

// roleOf is the role that is handed on for notifications.
func roleOf(n *model.NotificationChannel) string {
	if n == nil {
		return ""
	}
	return n.RoleArn
}

// mostResults is the most results of a page of a job. More may be asked for and are not given: the service model has no bound
// there, and AWS documents that it answers with this many.
const mostResults = 1000

func results(
	ctx context.Context, s Service, o service.Operation, id, token string, most *int32, by service.Order,
) (*service.ResultPage, error) {
	r := service.ResultRequest{Operation: o, Job: service.JobID(id), Order: by, Page: page(token, most)}
	r.Page.Max = min(r.Page.Max, mostResults)
	return s.Results(ctx, r)
}

func getFaceSearch(
	ctx context.Context, s Service, _ call, in *model.GetFaceSearchRequest,
) (*model.GetFaceSearchResponse, error) {
	by := service.ByTime
	if in.SortBy == model.FaceSearchSortByIndex {
		by = service.ByPerson
	}
	found, err := results(ctx, s, service.FaceSearch, in.JobId, in.NextToken, in.MaxResults, by)
	if err != nil {
		return nil, err
	}
	return &model.GetFaceSearchResponse{
		JobStatus: jobStatus(found.Job.State), StatusMessage: found.Job.Message, NextToken: found.Next,
		VideoMetadata: jobMetadata(found.Job), Persons: personMatches(found.Sightings),
		JobId: string(found.Job.ID), Video: video(found.Job.Video), JobTag: found.Job.Tag,
	}, nil
}

func getFaceDetection(
	ctx context.Context, s Service, c call, in *model.GetFaceDetectionRequest,
) (*model.GetFaceDetectionResponse, error) {
	found, err := results(ctx, s, service.FaceDetection, in.JobId, in.NextToken, in.MaxResults, service.ByTime)
	if err != nil {
		return nil, err
	}
	out := &model.GetFaceDetectionResponse{
		JobStatus: jobStatus(found.Job.State), StatusMessage: found.Job.Message, NextToken: found.Next,
		VideoMetadata: jobMetadata(found.Job), Faces: make([]model.FaceDetection, len(found.Sightings)),
		JobId: string(found.Job.ID), Video: video(found.Job.Video), JobTag: found.Job.Tag,
	}
	want := traits{asked: []model.Attribute{model.AttributeAll}, neutral: c.neutral && found.Job.Attributes}
	for i := range found.Sightings {
		f := &found.Sightings[i]
		seen := service.Detail{Detection: f.Detection, Attributes: f.Attributes}
		out.Faces[i] = model.FaceDetection{Timestamp: new(millis(f.Time)), Face: want.detail(&seen)}
	}
	return out, nil
}

// getPersonTracking gives persons that are known by their faces: one whose face is not seen is not there.
func getPersonTracking(
	ctx context.Context, s Service, _ call, in *model.GetPersonTrackingRequest,
) (*model.GetPersonTrackingResponse, error) {
	by := service.ByTime
	if in.SortBy == model.PersonTrackingSortByIndex {
		by = service.ByPerson
	}
	found, err := results(ctx, s, service.PersonTracking, in.JobId, in.NextToken, in.MaxResults, by)
	if err != nil {
		return nil, err
	}
	out := &model.GetPersonTrackingResponse{
		JobStatus: jobStatus(found.Job.State), StatusMessage: found.Job.Message, NextToken: found.Next,
		VideoMetadata: jobMetadata(found.Job), Persons: make([]model.PersonDetection, len(found.Sightings)),
		JobId: string(found.Job.ID), Video: video(found.Job.Video), JobTag: found.Job.Tag,
	}
	for i := range found.Sightings {
		seen := &found.Sightings[i].Sighting
		out.Persons[i] = model.PersonDetection{Timestamp: new(millis(seen.Time)), Person: person(seen)}
	}
	return out, nil
}

// personMatches are sightings. Those of one tracklet share their matches, so these are made once.
func personMatches(sightings []service.JobSighting) []model.PersonMatch {
	out := make([]model.PersonMatch, len(sightings))
	made := map[*service.FaceHit][]model.FaceMatch{}
	for i := range sightings {
		s := &sightings[i]
		if len(s.Hits) == 0 {
			out[i] = personMatch(&s.Sighting, []model.FaceMatch{})
			continue
		}
		first := &s.Hits[0]
		if len(made[first]) != len(s.Hits) {
			made[first] = faceMatches(s.Hits)
		}
		out[i] = personMatch(&s.Sighting, made[first])
	}
	return out
}

// jobMetadata is never nil: clients reach into it whatever the status. While a job is in progress it is empty.
func jobMetadata(j *service.Job) *model.VideoMetadata {
	if j.Plan == nil || j.State == service.InProgress {
		return &model.VideoMetadata{}
	}
	return videoMetadata(&j.Plan.Info)
}

func jobStatus(s service.JobState) model.VideoJobStatus {
	switch s {
	case service.Succeeded:
		return model.VideoJobStatusSucceeded
	case service.Failed:
		return model.VideoJobStatusFailed
	default:
		return model.VideoJobStatusInProgress
	}
}

func video(o service.Object) *model.Video {
	return &model.Video{S3Object: &model.S3Object{Bucket: o.Bucket, Name: o.Key, Version: o.Version}}
}
