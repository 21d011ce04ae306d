package service

import (
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// JobID identifies a job: 64 lower-case hex digits.
type JobID string

// Operation is what a job does.
type Operation string

// The operations.
const (
	FaceSearch     Operation = "face-search"
	FaceDetection  Operation = "face-detection"
	PersonTracking Operation = "person-tracking"
)

// JobState says how far a job is.
type JobState string

// The states of a job.
const (
	InProgress JobState = "in-progress"
	Succeeded  JobState = "succeeded"
	Failed     JobState = "failed"
)

// Job is a stored video that is worked on, or was.
type Job struct {
	Serial    Serial
	ID        JobID
	Operation Operation
	State     JobState
	// Message says why a job failed, or what of the video was not searched; empty otherwise.
	Message string

	// Video is the object as it was named, Pinned its state when the job began.
	Video  Object
	Pinned ObjectInfo

	// Collection and its serial are those of a face search: the serial tells a collection from another of its name.
	Collection       CollectionID
	CollectionSerial Serial
	// Threshold is the lowest similarity that is a match, inclusive.
	Threshold face.Similarity
	// Attributes asks for what a face looks like, beside where it is.
	Attributes bool

	// Tag is the caller's own name for the job; Topic names whom to tell when it ends; empty: nobody. Role is kept as it
	// was given.
	Tag, Topic, Role string

	// Key is the id of the access key that has begun it; empty where none is needed. Background jobs are worked on while none of the
	// others has anything that waits.
	Key        string
	Background bool

	// Terms are what decides the results beside what is above; nil for a job of before there were any.
	Terms *Terms

	Created, Finished time.Time // Finished is zero as long as the job is open
	// Expires is when the results go away; zero as long as the job is open.
	Expires time.Time

	// Plan is nil until the video has been looked at.
	Plan *JobPlan
	// SegmentsDone is how many segments have been saved. Shares says that they are another job's, of the same video.
	SegmentsDone int
	Shares       bool
	// Results is nil until the job has succeeded.
	Results *Results
}

// TermsVersion is the newest form of [Terms] that this program knows. Jobs begin with the first; the second says that the job uses the segments of
// another one, which older programs would not find.
const TermsVersion = 2

const firstTerms = 1

// Terms are what decides what a job finds and how it ends, beside its video and what was asked for: as it was set where the job was
// started, so that it does not matter which processes work on it, and how these are set.
type Terms struct {
	// Version is that of the form. Of one above [TermsVersion] nothing else is known.
	Version int
	// MaxMatches is the most matches listed for one face.
	MaxMatches int
	// Tell says that somebody is to be told of the end.
	Tell bool
	// Analysis is a document of JSON, of the eyes that began the job and opaque to everybody else: see [Videos].
	Analysis []byte
}

// Progress says how far a job is, and how fast. What comes before and after the analysis is not counted in it.
type Progress struct {
	// Done is the share of the video that has been analysed, 0..1.
	Done float64
	// Speed is how many seconds of the video were analysed in one second since the job was started; the time for which it
	// waited counts. 0 if nothing is known.
	Speed float64
	// Left is how long it will take from now on if it goes on like this; 0 if nothing is known, or the job has ended.
	Left time.Duration
}

// progress at a time.
func (j *Job) progress(now time.Time) Progress {
	if j.Plan == nil || j.Plan.Segments == 0 {
		return Progress{}
	}
	if j.State != InProgress {
		now = j.Finished
	}
	took := now.Sub(j.Created)
	p := Progress{Done: float64(j.SegmentsDone) / float64(j.Plan.Segments)}
	if took <= 0 || j.SegmentsDone == 0 {
		return p
	}
	p.Speed = p.Done * j.Plan.Info.Duration.Seconds() / took.Seconds()
	if j.State == InProgress {
		p.Left = time.Duration(float64(took) * (1 - p.Done) / p.Done)
	}
	return p
}

// JobPlan is what a video is and how it is cut.
type JobPlan struct {
	Info     face.VideoInfo
	Segments int
	// Data is the decoder's, opaque to everybody else. Where a job is read it is left out: see [JobStore] PlanData.
	Data []byte
	// Warnings are sentences about what is odd with the video.
	Warnings []string
}

// Results says how much a job has found, and how it lies in the store.
type Results struct {
	Sightings int
	Persons   int
	// Lists is how many match lists there are.
	Lists int
	// Attempt is the one whose chunks these are; 0 for results of before there was a choice.
	Attempt int64
}

// Order is the order in which results are listed.
type Order uint8

// The orders: by time, then person; or person by person, each by time.
const (
	ByTime Order = iota
	ByPerson
)

// TaskKind is one step of a job.
type TaskKind string

// The kinds of tasks, in the order in which a job needs them.
const (
	PlanTask    TaskKind = "plan"
	SegmentTask TaskKind = "segment"
	FinishTask  TaskKind = "finish"
)

// Task is one step of a job to be run, by any process. Tasks are enqueued in the transaction that makes them necessary.
type Task struct {
	Kind    TaskKind
	Job     JobID
	Segment int // of a segment task, from 0
	// Background is its job's, and Turn that of a segment: see [Pace]. They are set when a task is enqueued.
	Background bool
	Turn       int64
	// Attempt tells attempts at a task apart that may run at the same time, as when a process was thought dead. It is set, above 0, when a
	// task is run, and 0 until then.
	Attempt int64
}

// OpenTasks are how many tasks of each kind wait, run or are to be tried again, by job.
type OpenTasks map[JobID]map[TaskKind]int

// Notice tells that a job has ended. It is written with the job's end and kept until it has been delivered.
type Notice struct {
	Serial Serial
	// ID is the same for every attempt to deliver, so that receivers can tell repetitions: a UUID.
	ID    string
	Topic string

	Job       JobID
	Operation Operation
	State     JobState
	Tag       string
	Video     Object
	Ended     time.Time
	// Message is the job's.
	Message string

	// Attempts is how often delivery has failed, Due when it is to be tried next.
	Attempts int
	Due      time.Time
	// Sinks are the names of the topic's sinks that have taken it already.
	Sinks []string
}

// RequestToken makes a request that is sent twice count once.
type RequestToken struct {
	// Scope is the operation, with the collection where that matters; Token is the caller's.
	Scope, Token string
	// Input is a hash of everything else that the request says.
	Input [32]byte
	// Result is what the request was answered with.
	Result  []byte
	Expires time.Time
}

// AccessKey lets a caller in.
type AccessKey struct {
	ID string
	// Sealed is the secret, encrypted; only who holds the key file can read it.
	Sealed []byte
	// Sealer tells what the secret was sealed with, when the key is created; it is not kept with the key.
	Sealer []byte
	// Name is what the owner is called.
	Name string
	// Policy is a policy document, as the door that checks it understands it.
	Policy   string
	Disabled bool
	// Background says that its jobs wait for those of other keys.
	Background bool
	Created    time.Time
}
