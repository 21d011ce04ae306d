package gallery

import "errors"

// What can be wrong with a call, for errors.Is. The errors that methods return say which face or probe is meant.
var (
	// ErrDuplicate means that a face to be added is enrolled already, or named twice in one call.
	ErrDuplicate = errors.New("face is already in the gallery")
	// ErrVector means that the vectors to be added do not fit their ids, or that one is not a finite unit vector.
	ErrVector = errors.New("invalid face vector")
	// ErrProbe means that a probe's vector, limit or lowest score cannot be searched with.
	ErrProbe = errors.New("invalid probe")
	// ErrOriginal means that a vector is not the one that the face was added with.
	ErrOriginal = errors.New("vector of a face is another one than it was")
	// ErrClosed means that the gallery or the snapshot has been closed.
	ErrClosed = errors.New("gallery is closed")
)
