package notify

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

func newKafka(t *testing.T, options ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(1, "jobs")}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestKafkaProduces(t *testing.T) {
	t.Parallel()
	c := newKafka(t)
	if err := sendOne(t, Kafka{Brokers: c.ListenAddrs(), Topic: "jobs"}, nil); err != nil {
		t.Fatal(err)
	}
	consumer, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics("jobs"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	records := consumer.PollFetches(t.Context()).Records()
	m := testMessage(t)
	if len(records) != 1 || string(records[0].Key) != m.job || !strings.HasPrefix(string(records[0].Value), `{"JobId":"`) {
		t.Fatalf("got %v", records)
	}
	headers := map[string]string{}
	for _, h := range records[0].Headers {
		headers[h.Key] = string(h.Value)
	}
	if headers["id"] != m.id || headers["topic-arn"] != testTopic {
		t.Errorf("the headers are %v", headers)
	}
}

func TestKafkaWithoutTheTopic(t *testing.T) {
	t.Parallel()
	c := newKafka(t)
	err := sendOne(t, Kafka{Brokers: c.ListenAddrs(), Topic: "other"}, nil)
	if err == nil || !asFailure(err).refused {
		t.Errorf("the error is %v, want a refusal", err)
	}
}

func TestKafkaLogsIn(t *testing.T) {
	t.Parallel()
	c := newKafka(t, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "spotter", "right"))
	sink := Kafka{Brokers: c.ListenAddrs(), Topic: "jobs", User: "spotter", Password: "right"}
	if err := sendOne(t, sink, nil); err != nil {
		t.Error(err)
	}
	sink.Password = "sesame"
	if err := sendWithin(t, sink, nil, time.Second); err == nil || strings.Contains(err.Error(), "sesame") {
		t.Errorf("with a wrong password the error is %v, want one without it", err)
	}
}

func TestKafkaSaysWhyThereIsNoConnection(t *testing.T) {
	t.Parallel()
	err := sendWithin(t, Kafka{Brokers: []string{"127.0.0.1:1"}, Topic: "jobs"}, nil, time.Second)
	if err == nil || !strings.Contains(err.Error(), "refused") || asFailure(err).refused {
		t.Errorf("the error is %v, want that the connection was refused", err)
	}
}

func TestKafkaThatIsAway(t *testing.T) {
	t.Parallel()
	n, err := New(Config{
		Now:    time.Now,
		Topics: map[string]Topic{testTopic: {Kafka{Brokers: []string{"127.0.0.1:1"}, Topic: "jobs"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	box := newOutbox(notice(1, testTopic))
	n.Start(t.Context(), box)
	time.Sleep(100 * time.Millisecond)
	cut, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := n.Stop(cut); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stop says %v, want that the delivery was broken off", err)
	}
	if box.size() != 1 {
		t.Error("the notice is gone")
	}
}
