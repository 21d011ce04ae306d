package bucket

import (
	"errors"
	"fmt"
)

// Kind sorts errors by what a caller can do about them.
type Kind uint8

// The kinds of [Error].
const (
	// NotFound: there is no such bucket, object or version.
	NotFound Kind = iota + 1
	// Denied: it may be there, but may not be read.
	Denied
	// TooLarge: more bytes than the limit.
	TooLarge
	// Changed: the object is no longer what it was when it was pinned.
	Changed
	// Unavailable: something that may pass, such as a network that is down or a disk that is full.
	Unavailable
	// Invalid: a name that cannot be one of an object of this bucket.
	Invalid
)

// String is the kind in words.
func (k Kind) String() string {
	switch k {
	case NotFound:
		return "not found"
	case Denied:
		return "denied"
	case TooLarge:
		return "too large"
	case Changed:
		return "changed"
	case Unavailable:
		return "unavailable"
	case Invalid:
		return "invalid"
	default:
		return "unknown"
	}
}

// Error says why an object cannot be had.
type Error struct {
	Kind Kind
	// Reason is a sentence for a person: what is wrong and what to do about it. It holds no path of this machine but that
	// of a folder that a message to the operator is about, and no credentials.
	Reason string
	// Err is the cause, for the log; may be nil.
	Err error
}

// Error is the reason with its cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return e.Reason + " (" + e.Err.Error() + ")"
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of an error; 0 for errors that are no [*Error], such as the end of a context.
func KindOf(err error) Kind {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Kind
	}
	return 0
}

func fail(kind Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: kind, Reason: fmt.Sprintf(format, args...), Err: cause}
}
