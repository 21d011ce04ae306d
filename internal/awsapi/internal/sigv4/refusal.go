package sigv4

import "fmt"

// Reason sorts refusals by what the caller has to do about them.
type Reason uint8

// The reasons.
const (
	// Missing: the request is not signed, or not in its headers.
	Missing Reason = iota + 1
	// Incomplete: the signature cannot be read.
	Incomplete
	// Unrecognized: the access key is not one of ours, or the session token is not.
	Unrecognized
	// Invalid: the signature is not one for this request, service and time.
	Invalid
	// Expired: the session of temporary credentials is over.
	Expired
)

// Error says why a request is not let in. Its message is for the caller and gives away no secret.
type Error struct {
	Reason  Reason
	Message string
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Unknown is the refusal of an access key that is not one of ours. Disabled keys and session tokens that were not made here are
// refused with the same words, so that nobody learns which keys there are.
func Unknown() *Error {
	return &Error{Reason: Unrecognized, Message: "The security token included in the request is invalid."}
}

// Over is the refusal of a session that has ended. Only who has had it can ask about it.
func Over() *Error {
	return &Error{Reason: Expired, Message: "The security token included in the request is expired"}
}

func mismatch() *Error {
	return invalid("The request signature we calculated does not match the signature you provided. Check your AWS Secret " +
		"Access Key and signing method. Consult the service documentation for details.")
}

func missing(message string) *Error { return &Error{Reason: Missing, Message: message} }

func incomplete(format string, args ...any) *Error {
	return &Error{Reason: Incomplete, Message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) *Error {
	return &Error{Reason: Invalid, Message: fmt.Sprintf(format, args...)}
}
