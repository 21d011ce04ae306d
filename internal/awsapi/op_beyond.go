package awsapi

import (
	"context"
	"time"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/service"
)

func getJob(ctx context.Context, s Service, _ call, in *model.JobRequest) (*model.GetJobResponse, error) {
	j, err := s.Job(ctx, service.JobID(in.JobId))
	if err != nil {
		return nil, err
	}
	return &model.GetJobResponse{Job: new(job(s, j))}, nil
}

func cancelJob(ctx context.Context, s Service, _ call, in *model.JobRequest) (*model.JobResponse, error) {
	return nil, s.CancelJob(ctx, service.JobID(in.JobId))
}

func deleteJob(ctx context.Context, s Service, _ call, in *model.JobRequest) (*model.JobResponse, error) {
	return nil, s.DeleteJob(ctx, service.JobID(in.JobId))
}

func listJobs(ctx context.Context, s Service, _ call, in *model.ListJobsRequest) (*model.ListJobsResponse, error) {
	found, err := s.Jobs(ctx, jobState(in.Status), page(in.NextToken, in.MaxResults))
	if err != nil {
		return nil, err
	}
	out := &model.ListJobsResponse{Jobs: make([]model.Job, len(found.Jobs)), NextToken: found.Next}
	for i := range found.Jobs {
		out.Jobs[i] = job(s, &found.Jobs[i])
	}
	return out, nil
}

// jobState is empty for no status: jobs of any.
func jobState(s model.VideoJobStatus) service.JobState {
	switch s {
	case model.VideoJobStatusInProgress:
		return service.InProgress
	case model.VideoJobStatusSucceeded:
		return service.Succeeded
	case model.VideoJobStatusFailed:
		return service.Failed
	default:
		return ""
	}
}

func job(s Service, j *service.Job) model.Job {
	out := model.Job{
		JobId: string(j.ID), API: startedBy(j.Operation), Status: jobStatus(j.State), StatusMessage: j.Message,
		Video: video(j.Video), CollectionId: string(j.Collection), JobTag: j.Tag,
		CreationTimestamp: moment(j.Created), CompletionTimestamp: moment(j.Finished), ExpirationTimestamp: moment(j.Expires),
	}
	if j.Plan != nil {
		out.VideoMetadata = videoMetadata(&j.Plan.Info)
		out.Segments, out.SegmentsDone = new(int64(j.Plan.Segments)), new(int64(j.SegmentsDone))
		out.Warnings = j.Plan.Warnings
		out.Progress = progress(s.Progress(j))
	}
	if j.Results != nil {
		out.PersonCount, out.SightingCount = new(int64(j.Results.Persons)), new(int64(j.Results.Sightings))
	}
	return out
}

// startedBy is the name of the operation that starts such jobs.
func startedBy(o service.Operation) string {
	switch o {
	case service.FaceDetection:
		return "StartFaceDetection"
	case service.PersonTracking:
		return "StartPersonTracking"
	default:
		return "StartFaceSearch"
	}
}

// progress leaves out what is not known.
func progress(p service.Progress) *model.JobProgress {
	out := &model.JobProgress{Percent: new(percent(float32(100 * p.Done)))}
	if p.Speed > 0 {
		out.TimesRealTime = new(float32(p.Speed))
	}
	if p.Left > 0 {
		out.SecondsLeft = new(int64(p.Left.Round(time.Second) / time.Second))
	}
	return out
}

// moment is nil for a time that has not come.
func moment(t time.Time) *model.EpochSeconds {
	if t.IsZero() {
		return nil
	}
	return model.Epoch(t)
}
