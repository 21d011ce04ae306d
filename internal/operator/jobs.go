package operator

import (
	"context"
	"fmt"
	"time"

	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/service"
)

// Job is a stored video that is worked on, or was.
type Job struct {
	ID string `json:"job_id"`
	// Operation is face-search, face-detection or person-tracking; State is in-progress, succeeded or failed.
	Operation string `json:"operation"`
	State     string `json:"state"`
	// Message says why the job failed.
	Message string   `json:"message,omitempty"`
	Video   JobVideo `json:"video"`
	// AccessKey is the id of the one that has begun it; Background says that it waits for others.
	AccessKey  string `json:"access_key_id,omitempty"`
	Background bool   `json:"background,omitempty"`
	// Collection and Threshold, in percent, are of a face search.
	Collection string  `json:"collection,omitempty"`
	Threshold  float32 `json:"threshold,omitempty"`
	Tag        string  `json:"tag,omitempty"`
	Topic      string  `json:"topic,omitempty"`
	// Expires is when the results go away.
	Created  time.Time `json:"created"`
	Finished time.Time `json:"finished,omitzero"`
	Expires  time.Time `json:"expires,omitzero"`
	// Segments is how many pieces the video is worked on in, SegmentsDone how many are done; 0 until it has been looked at.
	Segments     int `json:"segments"`
	SegmentsDone int `json:"segments_done"`
	// Shared says that they were another job's, of the same video.
	Shared   bool     `json:"shared,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	// Progress is nil until it is known what the video is.
	Progress *JobProgress `json:"progress,omitempty"`
	// Results is how much a job has found that has succeeded.
	Results *JobResults `json:"results,omitempty"`
}

// JobProgress says how far the analysis of a job's video is.
type JobProgress struct {
	Percent float64 `json:"percent"`
	// TimesRealTime is how many seconds of the video were analysed in one second since the job was started.
	TimesRealTime float64 `json:"times_real_time,omitempty"`
	// SecondsLeft is how long it takes yet if it goes on like this.
	SecondsLeft float64 `json:"seconds_left,omitempty"`
}

// JobVideo is the object that a job is about, and what is known of it.
type JobVideo struct {
	Bucket  string  `json:"bucket"`
	Key     string  `json:"key"`
	Version string  `json:"version,omitempty"`
	Size    int64   `json:"size"`              // bytes
	Seconds float64 `json:"seconds,omitempty"` // of playing; 0 until it has been looked at
}

// JobResults is how many people a job has seen, and how many times at all: each person counts at each analysed time.
type JobResults struct {
	Persons   int `json:"persons"`
	Sightings int `json:"sightings"`
}

func jobOf(s *service.Service, j *service.Job) Job {
	out := Job{
		ID: string(j.ID), Operation: string(j.Operation), State: string(j.State), Message: j.Message,
		Video:      JobVideo{Bucket: j.Video.Bucket, Key: j.Video.Key, Version: j.Video.Version, Size: j.Pinned.Size},
		Collection: string(j.Collection), Tag: j.Tag, Topic: j.Topic, AccessKey: j.Key, Background: j.Background,
		Created: j.Created, Finished: j.Finished, Expires: j.Expires, SegmentsDone: j.SegmentsDone, Shared: j.Shares,
	}
	if j.Operation == service.FaceSearch {
		out.Threshold = float32(j.Threshold)
	}
	if j.Plan != nil {
		out.Segments, out.Warnings, out.Video.Seconds = j.Plan.Segments, j.Plan.Warnings, j.Plan.Info.Duration.Seconds()
	}
	if p := s.Progress(j); j.Plan != nil {
		out.Progress = &JobProgress{Percent: 100 * p.Done, TimesRealTime: p.Speed, SecondsLeft: p.Left.Seconds()}
	}
	if j.Results != nil {
		out.Results = &JobResults{Persons: j.Results.Persons, Sightings: j.Results.Sightings}
	}
	return out
}

// Jobs lists jobs in a state, or in any if it is empty: the newest first, at most limit of them, or all if that is 0.
// There are more than are listed if more says so.
func (o *Operator) Jobs(ctx context.Context, state string, limit int) (list []Job, more bool, err error) {
	if err = checkState(state); err != nil {
		return nil, false, err
	}
	list = []Job{}
	for page := (service.PageRequest{}); ; {
		if page.Max = 0; limit > 0 {
			page.Max = limit - len(list)
		}
		got, err := o.jobs.Jobs(ctx, service.JobState(state), page)
		if err != nil {
			return nil, false, err
		}
		for i := range got.Jobs {
			list = append(list, jobOf(o.jobs, &got.Jobs[i]))
		}
		page.Token = got.Next
		if page.Token == "" || limit > 0 && len(list) >= limit {
			return list, page.Token != "", nil
		}
	}
}

// JobStates are the states of jobs.
func JobStates() []string {
	return []string{string(service.InProgress), string(service.Succeeded), string(service.Failed)}
}

func checkState(state string) error {
	switch service.JobState(state) {
	case "", service.InProgress, service.Succeeded, service.Failed:
		return nil
	default:
		return &fault.UsageError{Err: fmt.Errorf("there are no jobs in the state %q: it is one of %q", state, JobStates())}
	}
}

// Job is one job.
func (o *Operator) Job(ctx context.Context, id string) (Job, error) {
	j, err := o.jobs.Job(ctx, service.JobID(id))
	if err != nil {
		return Job{}, jobError(id, err)
	}
	return jobOf(o.jobs, j), nil
}

// CancelJob ends a job that is in progress. A server that works on it stops doing so within some seconds.
func (o *Operator) CancelJob(ctx context.Context, id string) error {
	return o.audited(ctx, "CancelJob", "job/"+id, func(ctx context.Context) error { return jobError(id, o.jobs.CancelJob(ctx, service.JobID(id))) })
}

// DeleteJob deletes a job that has ended, with its results.
func (o *Operator) DeleteJob(ctx context.Context, id string) error {
	err := o.audited(ctx, "DeleteJob", "job/"+id, func(ctx context.Context) error { return jobError(id, o.jobs.DeleteJob(ctx, service.JobID(id))) })
	if err != nil {
		return err
	}
	// Nobody can find the results any more, and now they go. Without a server nobody else would see to it.
	return o.jobs.Sweep(ctx)
}

func jobError(id string, err error) error {
	switch service.KindOf(err) {
	case service.NotFound:
		return &fault.UsageError{Err: fmt.Errorf("there is no job %s: 'spotter jobs list' shows those that there are", id)}
	case service.Invalid:
		return &fault.UsageError{Err: fmt.Errorf("job %s: %w", id, err)}
	default:
		return err
	}
}
