package photo

import "errors"

// Kind sorts the reasons for which a photo is refused.
type Kind uint8

// The kinds of [Error].
const (
	// Format: not JPEG or PNG, or a variant of them that is not read.
	Format Kind = iota + 1
	// TooLarge: more bytes or pixels than the limits allow.
	TooLarge
	// TooSmall: fewer pixels than the limits ask for.
	TooSmall
	// Corrupt: a JPEG or PNG that is damaged or cut off.
	Corrupt
)

// String is the kind in words.
func (k Kind) String() string {
	switch k {
	case Format:
		return "format"
	case TooLarge:
		return "too large"
	case TooSmall:
		return "too small"
	case Corrupt:
		return "corrupt"
	default:
		return "unknown"
	}
}

// ErrPassing marks an error of [Limits.JPEG] or [Limits.HEVC] that says nothing of the photo: [Decode] hands it on, and
// refuses nothing.
var ErrPassing = errors.New("the photo could not be decoded for the moment")

// Error says why a photo was refused.
type Error struct {
	Kind Kind
	// Message is for a person: what the file is, and what to do about it.
	Message string
	// Err is the decoder's own error, where it adds something.
	Err error
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Unwrap is the decoder's error, or nil.
func (e *Error) Unwrap() error { return e.Err }
