package service

import (
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// CollectionID is the name that a collection is addressed by: 1..255 of a-z, A-Z, 0-9, '_', '.' and '-'.
type CollectionID string

// UserID is the name of a user within a collection: 1..128 characters.
type UserID string

// Serial numbers rows in the order of their making, from 1. A collection that is deleted and made again has a new one.
type Serial int64

// Collection is a named set of enrolled faces, all of them embedded by one model.
type Collection struct {
	Serial  Serial
	ID      CollectionID
	Model   face.ModelID // of the embeddings
	Version string       // the model's version, digits and dots
	Created time.Time
	Tags    map[string]string
	// Faces and Users are how many there are.
	Faces, Users int64
	// Changes is how often its faces have been changed. One that was read later and has the same number and the same digest has the
	// same faces: the number alone says so as long as the database loses nothing that it has kept.
	Changes int64
	Digest  Digest
}

// Digest says which faces a collection has and whose they are.
type Digest struct {
	// Faces is that of the changes that are in it: of all, but where a program has made some that knew of no digest, and then by a
	// difference that stays.
	Faces face.Digest
	// Without is how many changes are not in it; digests that differ in it say nothing of each other. Where it is 0, none is missing, and
	// never was: Faces is the digest of all faces that there are.
	Without int64
}

// Face is an enrolled face of a collection.
type Face struct {
	face.Enrolled
	// User is whom the face is associated with; empty if nobody.
	User UserID
	// Version is that of the model that embedded it.
	Version string
}

// NewFace is a face to be stored, with its embedding.
type NewFace struct {
	Face
	// Vector is the unit vector, as many values as the collection's model has.
	Vector []float32
	// Code is what galleries keep of it in memory; see [Ports]. Without one the face is enrolled all the same.
	Code []byte
}

// User is one person of a collection: several faces together.
type User struct {
	Serial Serial
	ID     UserID
	Status UserStatus
	// Changes is the collection's number with which the user's faces became what they are.
	Changes int64
}

// UserStatus says whether a user can be found.
type UserStatus string

// The states of a user. A user whose faces have just changed is searched with the new ones at once, so that there is
// nothing between these.
const (
	UserCreated UserStatus = "CREATED" // without faces as yet
	UserActive  UserStatus = "ACTIVE"
)

// Object names an object of a bucket.
type Object struct{ Bucket, Key, Version string }

// ObjectInfo is what pins down one state of an object.
type ObjectInfo struct {
	Size int64 // bytes
	// ETag changes with the content; Version names it where the bucket keeps versions.
	ETag, Version string
}

// Image is a photo: its bytes, or the object that holds it. Exactly one is set.
type Image struct {
	Bytes  []byte
	Object *Object
}

// Detail is a face as it was seen in a photo.
type Detail struct {
	face.Detection
	// Attributes are what was asked for and is known; nil if nothing.
	Attributes *face.Attributes
}

// QualityFilter says how good a face must be.
type QualityFilter string

// The filters, from the one that refuses nothing. Auto is what is meant where nothing is said, see [Settings].
const (
	QualityNone   QualityFilter = "NONE"
	QualityAuto   QualityFilter = "AUTO"
	QualityLow    QualityFilter = "LOW"
	QualityMedium QualityFilter = "MEDIUM"
	QualityHigh   QualityFilter = "HIGH"
)

// Reason says why a face was not used.
type Reason string

// The reasons.
const (
	ExceedsMaxFaces  Reason = "EXCEEDS_MAX_FACES"
	ExtremePose      Reason = "EXTREME_POSE"
	LowBrightness    Reason = "LOW_BRIGHTNESS"
	LowSharpness     Reason = "LOW_SHARPNESS"
	LowConfidence    Reason = "LOW_CONFIDENCE"
	SmallBoundingBox Reason = "SMALL_BOUNDING_BOX"
	LowFaceQuality   Reason = "LOW_FACE_QUALITY"
	NotLargest       Reason = "FACE_NOT_LARGEST"
)

// Caller is who asks, for messages and records.
type Caller struct {
	// Key is the id of the access key, Name what its owner is called.
	Key, Name string
	// Background says that the key's jobs wait for those of others.
	Background bool
}

// PageRequest asks for one page of a listing.
type PageRequest struct {
	// Token is what the page before gave; empty for the first page.
	Token string
	// Max is the most entries wanted; 0 for the listing's default.
	Max int
}
