package service

import (
	"github.com/spotter-video/spotter/internal/face"
)

// IndexRequest asks to enrol the faces of a photo.
type IndexRequest struct {
	Collection CollectionID
	Image      Image
	// ExternalID is the caller's own name for the faces; empty for none.
	ExternalID string
	// MaxFaces is the most faces to enrol, the largest first; 0 for all of them.
	MaxFaces   int
	Quality    QualityFilter // empty means Auto
	Attributes bool
}

// Indexed is what became of the faces of a photo.
type Indexed struct {
	// Faces are enrolled, those that were before included, by the size of their boxes, largest first.
	Faces     []IndexedFace
	Unindexed []Unused
	Version   string // of the model
}

// IndexedFace is a face that is enrolled, as it was seen.
type IndexedFace struct {
	Face   Face
	Detail Detail
}

// Unused is a face of a photo that was not used, and why.
type Unused struct {
	Detail  Detail
	Reasons []Reason
}

// FaceList asks for enrolled faces.
type FaceList struct {
	Collection CollectionID
	User       UserID    // if set, only this user's
	IDs        []face.ID // if set, only these
	Page       PageRequest
}

// Faces is one page of enrolled faces.
type Faces struct {
	Faces   []Face
	Next    string
	Version string
}

// DeletedFaces is what became of a request to delete faces.
type DeletedFaces struct {
	Deleted []face.ID
	// Associated are kept, because they are a user's; Unknown were not there. In the order of the request.
	Associated []AssociatedFace
	Unknown    []face.ID
}

// AssociatedFace is a face and whose it is.
type AssociatedFace struct {
	ID   face.ID
	User UserID
}

// FaceHit is an enrolled face and how similar it is.
type FaceHit struct {
	Face       Face
	Similarity face.Similarity
	// Own is what a face of a video has by itself where Similarity is inherited from another sighting of the same person;
	// 0 elsewhere.
	Own face.Similarity `json:",omitempty"`
}

// UserHit is a user and how similar they are.
type UserHit struct {
	User       User
	Similarity face.Similarity
}

// Search says how to search.
type Search struct {
	// Max is the most answers wanted; 0 for the default.
	Max int
	// Threshold is the lowest similarity that counts, inclusive; nil for the default.
	Threshold *face.Similarity
}

// FacesFound is the answer to a search for faces.
type FacesFound struct {
	// Probe is the face that was searched for, where it was taken from a photo.
	Probe   Detail
	Hits    []FaceHit
	Version string
}

// UsersFound is the answer to a search for users.
type UsersFound struct {
	// Probe is the face that was searched for, where it was taken from a photo; nil if none was good enough. Unused are
	// the others of the photo.
	Probe   *Detail
	Unused  []Unused
	Hits    []UserHit
	Version string
}

// AssociateRequest asks to associate faces with a user, or to end that.
type AssociateRequest struct {
	Collection CollectionID
	User       UserID
	IDs        []face.ID
	// Threshold is how similar a face must be to the user's others to be associated; nil for the default.
	Threshold *face.Similarity
	Token     string // empty for none
}

// Associated is what became of it. Faces for which there was nothing to do are in neither list.
type Associated struct {
	Done   []face.ID
	Failed []NotAssociated
	Status UserStatus
}

// NotAssociated is a face that was not associated, or not disassociated.
type NotAssociated struct {
	ID     face.ID
	Reason AssociationReason
	// User is whose the face is, for OtherUser.
	User UserID
	// Similarity to the user's other faces, for LowSimilarity.
	Similarity face.Similarity
}

// AssociationReason says why a face was not associated.
type AssociationReason string

// The reasons.
const (
	UnknownFace   AssociationReason = "FACE_NOT_FOUND"
	OtherUser     AssociationReason = "ASSOCIATED_TO_A_DIFFERENT_USER"
	LowSimilarity AssociationReason = "LOW_MATCH_CONFIDENCE"
)

// Comparison is a photo's largest face against the faces of another photo.
type Comparison struct {
	Source    Detail
	Matches   []ComparedFace // most similar first
	Unmatched []Detail
}

// ComparedFace is a face of the other photo and how similar it is.
type ComparedFace struct {
	Detail     Detail
	Similarity face.Similarity
}

// StartRequest asks for a job.
type StartRequest struct {
	Operation Operation
	Video     Object
	// Collection and Threshold are for face searches; a nil threshold is the default.
	Collection CollectionID
	Threshold  *face.Similarity
	// Attributes asks for what faces look like, for face detections.
	Attributes       bool
	Token            string // empty for none
	Topic, Role, Tag string
	Caller           Caller
}

// ResultRequest asks for one page of a job's results.
type ResultRequest struct {
	Operation Operation
	Job       JobID
	Order     Order
	Page      PageRequest
}

// ResultPage is a job, and a page of its results if it has succeeded.
type ResultPage struct {
	Job       *Job
	Sightings []JobSighting
	Next      string
}

// JobSighting is one face at one time with its matches, most similar first.
type JobSighting struct {
	face.Sighting
	// Hits are the matches with what was known of the faces when they matched. Shared between sightings: read-only.
	Hits []FaceHit
}

// JobList is one page of jobs, newest first.
type JobList struct {
	Jobs []Job
	Next string
}
