package model

import (
	"fmt"
	"strconv"
	"strings"
)

// SerializationError says that a body cannot be read into the operation's shape: it is no JSON, or a value has another type.
// AWS answers with a SerializationException.
type SerializationError struct {
	// Message is for the caller.
	Message string
}

// Error is the message.
func (e *SerializationError) Error() string { return e.Message }

func serialization(format string, args ...any) *SerializationError {
	return &SerializationError{Message: fmt.Sprintf(format, args...)}
}

// ValidationError says that members break the constraints of their shapes. AWS answers with a ValidationException.
type ValidationError struct {
	// Violations are in the order of the service model; at least one.
	Violations []Violation
}

// Violation is one constraint that one member breaks.
type Violation struct {
	// Value is what stands there, shortened if it is long; empty with Absent.
	Value  string
	Absent bool
	// Path leads to the member, in lower camel case: video.s3Object.bucket, faceIds.1.member.
	Path string
	// Constraint is a sentence, such as "Member must not be null".
	Constraint string
}

// String is the violation in AWS's words.
func (v Violation) String() string {
	value := "null"
	if !v.Absent {
		value = "'" + v.Value + "'"
	}
	return "Value " + value + " at '" + v.Path + "' failed to satisfy constraint: " + v.Constraint
}

// Error is AWS's text.
func (e *ValidationError) Error() string {
	var b strings.Builder
	b.WriteString(strconv.Itoa(len(e.Violations)))
	b.WriteString(" validation error")
	if len(e.Violations) != 1 {
		b.WriteString("s")
	}
	b.WriteString(" detected: ")
	for i, v := range e.Violations {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(v.String())
	}
	return b.String()
}

// notNull is what AWS says of members that must be there.
const notNull = "Member must not be null"

// absent is a required member that is not there.
func absent(path string) Violation { return Violation{Absent: true, Path: path, Constraint: notNull} }

// longestValue is how many characters of a value a message repeats: the whole of everything that could be meant (a tag's
// value has at most 256 characters), and not the megabytes that were sent by mistake.
const longestValue = 256

// shorten cuts what is too long to be repeated.
func shorten(s string) string {
	n := 0
	for i := range s {
		if n++; n > longestValue {
			return s[:i] + "..."
		}
	}
	return s
}
