package awsapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
)

// sender is a connection that has announced a body and sent part of it.
func sender(t *testing.T, b *bench, key string, announced, sent int) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	now := time.Now().UTC()
	_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Date: %s\r\nX-Amz-Target: RekognitionService.DescribeCollection\r\n"+
		"Authorization: AWS4-HMAC-SHA256 Credential=%s/%s/us-east-1/rekognition/aws4_request, "+
		"SignedHeaders=host;x-amz-date;x-amz-target, Signature=00\r\nContent-Length: %d\r\n\r\n%s",
		now.Format("20060102T150405Z"), key, now.Format("20060102"), announced, strings.Repeat("x", sent))
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// answer is the status and the body of the answer to a sender.
func answer(t *testing.T, conn net.Conn) (int, string) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// held waits until the bodies of all requests take at least so much.
func held(t *testing.T, b *bench, least int64, of int64) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if !b.door.intake.bodies.TryAcquire(of - least + 1) {
			return
		}
		b.door.intake.bodies.Release(of - least + 1)
		if time.Now().After(end) {
			t.Fatal("the bodies are not counted")
		}
	}
}

func TestSlowSendersKeepNobodyOut(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) { c.Limits.InFlight = 1 })
	for range senders - 1 {
		sender(t, b, keyID, 1<<20, 1000)
	}
	for len(b.door.throttle.arrivals) < senders-1 {
		time.Sleep(time.Millisecond)
	}
	if _, err := describeWith(t, b.client()); err != nil {
		t.Error(err)
	}
	sender(t, b, keyID, 1<<20, 1000)
	for len(b.door.throttle.arrivals) < senders {
		time.Sleep(time.Millisecond)
	}
	_, err := describeWith(t, b.client())
	expectCode(t, err, "ThrottlingException", "Slow down; sudden increase in rate of requests.")
}

func TestSendersWhoStopAreCutOff(t *testing.T) {
	t.Parallel()
	for _, key := range []string{keyID, "AKIDSTRANGER"} {
		b := newBench(t, nil)
		b.door.intake.pace = 100 * time.Millisecond
		status, body := answer(t, sender(t, b, key, 1<<20, 100_000))
		if status != http.StatusRequestTimeout || !strings.Contains(body, "too slowly") {
			t.Errorf("%s: %d %s", key, status, body)
		}
	}
}

func TestBodiesTogetherAreBounded(t *testing.T) {
	t.Parallel()
	const bodies = 1 << 20
	b := newBench(t, func(c *Config) { c.Limits.Bodies = bodies })
	first := sender(t, b, keyID, 1_000_000, 900_000)
	held(t, b, 900_000, bodies)
	if status, body := answer(t, sender(t, b, keyID, 500_000, 500_000)); !strings.Contains(body, "ThrottlingException") {
		t.Errorf("no memory: %d %s", status, body)
	}
	if _, err := describeWith(t, b.client()); err != nil {
		t.Errorf("a small request: %v", err)
	}
	if _, err := first.Write(make([]byte, 100_000)); err != nil {
		t.Fatal(err)
	}
	if status, body := answer(t, first); !strings.Contains(body, "InvalidSignature") {
		t.Errorf("the first: %d %s", status, body)
	}
	if !b.door.intake.bodies.TryAcquire(bodies) {
		t.Error("memory is not given back")
	}
}

func TestStrangersBodiesAreNotKept(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) { c.Limits.Bodies = 1 })
	status, body := answer(t, sender(t, b, "AKIDSTRANGER", 500_000, 500_000))
	if !strings.Contains(body, "UnrecognizedClient") {
		t.Errorf("memory was wanted: %d %s", status, body)
	}
	for _, length := range []int64{5, -1} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("12345"))
		r.ContentLength = length
		if f := (*failure)(nil); !errors.As(digest(r, 4), &f) || f.status != http.StatusRequestEntityTooLarge {
			t.Errorf("length %d: %v", length, f)
		}
	}
}

func TestLargeBodiesAreDecodedInTurns(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	cores := runtime.GOMAXPROCS(0)
	for range cores {
		if _, err := b.door.intake.turn(t.Context(), smallBody+1); err != nil {
			t.Fatal(err)
		}
	}
	late, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	large := []byte(`{"CollectionId":"a","Pad":"` + strings.Repeat("x", smallBody) + `"}`)
	op := describeOp(nil)
	if err := b.door.decode(late, &op, large, new(model.DescribeCollectionRequest)); err == nil {
		t.Error("a large body was decoded out of turn")
	}
	if err := b.door.decode(t.Context(), &op, []byte(`{"CollectionId":"a"}`), new(model.DescribeCollectionRequest)); err != nil {
		t.Errorf("a small one: %v", err)
	}
}
