package config

import (
	"encoding"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Sink is somebody to tell when a job has ended. Exactly one of its members is set.
type Sink struct {
	SNS     *SNS
	Webhook *Webhook
	NATS    *NATS
	Kafka   *Kafka
	File    *File
}

// SNS is a topic of an SNS server.
type SNS struct {
	// Endpoint is the server; empty for AWS.
	Endpoint URL
	// Region of the topic; empty for the one that its ARN names.
	Region Region
	// TopicARN is its ARN there; empty for the same as here.
	TopicARN Text
	// AccessKeyID, SecretAccessKey and SessionToken are the credentials; none: those that AWS's tools would find.
	AccessKeyID     Text
	SecretAccessKey Secret
	SessionToken    Secret
}

func (s *SNS) settings() []Setting {
	return []Setting{
		{Key: "endpoint", Value: &s.Endpoint},
		{Key: "region", Value: &s.Region},
		{Key: "topic-arn", Value: &s.TopicARN},
		{Key: "access-key-id", Value: &s.AccessKeyID},
		{Key: "secret-access-key", Value: &s.SecretAccessKey},
		{Key: "session-token", Value: &s.SessionToken},
	}
}

func (s *SNS) validate(key string) error {
	return errors.Join(
		checkScheme(key+".endpoint", s.Endpoint, "http", "https"),
		checkCredentials(key, s.AccessKeyID, s.SecretAccessKey, s.SessionToken),
	)
}

// Webhook is a URL that messages are posted to.
type Webhook struct {
	URL URL
	// Secrets sign the messages, each of them, as Standard Webhooks has it: "whsec_" and base64.
	Secrets Secrets
	// Format of the body; empty is [StandardWebhook].
	Format WebhookFormat
	// CAFile holds the certificates that the receiver's may be signed by (PEM); empty: the system's.
	CAFile Path
}

func (w *Webhook) settings() []Setting {
	return []Setting{
		{Key: "url", Value: &w.URL},
		{Key: "secret", Value: &w.Secrets},
		{Key: "format", Value: &w.Format},
		{Key: "ca-file", Value: &w.CAFile},
	}
}

func (w *Webhook) validate(key string) error {
	return errors.Join(needed(key+".url", w.URL), checkScheme(key+".url", w.URL, "http", "https"),
		neededList(key+".secret", w.Secrets))
}

// WebhookFormat is the form of a webhook's body.
type WebhookFormat string

// The formats: the message alone, or within the envelope that SNS puts around it.
const (
	StandardWebhook WebhookFormat = "standard"
	SNSWebhook      WebhookFormat = "sns"
)

// UnmarshalText reads one of the words.
func (f *WebhookFormat) UnmarshalText(text []byte) error {
	return readWord(f, text, StandardWebhook, SNSWebhook)
}

// MarshalText writes the word.
func (f WebhookFormat) MarshalText() ([]byte, error) { return []byte(f), nil }

// NATS is a subject of a NATS server.
type NATS struct {
	// URLs are the server's, or several of a cluster. A user and password, or a token, may be part of them.
	URLs    URLs
	Subject Text
	// Stream waits until a JetStream stream has stored the message; without it the server's receipt counts.
	Stream Switch
	// CredentialsFile holds a user's JWT and seed; CAFile the certificates that the server's may be signed by (PEM).
	CredentialsFile, CAFile Path
}

func (n *NATS) settings() []Setting {
	return []Setting{
		{Key: "url", Value: &n.URLs},
		{Key: "subject", Value: &n.Subject},
		{Key: "stream", Value: &n.Stream},
		{Key: "credentials-file", Value: &n.CredentialsFile},
		{Key: "ca-file", Value: &n.CAFile},
	}
}

func (n *NATS) validate(key string) error {
	errs := make([]error, 0, 2+len(n.URLs))
	errs = append(errs, neededList(key+".url", n.URLs), needed(key+".subject", n.Subject))
	for _, u := range n.URLs {
		errs = append(errs, checkScheme(key+".url", u, "nats", "tls", "ws", "wss"))
	}
	return errors.Join(errs...)
}

// Kafka is a topic of a Kafka cluster.
type Kafka struct {
	// Brokers are some of the cluster's, as HOST or HOST:PORT.
	Brokers Texts
	Topic   Text
	// TLS is spoken if it is on, or if CAFile is set: the certificates that the brokers' may be signed by (PEM).
	TLS    Switch
	CAFile Path
	// User and Password log in, by Mechanism.
	User      Text
	Password  Secret
	Mechanism Mechanism
}

func (k *Kafka) settings() []Setting {
	return []Setting{
		{Key: "brokers", Value: &k.Brokers},
		{Key: "topic", Value: &k.Topic},
		{Key: "tls", Value: &k.TLS},
		{Key: "ca-file", Value: &k.CAFile},
		{Key: "user", Value: &k.User},
		{Key: "password", Value: &k.Password},
		{Key: "mechanism", Value: &k.Mechanism},
	}
}

func (k *Kafka) validate(key string) error {
	errs := []error{neededList(key+".brokers", k.Brokers), needed(key+".topic", k.Topic)}
	for _, b := range k.Brokers {
		if b == "" || strings.ContainsFunc(string(b), func(r rune) bool { return notOfHost(r) && r != '[' && r != ']' }) {
			errs = append(errs, fmt.Errorf("%s.brokers: %q is neither HOST nor HOST:PORT", key, string(b)))
		}
	}
	if (k.User == "") == k.Password.IsSet() {
		errs = append(errs, fmt.Errorf("%s.user and %s.password must be set together", key, key))
	}
	return errors.Join(errs...)
}

// Mechanism is how a user logs in to Kafka.
type Mechanism string

// The mechanisms of SASL.
const (
	Scram512 Mechanism = "SCRAM-SHA-512"
	Scram256 Mechanism = "SCRAM-SHA-256"
	Plain    Mechanism = "PLAIN"
)

// UnmarshalText reads one of the words.
func (m *Mechanism) UnmarshalText(text []byte) error {
	return readWord(m, text, Scram512, Scram256, Plain)
}

// MarshalText writes the word.
func (m Mechanism) MarshalText() ([]byte, error) { return []byte(m), nil }

// File takes one message a line.
type File struct{ Path Path }

func (f *File) settings() []Setting { return []Setting{{Key: "path", Value: &f.Path}} }

func (f *File) validate(key string) error { return needed(key+".path", f.Path) }

// sinkPart is one of the members of a sink.
type sinkPart interface {
	settings() []Setting
	validate(key string) error
}

// part is the member that is set, with its key; nil if there is none.
func (s Sink) part() (key string, part sinkPart) {
	switch {
	case s.SNS != nil:
		return "sns", s.SNS
	case s.Webhook != nil:
		return "webhook", s.Webhook
	case s.NATS != nil:
		return "nats", s.NATS
	case s.Kafka != nil:
		return "kafka", s.Kafka
	case s.File != nil:
		return "file", s.File
	default:
		return "", nil
	}
}

func validateTopic(key, arn string, sinks []Sink) error {
	var errs []error
	if !isTopic(arn) {
		errs = append(errs, fmt.Errorf("%s: a topic is named by its ARN, as requests do: "+
			"arn:aws:sns:REGION:ACCOUNT:NAME, or by a pattern of ARNs with *", key))
	}
	if len(sinks) == 0 {
		errs = append(errs, fmt.Errorf("%s needs at least one of %s", key, strings.Join(sinkKeys(), ", ")))
	}
	for i, s := range sinks {
		at := fmt.Sprintf("%s[%d]", key, i)
		if name, part := s.part(); part != nil {
			errs = append(errs, part.validate(at+"."+name))
		} else {
			errs = append(errs, fmt.Errorf("%s needs one of %s", at, strings.Join(sinkKeys(), ", ")))
		}
	}
	return errors.Join(errs...)
}

func sinkKeys() []string { return []string{"sns", "webhook", "nats", "kafka", "file"} }

// isTopic says whether requests can name a topic so: the service model's SNSTopicArn, arn:aws:sns:.*:\w{12}:.+ Patterns
// with * stand for many.
func isTopic(arn string) bool {
	if strings.Contains(arn, "*") {
		return true
	}
	parts := strings.SplitN(arn, ":", 6)
	return len(arn) <= 1024 && len(parts) == 6 && strings.HasPrefix(arn, "arn:aws:sns:") && len(parts[4]) == 12 &&
		parts[5] != "" && !strings.ContainsFunc(arn, unicode.IsControl)
}

// Text is a name or the like, of one line.
type Text string

// UnmarshalText takes the text as it is.
func (t *Text) UnmarshalText(text []byte) error {
	if strings.ContainsFunc(string(text), unicode.IsControl) {
		return errors.New("it holds a control character")
	}
	*t = Text(text)
	return nil
}

// MarshalText writes the text as it is.
func (t Text) MarshalText() ([]byte, error) { return []byte(t), nil }

// Texts are several of them.
type Texts []Text

// UnmarshalText reads a list with commas.
func (t *Texts) UnmarshalText(text []byte) error { return t.setItems(strings.Split(string(text), ",")) }

func (t *Texts) setItems(items []string) (err error) {
	*t, err = readItems[Text](items)
	return err
}

// MarshalText writes the list with commas.
func (t Texts) MarshalText() ([]byte, error) { return joinItems(t), nil }

// maxItems bounds what a list costs.
const maxItems = 100

// readItems reads each item of a list.
func readItems[T any, P interface {
	*T
	Value
}](items []string) ([]T, error) {
	if len(items) > maxItems {
		return nil, fmt.Errorf("more than %d are listed", maxItems)
	}
	list := make([]T, len(items))
	for i, item := range items {
		if err := P(&list[i]).UnmarshalText([]byte(strings.TrimSpace(item))); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// joinItems writes each item of a list, with commas.
func joinItems[T encoding.TextMarshaler](list []T) []byte {
	var b []byte
	for i, item := range list {
		text, _ := item.MarshalText() // no value of this package fails to write itself
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, text...)
	}
	return b
}

func needed[T ~string](key string, value T) error {
	if value != "" {
		return nil
	}
	return fmt.Errorf("%s is missing", key)
}

func neededList[T any](key string, list []T) error {
	if len(list) > 0 {
		return nil
	}
	return fmt.Errorf("%s is missing", key)
}
