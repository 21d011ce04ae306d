package awsapi

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/testkit/patience"
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
	ctx, cancel := patience.Usual().Context(t.Context())
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
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

// arrived waits until so many requests are on their way in whose signature has not been checked.
func arrived(t *testing.T, b *bench, want int64) {
	t.Helper()
	s := b.door.throttle.unproven
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		taken := s.taken
		s.mu.Unlock()
		if taken >= want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d are on their way in, want %d", taken, want)
		}
	}
}

func TestSlowSendersKeepNobodyOut(t *testing.T) {
	t.Parallel()
	const most = senders * part / part // of one address
	b := newBench(t, func(c *Config) { c.Limits.InFlight = part })
	for range most - 1 {
		sender(t, b, keyID, 1<<20, 1000)
	}
	arrived(t, b, most-1)
	if _, err := describeWith(t, b.client()); err != nil {
		t.Error(err)
	}
	sender(t, b, keyID, 1<<20, 1000)
	arrived(t, b, most)
	_, err := describeWith(t, b.client())
	expectCode(t, err, "ThrottlingException", "Slow down; sudden increase in rate of requests.")
	if _, err := describeWith(t, b.client(from(t, "127.0.0.2"))); err != nil {
		t.Errorf("from another address: %v", err)
	}
	if _, err := describeWith(t, b.client(foretelling)); err != nil {
		t.Errorf("with headers that prove whose it is: %v", err)
	}
}

// from has a client call from an address of this machine.
func from(t *testing.T, address string) func(*rekognition.Options) {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	transport := &http.Transport{DialContext: dialer.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	return func(o *rekognition.Options) { o.HTTPClient = &http.Client{Transport: transport} }
}

// foretelling has a client say in its headers what the body's hash is, as the SDK for JavaScript does.
func foretelling(o *rekognition.Options) {
	o.APIOptions = append(o.APIOptions, v4.AddContentSHA256HeaderMiddleware)
}

// Strangers who invent access keys, and those who know one but not its secret, are told so before they have sent a body.
func TestStrangersAreToldBeforeTheySend(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) { c.Limits.InFlight = 1 })
	b.door.intake.drains = newShares(0, 0) // nothing of theirs is read
	for range 3 * senders {
		status, body := answer(t, sender(t, b, "AKIDSTRANGER", 15<<20, 0))
		if status != http.StatusBadRequest || !strings.Contains(body, "UnrecognizedClientException") {
			t.Fatalf("got %d %s", status, body)
		}
	}
	if _, err := describeWith(t, b.client()); err != nil {
		t.Error(err)
	}
	_, err := describeWith(t, b.client(credentials(keyID, "wrong", ""), foretelling))
	expectCode(t, err, "InvalidSignatureException", "")
}

// Whoever waits to be asked for a body is not asked for one that nobody wants.
func TestBodiesAreNotAskedFor(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if status, body := answer(t, conn); status != http.StatusBadRequest || !strings.Contains(body, "MissingAuthenticationToken") {
		t.Errorf("got %d %s", status, body)
	}
}

func TestABodyIsTheOneThatWasForetold(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	if _, err := describeWith(t, b.client(foretelling)); err != nil {
		t.Error(err)
	}
	swapped := &swap{next: http.DefaultTransport, from: "staff", to: "stuff"}
	_, err := describeWith(t, b.client(foretelling, func(o *rekognition.Options) { o.HTTPClient = &http.Client{Transport: swapped} }))
	expectCode(t, err, "InvalidSignatureException", "")
	if len(b.audited) != 1 {
		t.Errorf("another body was taken for the caller's: %+v", b.audited)
	}
}

// swap changes what has been signed.
type swap struct {
	next     http.RoundTripper
	from, to string
}

func (s *swap) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(strings.NewReader(strings.ReplaceAll(string(body), s.from, s.to)))
	return s.next.RoundTrip(r)
}

// Somebody who knows an access key's id can send bodies for it; those of one address leave memory for everybody else.
func TestUnprovenBodiesLeaveMemory(t *testing.T) {
	t.Parallel()
	const bodies = 4 << 20
	b := newBench(t, func(c *Config) { c.Limits.Bodies = bodies })
	big := strings.Repeat("x", 600_000)
	describe := func(change ...func(*rekognition.Options)) error {
		_, err := b.client(change...).DescribeCollection(t.Context(), &rekognition.DescribeCollectionInput{CollectionId: &big})
		return err
	}
	sender(t, b, keyID, 1_000_000, 900_000)
	held(t, b, 900_000, bodies)
	expectCode(t, describe(), "ThrottlingException", "")
	expectCode(t, describe(from(t, "127.0.0.2")), "ValidationException", "")
	expectCode(t, describe(foretelling), "ValidationException", "")
}

func TestSendersWhoStopAreCutOff(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{keyID: "too slowly", "AKIDSTRANGER": "UnrecognizedClientException"} {
		b := newBench(t, nil)
		b.door.intake.pace = 100 * time.Millisecond
		if status, body := answer(t, sender(t, b, key, 1<<20, 100_000)); !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", key, status, body)
		}
	}
}

func TestBodiesTogetherAreBounded(t *testing.T) {
	t.Parallel()
	const bodies = 4 << 20
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
