package notify

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	oldSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	newSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
)

// receiver is an HTTP server that keeps what it was sent.
type receiver struct {
	*httptest.Server
	status atomic.Int64
	header http.Header // of answers

	mu       sync.Mutex
	bodies   []string
	requests []*http.Request
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{header: http.Header{}}
	r.status.Store(http.StatusNoContent)
	r.Server = httptest.NewServer(r.handler())
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.bodies = append(r.bodies, string(body))
		r.requests = append(r.requests, req)
		maps.Copy(w.Header(), r.header)
		r.mu.Unlock()
		w.WriteHeader(int(r.status.Load()))
	})
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.bodies)
}

func (r *receiver) last() (string, *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bodies[len(r.bodies)-1], r.requests[len(r.requests)-1]
}

// sendOne sends one message through a sink and closes it.
func sendOne(t *testing.T, s Sink, client *http.Client) error {
	t.Helper()
	return sendWithin(t, s, client, 15*time.Second)
}

func sendWithin(t *testing.T, s Sink, client *http.Client, d time.Duration) error {
	t.Helper()
	snd, err := s.open(environment{client: client, now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	err = snd.send(ctx, testMessage(t))
	if closing := snd.close(); closing != nil {
		t.Errorf("close: %v", closing)
	}
	return err
}

func testMessage(t *testing.T) *message {
	t.Helper()
	n := notice(7, testTopic)
	m, err := newMessage(&n)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWebhookIsSignedWithEverySecret(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	if err := sendOne(t, Webhook{URL: r.URL, Secrets: []Secret{newSecret, oldSecret}}, nil); err != nil {
		t.Fatal(err)
	}
	body, req := r.last()
	m := testMessage(t)
	if req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/json" ||
		req.Header.Get("User-Agent") != "Spotter" || req.Header.Get("webhook-id") != m.id {
		t.Errorf("it is a %s with %v", req.Method, req.Header)
	}
	if !strings.HasPrefix(body, `{"JobId":"`+m.job) {
		t.Errorf("the body is %s", body)
	}
	for name, tc := range map[string]struct {
		secret, body string
		ok           bool
	}{
		"new secret": {newSecret, body, true}, "old secret": {oldSecret, body, true},
		"other secret": {"whsec_AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHH", body, false}, "other body": {newSecret, body + " ", false},
	} {
		w, err := standardwebhooks.NewWebhook(tc.secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Verify([]byte(tc.body), req.Header); (err == nil) != tc.ok {
			t.Errorf("%s: verified with %v, want %v", name, err, tc.ok)
		}
	}
}

// The vector is from the test suite of Standard Webhooks.
func TestSignatureOfTheStandardsExample(t *testing.T) {
	t.Parallel()
	s, err := newSigners([]Secret{oldSecret})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || got != want {
		t.Errorf("the signature is %s, %v; want %s", got, err, want)
	}
}

func TestWebhookInTheShapeOfSNS(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	if err := sendOne(t, Webhook{URL: r.URL, Secrets: []Secret{newSecret}, Format: SNSShape}, nil); err != nil {
		t.Fatal(err)
	}
	body, req := r.last()
	m := testMessage(t)
	for name, want := range map[string]string{
		"Content-Type": "text/plain; charset=UTF-8", "User-Agent": "Amazon Simple Notification Service Agent",
		"X-Amz-Sns-Message-Type": "Notification", "X-Amz-Sns-Message-Id": m.id, "X-Amz-Sns-Topic-Arn": testTopic,
	} {
		if got := req.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	var got map[string]string
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse("2006-01-02T15:04:05.000Z", got["Timestamp"])
	if err != nil || time.Since(at) > time.Minute {
		t.Errorf("the time is %q, %v", got["Timestamp"], err)
	}
	if got["Type"] != "Notification" || got["MessageId"] != m.id || got["TopicArn"] != testTopic || len(got) != 5 {
		t.Errorf("the body is %s", body)
	}
	var inner wireMessage
	if err := json.Unmarshal([]byte(got["Message"]), &inner); err != nil || inner.JobID != m.job {
		t.Errorf("the message is %q, %v", got["Message"], err)
	}
	w, _ := standardwebhooks.NewWebhook(newSecret)
	if err := w.Verify([]byte(body), req.Header); err != nil {
		t.Error(err)
	}
}

func TestAnswersOfWebhooks(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status  int
		header  http.Header
		taken   bool
		refused bool
		pause   time.Duration
	}{
		"200": {status: 200, taken: true}, "204": {status: 204, taken: true}, "299": {status: 299, taken: true},
		"302": {status: 302, header: http.Header{"Location": {"/elsewhere"}}, refused: true},
		"400": {status: 400, refused: true}, "401": {status: 401, refused: true}, "404": {status: 404, refused: true},
		"410": {status: 410, refused: true}, "408": {status: 408}, "425": {status: 425}, "429": {status: 429},
		"500": {status: 500}, "502": {status: 502}, "599": {status: 599},
		"429 with a pause": {status: 429, header: http.Header{"Retry-After": {"120"}}, pause: 2 * time.Minute},
		"503 for a year":   {status: 503, header: http.Header{"Retry-After": {"31536000"}}, pause: 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t)
			r.status.Store(int64(tc.status))
			r.header = tc.header
			err := sendOne(t, Webhook{URL: r.URL + "/secret?token=sesame", Secrets: []Secret{newSecret}}, nil)
			if (err == nil) != tc.taken {
				t.Fatalf("the error is %v, want taken: %v", err, tc.taken)
			}
			if r.count() != 1 {
				t.Errorf("it was sent %d times; want once, and redirects not followed", r.count())
			}
			if err == nil {
				return
			}
			if f := asFailure(err); f.refused != tc.refused || f.pause != tc.pause {
				t.Errorf("refused %v, pause %v; want %v, %v", f.refused, f.pause, tc.refused, tc.pause)
			}
			if strings.Contains(err.Error(), "sesame") || strings.Contains(err.Error(), "/secret") {
				t.Errorf("the error shows the address: %v", err)
			}
		})
	}
}

func TestWebhookThatIsAwayKeepsItsAddress(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	address := strings.Replace(r.URL, "http://", "http://user:sesame@", 1) + "/secret?token=sesame"
	r.Close()
	sink := Webhook{URL: address, Secrets: []Secret{newSecret}}
	err := sendOne(t, sink, nil)
	if err == nil || asFailure(err).refused {
		t.Fatalf("the error is %v, want a passing one", err)
	}
	for _, text := range []string{err.Error(), sink.label()} {
		if strings.Contains(text, "sesame") || strings.Contains(text, "/secret") {
			t.Errorf("it shows the address: %s", text)
		}
	}
}

func TestWebhookNeverEndingAnswer(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	}))
	defer s.Close()
	start := time.Now()
	defer func() {
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("it was read for %v", d)
		}
	}()
	if err := sendOne(t, Webhook{URL: s.URL, Secrets: []Secret{newSecret}}, nil); err != nil {
		t.Errorf("an answer without end that begins with 200 is %v, want taken", err)
	}
}

