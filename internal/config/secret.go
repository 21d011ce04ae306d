package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
)

// hidden stands for a secret wherever one would be written.
const hidden = "***"

// Secret is what nobody may read in a log, an error or a dump of the settings: only [Secret.Reveal] tells it. The zero
// value is no secret.
type Secret struct {
	// value is a pointer because fmt, given a struct that holds a Secret where it cannot call String, prints an address.
	value *string
}

// NewSecret makes a secret; of an empty text none.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal is the secret itself; empty if there is none.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsSet says whether there is a secret.
func (s Secret) IsSet() bool { return s.value != nil }

// Equal says whether two secrets are the same.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// String hides the secret.
func (s Secret) String() string {
	if s.value == nil {
		return ""
	}
	return hidden
}

// GoString hides the secret.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret: it does not read back.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the text as it is.
func (s *Secret) UnmarshalText(text []byte) error {
	if strings.ContainsRune(string(text), 0) {
		return errors.New("a secret holds no NUL byte")
	}
	*s = NewSecret(string(text))
	return nil
}

// maxSecrets is plenty for a rotation, and bounds the headers that signatures go into.
const maxSecrets = 8

// Secrets are several that hold at once, while one takes the place of another.
type Secrets []Secret

// UnmarshalText reads one secret a line.
func (s *Secrets) UnmarshalText(text []byte) error {
	return s.setItems(strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' || r == '\r' }))
}

// MarshalText hides the secrets.
func (s Secrets) MarshalText() ([]byte, error) { return joinItems(s), nil }

func (s *Secrets) setItems(items []string) error {
	if len(items) > maxSecrets {
		return fmt.Errorf("more than %d secrets are listed", maxSecrets)
	}
	list, err := readItems[Secret](items)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(list, func(s Secret) bool { return !s.IsSet() }) {
		return errors.New("one of the secrets is empty")
	}
	*s = list
	return nil
}

// URL is an absolute URL. As path and query may be as good as a password, it writes itself as scheme and host only;
// string(u) is all of it.
type URL string

// UnmarshalText reads a URL with a scheme and a host.
func (u *URL) UnmarshalText(text []byte) error {
	parsed, err := url.Parse(string(text))
	if err != nil || parsed.Scheme == "" || parsed.Host == "" || len(text) > maxURL {
		// What was given is not repeated: it may hold a password.
		return errors.New("this is not a URL such as https://host/path")
	}
	*u = URL(text)
	return nil
}

const maxURL = 2048 // bytes; what browsers and proxies take

// Scheme is what stands before the colon, in lower case; empty for no URL.
func (u URL) Scheme() string {
	parsed, err := url.Parse(string(u))
	if err != nil {
		return ""
	}
	return parsed.Scheme
}

// String is scheme and host, without user, password, path and query.
func (u URL) String() string {
	parsed, err := url.Parse(string(u))
	if err != nil || u == "" {
		return ""
	}
	return parsed.Scheme + "://" + parsed.Host
}

// LogValue is scheme and host.
func (u URL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// MarshalText writes scheme and host: it does not read back.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// URLs are several of them.
type URLs []URL

// UnmarshalText reads a list with commas.
func (u *URLs) UnmarshalText(text []byte) error { return u.setItems(strings.Split(string(text), ",")) }

func (u *URLs) setItems(items []string) (err error) {
	*u, err = readItems[URL](items)
	return err
}

// MarshalText writes schemes and hosts, with commas: it does not read back.
func (u URLs) MarshalText() ([]byte, error) { return joinItems(u), nil }
