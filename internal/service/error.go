package service

import (
	"errors"
	"fmt"
)

// Kind sorts errors by what a caller can do about them. The list is closed: a door maps each to its own name.
type Kind uint8

// The kinds.
const (
	// Internal is everything that is not the caller's doing. Its text is for the log and not for the caller.
	Internal Kind = iota
	// Invalid: the request says something that cannot be meant.
	Invalid
	// NotFound: there is no such collection, user, job or resource.
	NotFound
	// Exists: the collection is there already.
	Exists
	// Conflict: the user is there already, or changes at this moment.
	Conflict
	// BadPage: the page token is not one of this listing, or is too old.
	BadPage
	// TokenReused: the request token was used with another request.
	TokenReused
	// BadObject: the object cannot be found or read where the request says.
	BadObject
	// BadImage: the image is of no format that is read, or damaged.
	BadImage
	// ImageTooLarge: more bytes or pixels than are looked at.
	ImageTooLarge
	// VideoTooLarge: more bytes than are searched.
	VideoTooLarge
	// TooManyJobs: as many jobs are open as may be.
	TooManyJobs
	// QuotaExceeded: the collection, user or resource holds as much as it may.
	QuotaExceeded
	// Unavailable: something that passes, such as a network that is down. Trying again may help.
	Unavailable
	// Elsewhere: this process cannot, and another one may, which is newer or set up in another way. A task is handed back
	// and counts as not having been tried.
	Elsewhere
)

// Error is a failure that a caller is told of.
type Error struct {
	Kind Kind
	// Message is a sentence for the caller. Where clients are known to compare texts it is the one that they know.
	Message string
	// Err is the cause, for the log.
	Err error
}

// Error is the message with its cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of an error; [Internal] for errors that are no [*Error].
func KindOf(err error) Kind {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Errorf makes an [*Error] without a cause.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}
