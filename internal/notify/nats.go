package notify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// NATS publishes notices to a subject, with the headers Nats-Msg-Id (the notice's id, by which streams tell repetitions)
// and Topic-Arn.
type NATS struct {
	// Name is explained with [Sink].
	Name string
	// URL is one server or several of a cluster, with commas: nats://, tls://, ws:// or wss://. A user and password, or a
	// token, may be part of it.
	URL     string
	Subject string
	// Stream asks that a JetStream stream has stored the notice before it counts as taken. Without it a notice is taken
	// when the server has it, whether or not anybody listens.
	Stream bool
	// Credentials is a file with a user's JWT and seed; CA a file of PEM certificates that the server's must be signed by.
	// Empty for none, and for the system's.
	Credentials, CA string
}

const (
	topicHeader = "Topic-Arn"
	// dialTimeout is how long one server may take to be connected to; well within one attempt.
	dialTimeout = 5 * time.Second
)

func (n NATS) label() string {
	addresses := n.addresses()
	for i, a := range addresses {
		addresses[i] = withoutUser(a)
	}
	return sinkName(n.Name, "nats", hostOf(addresses[0]), strings.Join(append(addresses, n.Subject), " "))
}

func (n NATS) addresses() []string {
	all := strings.Split(n.URL, ",")
	for i, a := range all {
		all[i] = strings.TrimSpace(a)
	}
	return all
}

func (n NATS) open(environment) (sender, error) {
	for _, a := range n.addresses() {
		if err := checkURL(a, "nats", "tls", "ws", "wss"); err != nil {
			return nil, err
		}
	}
	if err := checkSubject(n.Subject); err != nil {
		return nil, fmt.Errorf("subject: %w", err)
	}
	options, err := n.options()
	if err != nil {
		return nil, err
	}
	return &natsSender{url: strings.Join(n.addresses(), ","), subject: n.Subject, stream: n.Stream, options: options}, nil
}

// options make a connection that comes back by itself and keeps nothing for later: what cannot be sent now stays in the
// outbox.
func (n NATS) options() ([]nats.Option, error) {
	all := []nats.Option{
		nats.Name("spotter"), nats.Timeout(dialTimeout), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true),
		nats.IgnoreAuthErrorAbort(), nats.ReconnectBufSize(-1),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // the next attempt meets it; the default prints
	}
	if n.Credentials != "" {
		if _, err := os.Stat(n.Credentials); err != nil {
			return nil, fmt.Errorf("credentials: %w", err)
		}
		all = append(all, nats.UserCredentials(n.Credentials))
	}
	if n.CA != "" {
		c, err := tlsConfig(n.CA)
		if err != nil {
			return nil, err
		}
		all = append(all, nats.Secure(c))
	}
	return all, nil
}

func checkSubject(s string) error {
	switch {
	case s == "":
		return errors.New("it is empty; name one such as spotter.jobs")
	case strings.ContainsAny(s, " \t\r\n*>"):
		return fmt.Errorf("%q has spaces or wildcards", s)
	case strings.HasPrefix(s, "."), strings.HasSuffix(s, "."), strings.Contains(s, ".."):
		return fmt.Errorf("%q has an empty part between its dots", s)
	}
	return nil
}

type natsSender struct {
	url, subject string
	stream       bool
	options      []nats.Option

	mu   sync.Mutex
	conn *nats.Conn // nil until the first notice
}

func (s *natsSender) send(ctx context.Context, m *message) error {
	conn, err := s.connect()
	if err != nil {
		return err
	}
	msg := &nats.Msg{Subject: s.subject, Data: m.body, Header: nats.Header{
		nats.MsgIdHdr: {m.id}, topicHeader: {m.topic},
	}}
	if s.stream {
		return s.store(ctx, conn, msg)
	}
	if err := conn.PublishMsg(msg); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	// The server answers to the flush when it has read what came before.
	if err := conn.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

func (s *natsSender) store(ctx context.Context, conn *nats.Conn, msg *nats.Msg) error {
	js, err := jetstream.New(conn)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	_, err = js.PublishMsg(ctx, msg)
	switch {
	case errors.Is(err, jetstream.ErrNoStreamResponse):
		return &failure{refused: true, err: fmt.Errorf("publish: no stream takes the subject %s: %w", s.subject, err)}
	case err != nil:
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// connect gives the connection when it stands. The first call makes it, and waits for each server dialTimeout at most; after
// that it is mended in the background.
func (s *natsSender) connect() (*nats.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil || s.conn.IsClosed() {
		conn, err := nats.Connect(s.url, s.options...)
		if err != nil {
			return nil, fmt.Errorf("connect: %w", err)
		}
		s.conn = conn
	}
	if !s.conn.IsConnected() {
		if err := s.conn.LastError(); err != nil {
			return nil, fmt.Errorf("not connected: %w", err)
		}
		return nil, errors.New("not connected yet")
	}
	return s.conn, nil
}

func (s *natsSender) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		s.conn.Close()
	}
	return nil
}
