package video

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// Kind says what sort of failure an [Error] is.
type Kind uint8

// The kinds.
const (
	// Invalid: the file is damaged, incomplete, or no video at all.
	Invalid Kind = iota + 1
	// Unsupported: a video, but of a container or codec that is not decoded.
	Unsupported
	// NoVideo: a media file without moving pictures.
	NoVideo
	// TooLarge: over one of the limits.
	TooLarge
	// Crashed: the decoder died or broke its protocol.
	Crashed
	// Timeout: the decoder took too long.
	Timeout
	// Unavailable: there is no decoder, or its sandbox could not be put in force.
	Unavailable
	// Killed: somebody else killed the decoder, such as the kernel for want of memory. It may pass.
	Killed
	// Exhausted: the machine has no descriptors, threads or memory left to decode with. It may pass.
	Exhausted
)

// String is the kind's name in lower case.
func (k Kind) String() string {
	names := [...]string{"", "invalid", "unsupported", "no video", "too large", "crashed", "timeout", "unavailable", "killed", "exhausted"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Error is why a video, or a stretch of it, could not be decoded.
type Error struct {
	Kind Kind
	// Reason is a sentence for a person: what is wrong and what to do.
	Reason string
	// Err is the cause, if there is one to look at.
	Err error

	sandbox bool // a sandbox that could not be put in force: no other program would do better
	fault   bool // a signal ended the decoder
}

// Error is the reason, with its cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return e.Reason + " [" + e.Err.Error() + "]"
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of an error from this package; 0 for others.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return 0
}

// WorthAnother says whether the same may well work when it is tried once more at once: the decoder was killed, the machine
// was short of something, or a fault ended the decoder, which may be the machine's and not the file's.
func WorthAnother(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Kind == Killed || e.Kind == Exhausted || e.fault)
}

// short are the errors of a machine that has run out of something for the moment: descriptors, of the process or of the
// system, threads or processes, memory.
var short = []error{unix.EMFILE, unix.ENFILE, unix.EAGAIN, unix.ENOMEM, unix.ENOBUFS} //nolint:gochecknoglobals // a constant list

// systemError is what a failure of the system means: that the machine has run out of something, or else what the caller says.
func systemError(err error, otherwise *Error) *Error {
	if slices.ContainsFunc(short, func(s error) bool { return errors.Is(err, s) }) {
		return exhausted(err)
	}
	otherwise.Err = err
	return otherwise
}

func exhausted(cause error) *Error {
	return fail(Exhausted, cause, "The machine has no open files, threads or memory left to decode with. Try again, with fewer "+
		"workers, or raise the limits of the account or service (ulimit -n, ulimit -u).")
}

func fail(k Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: k, Reason: fmt.Sprintf(format, args...), Err: cause}
}
