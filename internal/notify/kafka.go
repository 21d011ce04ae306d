package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Kafka produces notices into a topic: the key is the job's id, the headers are id (the notice's) and topic-arn. A notice
// counts as taken when all in-sync replicas have it.
type Kafka struct {
	// Name is explained with [Sink].
	Name string
	// Brokers are some of the cluster's, host or host:port (9092).
	Brokers []string
	Topic   string
	// TLS is spoken if set, or if a CA is: a file of PEM certificates that the brokers' must be signed by.
	TLS bool
	CA  string
	// User and Password log in by Mechanism: SCRAM-SHA-512, which is also meant where nothing is said, SCRAM-SHA-256 or
	// PLAIN.
	User      string
	Password  Secret
	Mechanism string
}

// kafkaTopic is what Kafka allows (org.apache.kafka.common.internals.Topic).
var kafkaTopic = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

func (k Kafka) label() string {
	host := ""
	if len(k.Brokers) > 0 && checkBroker(k.Brokers[0]) == nil {
		host = k.Brokers[0]
	}
	return sinkName(k.Name, "kafka", host, strings.Join(append([]string{k.Topic}, k.Brokers...), " "))
}

func (k Kafka) open(environment) (sender, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	options := []kgo.Opt{
		kgo.ClientID("spotter"), kgo.SeedBrokers(k.Brokers...), kgo.DefaultProduceTopic(k.Topic),
		// One attempt is bounded; a record that comes twice is better than one that is waited for without end.
		kgo.DialTimeout(dialTimeout), kgo.RecordDeliveryTimeout(sendTimeout), kgo.AllowIdempotentProduceCancellation(),
	}
	if k.TLS || k.CA != "" {
		c, err := tlsConfig(k.CA)
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.DialTLSConfig(c))
	}
	if k.User != "" {
		m, err := k.mechanism()
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.SASL(m))
	}
	if err := kgo.ValidateOpts(options...); err != nil {
		return nil, fmt.Errorf("brokers: %w", err)
	}
	return &kafkaSender{options: options}, nil
}

func (k Kafka) check() error {
	if len(k.Brokers) == 0 {
		return errors.New("brokers: there are none; name one such as kafka.example.org:9092")
	}
	for _, b := range k.Brokers {
		if err := checkBroker(b); err != nil {
			return fmt.Errorf("brokers: %w", err)
		}
	}
	if !kafkaTopic.MatchString(k.Topic) || k.Topic == "." || k.Topic == ".." {
		return fmt.Errorf("topic: %q must be 1 to 249 letters, digits, dots, underscores and hyphens", k.Topic)
	}
	if (k.User == "") != (k.Password == "") {
		return errors.New("user, password: one of them is missing")
	}
	return nil
}

// checkBroker does not show what is wrong: it may hold a password.
func checkBroker(b string) error {
	if b == "" || strings.ContainsAny(b, "/@ ,") {
		return errors.New("each must be host or host:port, without scheme, user or path")
	}
	return nil
}

func (k Kafka) mechanism() (sasl.Mechanism, error) {
	switch k.Mechanism {
	case "", "SCRAM-SHA-512":
		return scram.Auth{User: k.User, Pass: string(k.Password)}.AsSha512Mechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: k.User, Pass: string(k.Password)}.AsSha256Mechanism(), nil
	case "PLAIN":
		return plain.Auth{User: k.User, Pass: string(k.Password)}.AsMechanism(), nil
	default:
		return nil, fmt.Errorf("mechanism: %q is unknown; use SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN", k.Mechanism)
	}
}

type kafkaSender struct {
	options []kgo.Opt

	mu      sync.Mutex
	client  *kgo.Client // nil until the first notice
	connect error       // of the latest connection; nil if that stands
}

// OnBrokerConnect keeps why there is no connection: the client goes on trying, and would say only that it took too long.
func (s *kafkaSender) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connect = err
}

func (s *kafkaSender) send(ctx context.Context, m *message) error {
	client, err := s.open()
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	client.Produce(ctx, &kgo.Record{
		Key: []byte(m.job), Value: m.body,
		Headers: []kgo.RecordHeader{{Key: "id", Value: []byte(m.id)}, {Key: "topic-arn", Value: []byte(m.topic)}},
	}, func(_ *kgo.Record, err error) { done <- err })
	select {
	case err = <-done:
	case <-ctx.Done(): // the client lets go of the record a little later
		err = ctx.Err()
	}
	if err == nil {
		return nil
	}
	if why := s.connectError(); why != nil {
		return fmt.Errorf("produce: %w: %w", err, why)
	}
	return &failure{err: fmt.Errorf("produce: %w", err), refused: isKafkaRefusal(err)}
}

// isKafkaRefusal says whether a broker has answered with something that does not pass by itself.
func isKafkaRefusal(err error) bool {
	e := (*kerr.Error)(nil)
	return errors.As(err, &e) && (!e.Retriable || errors.Is(err, kerr.UnknownTopicOrPartition))
}

func (s *kafkaSender) connectError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connect
}

// open makes the client when it is needed first. That connects to nobody yet, but runs goroutines until close.
func (s *kafkaSender) open() (*kgo.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		return s.client, nil
	}
	client, err := kgo.NewClient(append(slices.Clip(s.options), kgo.WithHooks(s))...)
	if err != nil {
		return nil, fmt.Errorf("set up the Kafka client: %w", err)
	}
	s.client = client
	return client, nil
}

func (s *kafkaSender) close() error {
	s.mu.Lock()
	client := s.client
	s.mu.Unlock()
	if client != nil {
		client.Close()
	}
	return nil
}