func TestWebhookWithBasicAuthentication(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	address := strings.Replace(r.URL, "http://", "http://user:pass@", 1)
	if err := sendOne(t, Webhook{URL: address, Secrets: []Secret{newSecret}}, nil); err != nil {
		t.Fatal(err)
	}
	_, req := r.last()
	if user, pass, _ := req.BasicAuth(); user != "user" || pass != "pass" {
		t.Errorf("it came from %q with %q", user, pass)
	}
}

func TestWebhookOverTLS(t *testing.T) {
	t.Parallel()
	r := &receiver{}
	r.status.Store(http.StatusOK)
	r.Server = httptest.NewTLSServer(r.handler())
	defer r.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw}
	if err := os.WriteFile(ca, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	given := &http.Client{Transport: &http.Transport{}}
	for name, tc := range map[string]struct {
		ca     string
		client *http.Client
		ok     bool
	}{
		"with its CA":                   {ca, nil, true},
		"with its CA in a given client": {ca, given, true},
		"without its CA":                {"", nil, false},
		"with a client that trusts it":  {"", r.Client(), true},
	} {
		err := sendOne(t, Webhook{URL: r.URL, Secrets: []Secret{newSecret}, CA: tc.ca}, tc.client)
		if (err == nil) != tc.ok {
			t.Errorf("%s: %v, want success: %v", name, err, tc.ok)
		}
	}
}

