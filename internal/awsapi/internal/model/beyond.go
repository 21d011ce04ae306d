package model

// The operations beyond AWS, under a target prefix of their own. Their shapes are written by hand, in the manner of the
// generated ones.

// JobRequest names a job.
type JobRequest struct {
	JobId string `json:",omitzero"` //nolint:revive // spelled as on the wire
}

// JobResponse says nothing.
type JobResponse struct{}

// GetJobResponse is a job.
type GetJobResponse struct {
	Job *Job `json:",omitzero"`
}

// ListJobsRequest asks for a page of jobs, newest first.
type ListJobsRequest struct {
	Status     VideoJobStatus `json:",omitzero"`
	MaxResults *int32         `json:",omitzero"`
	NextToken  string         `json:",omitzero"`
}

// ListJobsResponse is a page of jobs.
type ListJobsResponse struct {
	Jobs      []Job  `json:",omitzero"`
	NextToken string `json:",omitzero"`
}

// Job is a face search, a face detection or a person tracking.
type Job struct {
	JobId         string         `json:",omitzero"` //nolint:revive // spelled as on the wire
	API           string         `json:",omitzero"` // the operation that started it
	Status        VideoJobStatus `json:",omitzero"`
	StatusMessage string         `json:",omitzero"`
	Video         *Video         `json:",omitzero"`
	CollectionId  string         `json:",omitzero"` //nolint:revive // spelled as on the wire
	JobTag        string         `json:",omitzero"`
	VideoMetadata *VideoMetadata `json:",omitzero"`
	// Segments are the parts that the video was cut into, SegmentsDone those that have been analysed.
	Segments     *int64 `json:",omitzero"`
	SegmentsDone *int64 `json:",omitzero"`
	// Progress is there once it is known what the video is.
	Progress *JobProgress `json:",omitzero"`
	// PersonCount and SightingCount are there once the job has succeeded.
	PersonCount         *int64        `json:",omitzero"`
	SightingCount       *int64        `json:",omitzero"`
	Warnings            []string      `json:",omitzero"`
	CreationTimestamp   *EpochSeconds `json:",omitzero"`
	CompletionTimestamp *EpochSeconds `json:",omitzero"`
	ExpirationTimestamp *EpochSeconds `json:",omitzero"`
}

// JobProgress says how far the analysis of a video is.
type JobProgress struct {
	// Percent of the video that has been analysed, 0 to 100.
	Percent *float32 `json:",omitzero"`
	// TimesRealTime is how many seconds of the video were analysed in one second since the job was started.
	TimesRealTime *float32 `json:",omitzero"`
	// SecondsLeft is how long it takes yet if it goes on like this; absent for a job that has ended.
	SecondsLeft *int64 `json:",omitzero"`
}

//nolint:gochecknoglobals // descriptors, read-only like the generated ones
var (
	shapeJobRequest = &Shape{Name: "JobRequest", Kind: Structure, Members: []Member{
		{Name: "JobId", Shape: shapeJobId, Required: true},
	}}
	shapeJobResponse     = &Shape{Name: "JobResponse", Kind: Structure}
	shapeGetJobResponse  = &Shape{Name: "GetJobResponse", Kind: Structure, Members: []Member{{Name: "Job", Shape: shapeJob}}}
	shapeListJobsRequest = &Shape{Name: "ListJobsRequest", Kind: Structure, Members: []Member{
		{Name: "Status", Shape: shapeVideoJobStatus},
		{Name: "MaxResults", Shape: shapeMaxResults},
		{Name: "NextToken", Shape: shapePaginationToken},
	}}
	shapeListJobsResponse = &Shape{Name: "ListJobsResponse", Kind: Structure, Members: []Member{
		{Name: "Jobs", Shape: &Shape{Name: "JobList", Kind: List, Element: shapeJob}},
		{Name: "NextToken", Shape: shapePaginationToken},
	}}
	shapeJob = &Shape{Name: "Job", Kind: Structure, Members: []Member{
		{Name: "JobId", Shape: shapeJobId},
		{Name: "API", Shape: shapeString},
		{Name: "Status", Shape: shapeVideoJobStatus},
		{Name: "StatusMessage", Shape: shapeStatusMessage},
		{Name: "Video", Shape: shapeVideo},
		{Name: "CollectionId", Shape: shapeCollectionId},
		{Name: "JobTag", Shape: shapeJobTag},
		{Name: "VideoMetadata", Shape: shapeVideoMetadata},
		{Name: "Segments", Shape: shapeULong},
		{Name: "SegmentsDone", Shape: shapeULong},
		{Name: "Progress", Shape: &Shape{Name: "JobProgress", Kind: Structure, Members: []Member{
			{Name: "Percent", Shape: shapePercent},
			{Name: "TimesRealTime", Shape: shapeFloat},
			{Name: "SecondsLeft", Shape: shapeULong},
		}}},
		{Name: "PersonCount", Shape: shapeULong},
		{Name: "SightingCount", Shape: shapeULong},
		{Name: "Warnings", Shape: &Shape{Name: "Warnings", Kind: List, Element: shapeString}},
		{Name: "CreationTimestamp", Shape: shapeDateTime},
		{Name: "CompletionTimestamp", Shape: shapeDateTime},
		{Name: "ExpirationTimestamp", Shape: shapeDateTime},
	}}
	beyond = [...]Operation{
		{
			Name: "SpotterService.CancelJob", Errors: beyondErrors(), Input: shapeJobRequest, Output: shapeJobResponse,
			newOutput: func() any { return new(JobResponse) },
		},
		{
			Name: "SpotterService.DeleteJob", Errors: beyondErrors(), Input: shapeJobRequest, Output: shapeJobResponse,
			newOutput: func() any { return new(JobResponse) },
		},
		{
			Name: "SpotterService.GetJob", Errors: beyondErrors(), Input: shapeJobRequest, Output: shapeGetJobResponse,
			newOutput: func() any { return new(GetJobResponse) },
		},
		{
			Name: "SpotterService.ListJobs", Errors: beyondErrors(), Input: shapeListJobsRequest, Output: shapeListJobsResponse,
			newOutput: func() any { return new(ListJobsResponse) },
		},
	}
)

// beyondErrors are what operations about jobs answer with: those of GetFaceSearch.
func beyondErrors() []string {
	return []string{
		"AccessDeniedException", "InternalServerError", "InvalidParameterException", "InvalidPaginationTokenException",
		"ProvisionedThroughputExceededException", "ResourceNotFoundException", "ThrottlingException",
	}
}
