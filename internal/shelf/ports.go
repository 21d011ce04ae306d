package shelf

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// What Acquire and Follow can fail with, beside the errors of the feed and of galleries, for errors.Is.
var (
	// ErrGone means that the collection has been deleted. A [Feed] says it as well.
	ErrGone = errors.New("the collection has been deleted")
	// ErrClosed means that the shelf has been closed.
	ErrClosed = errors.New("the shelf is closed")
)

// Collection is one as the store knew it when a request read it.
type Collection struct {
	// Serial tells it from all others that there ever were.
	Serial int64
	Name   string
	// Number is that of its last change, Faces how many it has.
	Number, Faces int64
	Digest        Digest
}

// Digest says which faces a collection has and whose they are, as far as the store has kept count.
type Digest struct {
	// Faces is that of the faces but for a difference that stays.
	Faces face.Digest
	// Without is how many changes are not in it. Two that differ in it say nothing of each other, and where it is 0 there is no
	// difference.
	Without int64
}

// Feed is the store as the shelf reads it. Each call is one transaction. Safe for concurrent use. A collection that has been deleted
// is [ErrGone].
type Feed interface {
	// Changes says what has become of a collection's faces after a number: about limit of each kind, and never a part of what
	// has one number.
	Changes(ctx context.Context, c, after int64, limit int) (*Changes, error)
	// Codes gives codes of faces, one after another without a gap: of the first limit faces with a code whose id is above after,
	// which is nil at first, those codes that have this size. last is the last face's id, and nil if there was none.
	Codes(ctx context.Context, c int64, after *face.ID, size, limit int) (codes []byte, last *face.ID, err error)
	// Vectors gives the embeddings of those of the faces that exist.
	Vectors(ctx context.Context, c int64, ids []face.ID) ([]Vector, error)
	// EachVector gives all embeddings, by id; the vector is valid during the call only. An error of each ends it. EachOwned is the
	// same for the faces that are somebody's: by user, and then by id.
	EachVector(ctx context.Context, c int64, each func(Vector) error) error
	EachOwned(ctx context.Context, c int64, each func(Vector) error) error
	// SetCodes keeps codes of those of the faces that are there.
	SetCodes(ctx context.Context, c int64, codes []Code) error
	// Mark keeps a mark of a collection for a month, and Marked says whether it is kept, and then does so for another month.
	Mark(ctx context.Context, c int64, mark Mark) error
	Marked(ctx context.Context, c int64, mark Mark) (bool, error)
}

// Changes is what has happened to a collection's faces. Applied to a copy of the collection as it was at the number that was asked
// for, first what is gone and then what is there, and so on until To is Latest, it makes it the collection at Latest.
type Changes struct {
	// To is the number up to which all of it is here, Latest that of the collection at this moment, and Total how many faces it
	// has at this moment.
	To, Latest, Total int64
	// Digest is that of the collection at this moment.
	Digest Digest
	// Faces are there now and were added, or got another owner.
	Faces []Face
	Gone  []face.ID
	// Lost says that it is not known any more what has changed.
	Lost bool
}

// Face is a face as it is now.
type Face struct {
	ID face.ID
	// User is whose it is; empty if nobody's.
	User string
	// Code is what was kept; empty if nothing was.
	Code []byte
}

// Vector is the embedding of a face, and whose that is.
type Vector struct {
	ID     face.ID
	User   string
	Values []float32
}

// Code is what a gallery keeps of a face in memory.
type Code struct {
	ID   face.ID
	Data []byte
}

// Searcher finds enrolled faces: exactly, by score descending and then by id. Safe for concurrent use.
type Searcher interface {
	Search(ctx context.Context, probes []face.Probe) ([][]face.Hit, error)
}

// Gallery keeps embeddings in memory. Safe for concurrent use.
type Gallery interface {
	// Add takes in a unit vector for each id, one after another; all of them or none.
	Add(ids []face.ID, vectors []float32) error
	// AddCodes takes in faces by their codes, one after another; all of them or none, but for codes that are damaged or of
	// another version: it says how many of these it has passed over. Only a gallery with [Originals] can do this.
	AddCodes(codes []byte) (passedOver int, err error)
	Has(id face.ID) bool
	// Delete removes faces and says how many there were.
	Delete(ids []face.ID) int
	Len() int
	// Digest is that of the faces as such, whoever's they are.
	Digest() face.Digest
	// Bytes is how much memory it takes, about.
	Bytes() int64
	// Snapshot is the gallery as it is now, to be closed.
	Snapshot() Snapshot
	// Read fills an empty gallery with what [Snapshot.Write] has written of one of the same form, from a reader of size bytes at most; on
	// an error it stays empty.
	Read(r io.Reader, size int64) error
	Close() error
}

// Snapshot is a gallery as it was at one moment. It outlives its gallery.
type Snapshot interface {
	Searcher
	// Write writes the faces in a form that [Gallery.Read] reads, with a checksum.
	Write(w io.Writer) error
	Close() error
}

// Originals gives a gallery the embeddings that it does not keep. Safe for concurrent use.
type Originals interface {
	// Originals calls each with the embedding of every one of these faces that is there; at most 4096 are asked for. The
	// vector is valid during the call only. An error of each ends it.
	Originals(ctx context.Context, ids []face.ID, each func(id face.ID, vector []float32) error) error
}

// Events is told what is in memory. Calls come in the order in which things happen, and must return quickly.
type Events interface {
	// Loaded tells that a collection is in memory, Sized how many faces it has there from now on; -1 for one that is there no
	// longer.
	Loaded(name string, faces int, took time.Duration)
	Sized(name string, faces int)
}
