package service

import (
	"context"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// Store keeps everything that outlives the process. Safe for concurrent use, also by several processes.
//
// Each method is one transaction: it happens wholly or not at all, and what it has said is kept when the machine stops.
// Errors that callers are meant to tell apart are [*Error] with the kind that the method names; others are internal.
// Times are kept to the millisecond, in UTC. Slices and maps are the caller's to keep. Where a context has a [Trail], the first transaction that
// changes something keeps the trail's entry, and those that change which faces there are keep entries of that.
type Store interface {
	CollectionStore
	FaceStore
	UserStore
	JobStore
	NoticeStore
	KeyStore
	AuditStore
	// Token finds a request token that has not expired; nil if there is none.
	Token(ctx context.Context, scope, token string, now time.Time) (*RequestToken, error)
	// Ping says whether the store can be read and written.
	Ping(ctx context.Context) error
	Close() error
}

// CollectionStore keeps collections and their tags.
type CollectionStore interface {
	// CreateCollection sets the serial. [Exists] if the name is taken.
	CreateCollection(ctx context.Context, c *Collection) error
	// Collection is NotFound if there is none of that name. It and Collections give everything but the tags.
	Collection(ctx context.Context, id CollectionID) (*Collection, error)
	// Collections lists those with a serial above after, by serial, at most limit.
	Collections(ctx context.Context, after Serial, limit int) ([]Collection, error)
	// DeleteCollection deletes its faces, users and tags too. [NotFound].
	DeleteCollection(ctx context.Context, id CollectionID) error
	// Tags, [NotFound].
	Tags(ctx context.Context, id CollectionID) (map[string]string, error)
	// SetTags adds and overwrites tags. [NotFound]; [QuotaExceeded] if there would be more than most.
	SetTags(ctx context.Context, id CollectionID, tags map[string]string, most int) error
	// DeleteTags removes those that are there. [NotFound].
	DeleteTags(ctx context.Context, id CollectionID, keys []string) error
}

// FaceQuery selects faces of a collection. Zero members select everything.
type FaceQuery struct {
	User UserID
	IDs  []face.ID
	// After is the last id of the page before, exclusive; nil for the first page.
	After *face.ID
	// Limit is at least 1.
	Limit int
}

// FaceStore keeps enrolled faces. A collection is addressed by its serial, so that nothing is added to one that was made
// anew meanwhile; a serial that is gone is [NotFound].
type FaceStore interface {
	// AddFaces keeps faces that are not there yet, and says which these were. [QuotaExceeded] if there would be more than
	// most faces.
	AddFaces(ctx context.Context, c Serial, faces []NewFace, most int64) (added []face.ID, err error)
	// Faces lists by id.
	Faces(ctx context.Context, c Serial, q FaceQuery) ([]Face, error)
	// Vectors gives the embeddings of those of the faces that exist, with their users, by id. VectorsOf are those of a user's
	// faces.
	Vectors(ctx context.Context, c Serial, ids []face.ID) ([]Vector, error)
	VectorsOf(ctx context.Context, c Serial, u UserID) ([]Vector, error)
	// EachVector gives all embeddings of a collection, by id; the vector is valid during the call only. An error of each ends
	// it.
	EachVector(ctx context.Context, c Serial, each func(Vector) error) error
	// EachOwned is EachVector for the faces that are associated with somebody: by user, and then by id.
	EachOwned(ctx context.Context, c Serial, each func(Vector) error) error
	// Codes gives codes of faces, one after another without a gap: of the first limit faces with a code whose id is above
	// after, which is nil at first, those codes that have this size. last is the last face's id, and nil if there was none.
	Codes(ctx context.Context, c Serial, after *face.ID, size, limit int) (codes []byte, last *face.ID, err error)
	// SetCodes keeps codes of those of the faces that are there, instead of earlier ones. A face's code is deleted with it.
	SetCodes(ctx context.Context, c Serial, codes []Code) error
	// Mark keeps the mark of a file that holds a copy of a collection, for thirty days after it was last asked for. Marked says whether
	// the store has it.
	Mark(ctx context.Context, c Serial, mark Mark, now time.Time) error
	Marked(ctx context.Context, c Serial, mark Mark, now time.Time) (bool, error)
	// DeleteFaces deletes faces that are associated with nobody, and says which: those of ids that are not among them and
	// not in associated were not there. Which ones they were is kept for a day from now on, for Changes.
	DeleteFaces(ctx context.Context, c Serial, ids []face.ID, now time.Time) (
		deleted []face.ID, associated map[face.ID]UserID, err error)
	// Changes says what has become of a collection's faces after a number of changes ([Collection]): about limit of each kind,
	// and never a part of what has one number. What was deleted and added again is among both.
	Changes(ctx context.Context, c Serial, after int64, limit int) (*Changes, error)
}

// Changes is what has happened to a collection's faces. Applied to a copy of the collection as it was at the number that was asked
// for, first what is gone and then what is there, and so on until To is Latest, it makes it the collection at Latest, unless the copy was one of
// changes that the database has lost since: the digest tells.
type Changes struct {
	// To is the number up to which all of it is here, Latest that of the collection at this moment, and Total how many faces it
	// has at this moment.
	To, Latest, Total int64
	// Digest is the collection's at this moment.
	Digest Digest
	// Faces were added, or got another owner. They are as they are at this moment, and those that have changed again after To are
	// left out.
	Faces []ChangedFace
	Gone  []face.ID
	// Lost says that it is not known any more what has changed: what was deleted is kept for a day. The copy is to be made anew.
	Lost bool
}

// ChangedFace is a face as it is now.
type ChangedFace struct {
	ID   face.ID
	User UserID
	// Code is what was kept; empty if nothing was.
	Code []byte
}

// Mark tells a copy of a collection in a file from all others.
type Mark [16]byte

// Code is what a gallery keeps of an enrolled face in memory.
type Code struct {
	ID   face.ID
	Data []byte
}

// Vector is the embedding of an enrolled face, and whom it is associated with.
type Vector struct {
	ID     face.ID
	User   UserID
	Values []float32
}

// UserStore keeps users, and which faces are theirs. A token, where given, is kept in the same transaction; if it is there
// already the method does nothing and the error is [TokenReused], whatever the token's input.
type UserStore interface {
	// CreateUser: [Conflict] if it exists, [QuotaExceeded] if there would be more than most.
	CreateUser(ctx context.Context, c Serial, u UserID, most int64, token *RequestToken) error
	// User is [NotFound] if there is none.
	User(ctx context.Context, c Serial, u UserID) (*User, error)
	// Users lists those with a serial above after, by serial, at most limit.
	Users(ctx context.Context, c Serial, after Serial, limit int) ([]User, error)
	// DeleteUser lets go of the user's faces, which stay. [NotFound].
	DeleteUser(ctx context.Context, c Serial, u UserID, token *RequestToken) error
	// Associate makes faces a user's and the user active. The user is given as read before: [Conflict] if their faces are
	// others by now, or if one of the faces is gone or associated; [NotFound] if there is no such user; [QuotaExceeded] if the
	// user would have more than most faces.
	Associate(ctx context.Context, c Serial, u *User, ids []face.ID, most int, token *RequestToken) error
	// Disassociate lets go of faces of a user, who is given as read before. A user without faces is [UserCreated] again.
	// [Conflict] if the user's faces are others by now, or if one of the faces is not the user's; [NotFound] if there is no such
	// user.
	Disassociate(ctx context.Context, c Serial, u *User, ids []face.ID, token *RequestToken) error
}

// JobQuery selects jobs, newest first.
type JobQuery struct {
	// State, if set, is the only one wanted.
	State JobState
	// Before is the last serial of the page before, exclusive; 0 for the first page.
	Before Serial
	// Limit is at least 1.
	Limit int
}

// Places are for jobs in progress: those of one access key, and of all.
type Places struct{ OfKey, All int }

// JobStore keeps jobs, what their tasks have saved so far, and their results. Tasks are handed to the job queue in the
// same transaction.
type JobStore interface {
	// CreateJob keeps a job and its first task, and sets the serial. A token that is there already is [TokenReused]; more
	// than most open jobs is [TooManyJobs], and open says how many there would be.
	CreateJob(ctx context.Context, j *Job, most Places, token *RequestToken, first Task) (open Places, err error)
	// Job is [NotFound] if there is none. It and Jobs give everything but plans' data, which can be large.
	Job(ctx context.Context, id JobID) (*Job, error)
	// PlanData is the data of a job's plan. [NotFound] if there is none.
	PlanData(ctx context.Context, id JobID) ([]byte, error)
	// Ended says which of some jobs have ended, or are not there. It is asked every second about all jobs that are worked on, and must
	// cost next to nothing.
	Ended(ctx context.Context, ids []JobID) ([]JobID, error)
	Jobs(ctx context.Context, q JobQuery) ([]Job, error)
	// OpenJobs counts the jobs that are in progress, in no order. It reads all of them.
	OpenJobs(ctx context.Context) ([]OpenJobs, error)
	// SavePlan keeps a job's plan and enqueues its first segments, as the pace says, or the finish if there are none. With a sharing other jobs can
	// use what its segments give; if another one's are there by now, or are being made, it uses these, as of ShareAnalysis. It does nothing,
	// and says false, if the job has ended or has a plan already.
	SavePlan(ctx context.Context, id JobID, p *JobPlan, pace Pace, how *Sharing) (bool, error)
	// SaveSegment keeps what a segment task made, unless another attempt at it was first. It enqueues as many of the segments that
	// come next as are missing to as many as may be in the queue and not saved, and the finish when it is the last of all to be
	// saved. It does nothing, and says false, if the job has ended.
	SaveSegment(ctx context.Context, id JobID, segment int, data []byte, pace Pace) (bool, error)
	// ShareAnalysis has a job without a plan use what another job's segments give, or gave, as far as there is one with that key, and enqueues the
	// finish if these are complete; else that comes with the last of them. It says false if there is none, or the job has ended or has a plan.
	ShareAnalysis(ctx context.Context, id JobID, how *Sharing) (bool, error)
	// Analyses are how many jobs' segments are complete and can be used by others, and how large they are together.
	Analyses(ctx context.Context) (n int, bytes int64, err error)
	// Resume enqueues what is needed for a job to go on, whatever has become of tasks that were enqueued before, and says which tasks
	// these are; none if the job has ended.
	Resume(ctx context.Context, id JobID, pace Pace) ([]Task, error)
	// Segment is what was saved; nil if nothing was.
	Segment(ctx context.Context, id JobID, segment int) ([]byte, error)
	// SaveChunks keeps pieces of the results of one attempt, each instead of an earlier one of its order and number. [Conflict] if the
	// job has ended: its results stay as they are.
	SaveChunks(ctx context.Context, id JobID, attempt int64, chunks []Chunk) error
	// Chunks gives the pieces of one kind from number from up to and without to, by number: those of the attempt that has ended the
	// job, and none as long as it is in progress.
	Chunks(ctx context.Context, id JobID, kind ChunkKind, from, to int) ([]Chunk, error)
	// EndJob makes the job what j says (state, message, results, finished, expires), keeps the notice, if any, and drops what other attempts
	// have saved, and what the segments have, unless others can use that: then it stays for so long. Jobs that wait for segments that do not come
	// begin anew. It does nothing, and says false, if the job has ended already.
	EndJob(ctx context.Context, j *Job, n *Notice, keep time.Duration) (bool, error)
	// DeleteJob deletes a job that has ended, with its results and what the segments gave that it used. [NotFound]; [Conflict] if it is in progress.
	DeleteJob(ctx context.Context, id JobID) error
	// Sweep deletes jobs, analyses and request tokens that have expired, at most limit of each, and says how many. It also forgets marks, and which
	// faces were deleted more than a day ago, and removes what deleted collections and jobs have left behind, uncounted, in several transactions if that is much.
	Sweep(ctx context.Context, now time.Time, limit int) (int, error)
}

// ChunkKind says what a chunk is a piece of.
type ChunkKind uint8

// The kinds of chunks: sightings in either order, and lists of matches.
const (
	SightingsByTime ChunkKind = iota
	SightingsByPerson
	MatchLists
	// AttributesByTime are the attributes of the sightings of the chunk of the same number in the order of time.
	AttributesByTime
)

// Chunk is a piece of a job's results.
type Chunk struct {
	Kind   ChunkKind
	Number int // from 0
	Data   []byte
}

// NoticeStore is the outbox.
type NoticeStore interface {
	// DueNotices are those that are to be tried by now, the longest due first, without those that other processes have claimed.
	DueNotices(ctx context.Context, now time.Time, limit int) ([]Notice, error)
	// ClaimNotice makes a notice this process's for some minutes, as DueNotices has given it. It does nothing, and says false, if another process
	// has claimed or tried it, or it is gone.
	ClaimNotice(ctx context.Context, n *Notice) (bool, error)
	// ReleaseNotices leaves to others what this process has claimed.
	ReleaseNotices(ctx context.Context) error
	// NoticeTried keeps what has become of an attempt: delivered removes it, otherwise attempts, due and sinks are kept.
	NoticeTried(ctx context.Context, n *Notice, delivered bool) error
}

// KeyStore keeps access keys.
type KeyStore interface {
	// CreateKey: [Exists] if the id is taken; [Conflict] if there are keys that were sealed with something else.
	CreateKey(ctx context.Context, k *AccessKey) error
	// Sealer is what keys are sealed with, as the first key said; nil if there are none, or it was not said.
	Sealer(ctx context.Context) ([]byte, error)
	// Key is [NotFound] if there is none.
	Key(ctx context.Context, id string) (*AccessKey, error)
	// Keys lists all, by creation.
	Keys(ctx context.Context) ([]AccessKey, error)
	// SetKey changes policy, name and whether it is disabled. [NotFound].
	SetKey(ctx context.Context, k *AccessKey) error
	// DeleteKey, [NotFound].
	DeleteKey(ctx context.Context, id string) error
}

// AuditStore keeps the audit log, where processes share one.
type AuditStore interface {
	// AddAudit keeps entries on their own, beside any change.
	AddAudit(ctx context.Context, entries []AuditEntry) error
	// Audit lists entries in the order in which they were written, which is nearly that of their times.
	Audit(ctx context.Context, q AuditQuery) ([]AuditEntry, error)
	// SweepAudit deletes entries of before a time, at most limit of them, and says how many.
	SweepAudit(ctx context.Context, before time.Time, limit int) (int, error)
}
