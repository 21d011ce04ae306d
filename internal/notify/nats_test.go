package notify

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// newNATS starts a server; on port -1 it takes a free one.
func newNATS(t *testing.T, port int, user, password string) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
		Username: user, Password: password,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server does not start")
	}
	return s
}

func dialNATS(t *testing.T, url string) *nats.Conn {
	t.Helper()
	c, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestNATSPublishes(t *testing.T) {
	t.Parallel()
	s := newNATS(t, -1, "", "")
	listener := dialNATS(t, s.ClientURL())
	sub, err := listener.SubscribeSync("spotter.jobs")
	if err != nil {
		t.Fatal(err)
	}
	if err = listener.Flush(); err != nil { // now the server knows of the subscription
		t.Fatal(err)
	}
	if err = sendOne(t, NATS{URL: s.ClientURL(), Subject: "spotter.jobs"}, nil); err != nil {
		t.Fatal(err)
	}
	got, err := sub.NextMsg(10 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	m := testMessage(t)
	if got.Header.Get("Nats-Msg-Id") != m.id || got.Header.Get("Topic-Arn") != testTopic ||
		!strings.HasPrefix(string(got.Data), `{"JobId":"`+m.job) {
		t.Errorf("got %s with %v", got.Data, got.Header)
	}
}

func TestNATSStreamStoresOnce(t *testing.T) {
	t.Parallel()
	s := newNATS(t, -1, "", "")
	sink := NATS{URL: s.ClientURL(), Subject: "spotter.jobs", Stream: true}
	if err := sendOne(t, sink, nil); err == nil || !asFailure(err).refused {
		t.Errorf("without a stream the error is %v, want a refusal", err)
	}
	js, err := jetstream.New(dialNATS(t, s.ClientURL()))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "jobs", Subjects: []string{"spotter.>"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // the stream knows the id
		if err = sendOne(t, sink, nil); err != nil {
			t.Fatal(err)
		}
	}
	info, err := stream.Info(t.Context())
	if err != nil || info.State.Msgs != 1 {
		t.Errorf("the stream has %d messages, %v; want one", info.State.Msgs, err)
	}
}

func TestNATSThatRefusesTheUser(t *testing.T) {
	t.Parallel()
	s := newNATS(t, -1, "spotter", "right")
	url := strings.Replace(s.ClientURL(), "nats://", "nats://spotter:sesame@", 1)
	sink := NATS{URL: url, Subject: "jobs"}
	err := sendOne(t, sink, nil)
	if err == nil || strings.Contains(err.Error()+sink.label(), "sesame") {
		t.Errorf("the error is %v, want one without the password, as in the name %q", err, sink.label())
	}
	if err := sendOne(t, NATS{URL: strings.Replace(url, "sesame", "right", 1), Subject: "jobs"}, nil); err != nil {
		t.Error(err)
	}
}

func TestNATSThatIsAwayAndComesBack(t *testing.T) {
	t.Parallel()
	s := newNATS(t, -1, "", "")
	address, ok := s.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal("the server has no address")
	}
	url := s.ClientURL()
	s.Shutdown()
	s.WaitForShutdown()

	n, err := New(Config{
		Now: time.Now, Retry: Retry{First: 10 * time.Millisecond, Most: 200 * time.Millisecond, GiveUpAfter: time.Hour},
		Topics: map[string]Topic{testTopic: {NATS{URL: url, Subject: "jobs"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	box := newOutbox(notice(1, testTopic))
	n.Start(t.Context(), box)
	eventually(t, "some attempts", func() bool { return n.Stats().Failed > 2 })
	newNATS(t, address.Port, "", "")
	eventually(t, "the delivery", func() bool { return box.size() == 0 })
	stop(t, n)
}
