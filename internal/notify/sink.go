package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Sink is somebody who takes notices: [SNS], [Webhook], [NATS], [Kafka] or [File].
//
// Each has a Name, by which the outbox remembers that it has taken a notice. Without one it is made of the sink's kind and
// address, so that it need be set only where a topic has two sinks of one kind and address.
type Sink interface {
	// label is the sink's name.
	label() string
	// open checks the settings and makes a sender. It connects to nobody.
	open(env environment) (sender, error)
}

// environment is what senders are made with.
type environment struct {
	client *http.Client // of webhooks; nil for one of their own
	now    func() time.Time
}

// sender hands messages to one sink. Safe for concurrent use. The context of send has a deadline. After close nothing is
// sent any more; close may be called when nothing was ever sent.
type sender interface {
	send(ctx context.Context, m *message) error
	close() error
}

// failure is a delivery that came to nothing. Errors of senders that are no failure are passing ones.
type failure struct {
	err error
	// refused says that the sink has answered and will answer the same next time.
	refused bool
	// pause is for how long the sink wants to be left alone; 0 if it has not said so.
	pause time.Duration
}

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

func asFailure(err error) *failure {
	if f := (*failure)(nil); errors.As(err, &f) {
		return f
	}
	return &failure{err: err}
}

// Secret is a text that is not shown: printing it gives a row of x. Convert it to a string to have it.
type Secret string

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "xxxxx"
}

// GoString hides the secret.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// sinkName is the name that was given or, without one, the kind, the host and a digest of the whole address. The address
// itself may hold secrets and is kept out of names, which are logged and stored.
func sinkName(given, kind, host, address string) string {
	if given != "" {
		return given
	}
	sum := sha256.Sum256([]byte(address))
	return fmt.Sprintf("%s %s %s", kind, host, hex.EncodeToString(sum[:4]))
}
