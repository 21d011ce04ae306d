package notify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	snsKey    = "AKIDEXAMPLE"
	snsSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

// snsServer answers Publish as SNS does, and checks how it was asked.
type snsServer struct {
	*httptest.Server
	t      *testing.T
	region string
	forms  chan url.Values
	fail   atomic.Pointer[snsFault]
}

type snsFault struct {
	status     int
	code, text string
}

func newSNS(t *testing.T, region string) *snsServer {
	t.Helper()
	s := &snsServer{t: t, region: region, forms: make(chan url.Values, 10)}
	s.Server = httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(s.Close)
	return s
}

func (s *snsServer) answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	s.checkSignature(r, body)
	form, err := url.ParseQuery(string(body))
	if err != nil {
		s.t.Error(err)
	}
	s.forms <- form
	w.Header().Set("Content-Type", "text/xml")
	if f := s.fail.Load(); f != nil {
		w.WriteHeader(f.status)
		fmt.Fprintf(w, `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>`+
			`<Code>%s</Code><Message>%s</Message></Error><RequestId>1</RequestId></ErrorResponse>`, f.code, f.text)
		return
	}
	fmt.Fprint(w, `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>`+
		`<MessageId>94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult>`+
		`<ResponseMetadata><RequestId>f187a3c1</RequestId></ResponseMetadata></PublishResponse>`)
}

// checkSignature signs what was signed once more, and compares.
func (s *snsServer) checkSignature(r *http.Request, body []byte) {
	sent := r.Header.Get("Authorization")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		s.t.Errorf("the time of the signature: %v", err)
	}
	_, rest, _ := strings.Cut(sent, "SignedHeaders=")
	names, _, _ := strings.Cut(rest, ",")
	again, err := http.NewRequest(r.Method, "http://"+r.Host+r.URL.String(), bytes.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return
	}
	for name := range strings.SplitSeq(names, ";") {
		if v := r.Header.Values(name); len(v) > 0 {
			again.Header[http.CanonicalHeaderKey(name)] = v
		}
	}
	sum := sha256.Sum256(body)
	err = v4.NewSigner().SignHTTP(r.Context(), aws.Credentials{AccessKeyID: snsKey, SecretAccessKey: snsSecret}, again,
		hex.EncodeToString(sum[:]), "sns", s.region, at)
	if err != nil || again.Header.Get("Authorization") != sent {
		s.t.Errorf("it was signed as\n%s, want\n%s, %v", sent, again.Header.Get("Authorization"), err)
	}
}

func (s *snsServer) form() url.Values {
	select {
	case f := <-s.forms:
		return f
	default:
		s.t.Error("SNS was not called")
		return nil
	}
}

func TestSNSPublishes(t *testing.T) {
	t.Parallel()
	m := testMessage(t)
	for name, tc := range map[string]struct {
		region, topic  string // of the sink
		wantAt, wantTo string
		fifo           bool
	}{
		"the request's topic":  {"", "", "us-east-1", testTopic, false},
		"another region":       {"eu-west-1", "", "eu-west-1", testTopic, false},
		"another topic":        {"", "arn:aws:sns:eu-west-3:111111111111:jobs", "eu-west-3", "arn:aws:sns:eu-west-3:111111111111:jobs", false},
		"a first-in-first-out": {"", testTopic + ".fifo", "us-east-1", testTopic + ".fifo", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSNS(t, tc.wantAt)
			sink := SNS{Endpoint: s.URL, Region: tc.region, TopicARN: tc.topic, AccessKey: snsKey, SecretKey: snsSecret}
			if err := sendOne(t, sink, nil); err != nil {
				t.Fatal(err)
			}
			form := s.form()
			if form.Get("Action") != "Publish" || form.Get("Version") != "2010-03-31" || form.Get("TopicArn") != tc.wantTo {
				t.Errorf("it was asked %v", form)
			}
			if got := form.Get("Message"); !strings.HasPrefix(got, `{"JobId":"`+m.job) || form.Has("Subject") {
				t.Errorf("the message is %s, with a subject: %v", got, form.Has("Subject"))
			}
			if form.Has("MessageGroupId") != tc.fifo || tc.fifo && form.Get("MessageDeduplicationId") != m.id {
				t.Errorf("group and deduplication are %q, %q", form.Get("MessageGroupId"), form.Get("MessageDeduplicationId"))
			}
		})
	}
}

func TestSNSFindsCredentialsItself(t *testing.T) {
	s := newSNS(t, "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", snsKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", snsSecret)
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1") // such as Spotter's own: not meant
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	if err := sendOne(t, SNS{Endpoint: s.URL}, nil); err != nil {
		t.Fatal(err)
	}
	s.form()
}

func TestSNSRefusals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault   snsFault
		refused bool
	}{
		"unknown topic": {snsFault{404, "NotFound", "Topic does not exist"}, true},
		"not allowed":   {snsFault{403, "AuthorizationError", "not authorized to perform: SNS:Publish"}, true},
		"throttled":     {snsFault{400, "Throttling", "Rate exceeded"}, false},
		"throttled too": {snsFault{429, "Throttled", "Rate exceeded"}, false},
		"internal":      {snsFault{500, "InternalFailure", strings.Repeat("é", 4000)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSNS(t, "us-east-1")
			s.fail.Store(&tc.fault)
			err := sendOne(t, SNS{Endpoint: s.URL, AccessKey: snsKey, SecretKey: snsSecret}, nil)
			if err == nil || asFailure(err).refused != tc.refused || !strings.Contains(err.Error(), tc.fault.code) {
				t.Fatalf("the error is %v, want one with %s, refused: %v", err, tc.fault.code, tc.refused)
			}
			if strings.Contains(err.Error(), snsSecret) || len(err.Error()) > 2*longestAnswer {
				t.Errorf("the error says too much: %v", err)
			}
			if s.form(); len(s.forms) != 0 {
				t.Error("SNS was called again at once; the outbox repeats")
			}
		})
	}
}

func TestSNSThatIsAway(t *testing.T) {
	t.Parallel()
	s := newSNS(t, "us-east-1")
	s.Close()
	err := sendOne(t, SNS{Endpoint: s.URL, AccessKey: snsKey, SecretKey: snsSecret}, nil)
	if err == nil || asFailure(err).refused {
		t.Errorf("the error is %v, want a passing one", err)
	}
}

func TestSNSAnswersAreCutOff(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusOK, http.StatusInternalServerError} {
		var sent atomic.Int64
		endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			for part := bytes.Repeat([]byte("<a>"), 20<<10); sent.Load() < 64<<20; {
				n, err := w.Write(part)
				sent.Add(int64(n))
				if err != nil {
					return
				}
			}
		}))
		if err := sendOne(t, SNS{Endpoint: endless.URL, Region: "us-east-1", AccessKey: snsKey, SecretKey: snsSecret}, nil); err == nil {
			t.Errorf("%d: sent", status)
		}
		endless.CloseClientConnections()
		endless.Close() // waits for the sender
		if n := sent.Load(); n > 32<<20 {
			t.Errorf("%d: %d bytes were taken", status, n)
		}
	}
}