func TestWebhookUsesNoProxyOfTheEnvironment(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	client, err := webhookClient(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if transport, ok := client.Transport.(*http.Transport); !ok || transport.Proxy != nil {
		t.Error("its transport asks for a proxy")
	}
}

func TestWebhookEndToEnd(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	r.status.Store(http.StatusServiceUnavailable)
	n, err := New(Config{
		Now: time.Now, Retry: Retry{First: time.Millisecond, Most: 20 * time.Millisecond, GiveUpAfter: time.Hour},
		Topics: map[string]Topic{"arn:aws:sns:*": {Webhook{URL: r.URL, Secrets: []Secret{newSecret}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	box := newOutbox()
	n.Start(t.Context(), box)
	box.add(notice(1, testTopic))
	n.Wake()
	eventually(t, "some attempts", func() bool { return r.count() > 3 })
	r.status.Store(http.StatusOK)
	eventually(t, "the delivery", func() bool { return box.size() == 0 })
	stop(t, n)
	first, last := r.requests[0], r.requests[len(r.requests)-1]
	if first.Header.Get("webhook-id") != last.Header.Get("webhook-id") || r.bodies[0] != r.bodies[len(r.bodies)-1] {
		t.Error("attempts differ in their id or body")
	}
	if got := n.Stats(); got.Delivered != 1 || got.Failed < 4 || got.Waiting != 0 {
		t.Errorf("stats are %+v", got)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "-7": 0, "7.5": 0, "soon": 0,
		"99999999999999999999": 0, "2147483647": longestPause,
		"Fri, 01 May 2026 12:01:00 GMT": time.Minute, "Fri, 01 May 2026 11:59:00 GMT": 0,
		"Fri, 01 May 2093 12:01:00 GMT": longestPause,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q is %v, want %v", header, got, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120")
	f.Add("Fri, 01 May 2026 12:01:00 GMT")
	f.Add("Friday, 01-May-00 12:01:00 GMT")
	f.Fuzz(func(t *testing.T, header string) {
		if got := retryAfter(header, time.Unix(0, 0)); got < 0 || got > longestPause {
			t.Errorf("%q is %v", header, got)
		}
	})
}

func FuzzSecret(f *testing.F) {
	f.Add(oldSecret)
	f.Add("whsec_====")
	f.Fuzz(func(t *testing.T, secret string) {
		key, err := secretKey(secret)
		switch {
		case err != nil && len(secret) > 7 && strings.Contains(err.Error(), secret):
			t.Errorf("the error shows the secret: %v", err)
		case err == nil && (len(key) < shortestSecret || len(key) > longestSecret):
			t.Errorf("%q has %d bytes", secret, len(key))
		}
	})
}

func FuzzAddress(f *testing.F) {
	f.Add("http://user:sesame@example.org/hook?token=sesame")
	f.Add("http://user:sesame@")
	f.Add("nats://sesame@%zz")
	f.Fuzz(func(t *testing.T, address string) {
		if err := checkURL(address, "http"); err != nil {
			return
		}
		if _, err := http.NewRequest(http.MethodPost, address, nil); err != nil {
			t.Errorf("%q is accepted, and then: %v", address, err)
		}
	})
}
