// Package fault has the errors that a person can mend, whichever room finds them, and says errors of files in plain words.
//
// A command's exit status follows from their kinds: what was asked for is wrong, or something is missing that the program needs.
package fault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// UsageError is a request that cannot be meant: a file that is not there, an option that makes no sense.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }

func (e *UsageError) Unwrap() error { return e.Err }

// EnvironmentError is something that the program needs and does not find, with what to do about it.
type EnvironmentError struct {
	Err error
	// Mend says what to do.
	Mend string
}

func (e *EnvironmentError) Error() string {
	if e.Mend == "" {
		return e.Err.Error()
	}
	return e.Err.Error() + "\n" + e.Mend
}

func (e *EnvironmentError) Unwrap() error { return e.Err }

// Usage is an error of a file that the user has named, or of what lies where they said. Nil stays nil, and what was interrupted is
// nobody's mistake.
func Usage(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return &UsageError{Err: err}
}

// Plain takes the operation's name out of a file error: "open x: no such file" says no more than "x: no such file".
func Plain(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", p.Path, p.Err)
	}
	return err
}

// Reason is the error without the path, for places that name the file themselves.
func Reason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}
