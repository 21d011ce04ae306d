package awsapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/smithy-go"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/service"
)

const (
	keyID   = "AKIDEXAMPLE"
	secret  = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" // AWS's own example
	ann     = "arn:aws:iam::000000000000:user/ann"
	arnRoot = "arn:aws:rekognition:us-east-1:000000000000:collection/"
)

// keyring is access keys in a map.
type keyring map[string]Credential

func (k keyring) Key(_ context.Context, id string) (Credential, error) {
	c, there := k[id]
	if !there {
		return Credential{}, service.Errorf(service.NotFound, "no such key")
	}
	return c, nil
}

// nothing is a service for operations that do not ask it.
type nothing struct{ Service }

// bench is a door on a real server, with operations of the tests' own.
type bench struct {
	door   *Door
	server *httptest.Server
	url    string
	config Config
	log    *buffer

	mu       sync.Mutex
	observed []string
	audited  []Entry
}

// buffer is a log that can be written and read at the same time.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newBench(t *testing.T, change func(*Config), ops ...operation) *bench {
	t.Helper()
	b := &bench{log: new(buffer)}
	sessions, err := NewSessions(bytes.Repeat([]byte{7}, 32), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	b.config = Config{
		Service: nothing{}, Sessions: sessions, Region: "us-east-1", Account: "000000000000", Now: time.Now,
		Keys:  keyring{keyID: {Secret: secret, Name: "ann", Policy: Administrator()}},
		Log:   slog.New(slog.NewTextHandler(b.log, nil)),
		Audit: b.audit,
		Observe: func(operation, code string, _ time.Duration) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.observed = append(b.observed, operation+" "+code)
		},
	}
	if change != nil {
		change(&b.config)
	}
	if len(ops) == 0 {
		ops = []operation{describeOp(nil), listOp(nil), startOp(nil), createOp(nil)}
	}
	door, err := newDoor(b.config, ops)
	if err != nil {
		t.Fatal(err)
	}
	b.door, b.server = door, httptest.NewServer(door)
	t.Cleanup(b.server.Close)
	b.url = b.server.URL
	return b
}

func (b *bench) audit(e Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.audited = append(b.audited, e)
}

// These are operations that say what err says, and otherwise something that shows that they were reached.
func describeOp(err error) operation {
	return define("DescribeCollection", func(in *model.DescribeCollectionRequest) string { return in.CollectionId },
		func(_ context.Context, _ Service, c call, in *model.DescribeCollectionRequest) (*model.DescribeCollectionResponse, error) {
			return &model.DescribeCollectionResponse{CollectionARN: c.arn(service.CollectionID(in.CollectionId))}, err
		})
}

func listOp(err error) operation {
	return define("ListCollections", nil,
		func(_ context.Context, _ Service, c call, _ *model.ListCollectionsRequest) (*model.ListCollectionsResponse, error) {
			return &model.ListCollectionsResponse{CollectionIds: []string{c.caller.Key, c.caller.Name, c.requestID}}, err
		})
}

func createOp(err error) operation {
	return define("CreateCollection", func(in *model.CreateCollectionRequest) string { return in.CollectionId },
		func(context.Context, Service, call, *model.CreateCollectionRequest) (*model.CreateCollectionResponse, error) {
			return nil, err
		})
}

func startOp(err error) operation {
	return passing(define("StartFaceSearch", func(in *model.StartFaceSearchRequest) string { return in.CollectionId },
		func(context.Context, Service, call, *model.StartFaceSearchRequest) (*model.StartFaceSearchResponse, error) {
			return &model.StartFaceSearchResponse{JobId: strings.Repeat("ab", 32)}, err
		}), func(in *model.StartFaceSearchRequest) string {
		if in.NotificationChannel == nil {
			return ""
		}
		return in.NotificationChannel.RoleArn
	})
}

// client is Go's SDK, which tries once unless told otherwise.
func (b *bench) client(change ...func(*rekognition.Options)) *rekognition.Client {
	options := rekognition.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(b.url), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}, nil
		}),
	}
	return rekognition.New(options, change...)
}

func credentials(id, secret, token string) func(*rekognition.Options) {
	return func(o *rekognition.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}, nil
		})
	}
}

func expectCode(t *testing.T, err error, code, message string) {
	t.Helper()
	e := smithy.APIError(nil)
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want %s", err, code)
	}
	if e.ErrorCode() != code || message != "" && e.ErrorMessage() != message {
		t.Errorf("got  %s: %s\nwant %s: %s", e.ErrorCode(), e.ErrorMessage(), code, message)
	}
}

func describeWith(t *testing.T, c *rekognition.Client) (*rekognition.DescribeCollectionOutput, error) {
	t.Helper()
	return c.DescribeCollection(t.Context(), &rekognition.DescribeCollectionInput{CollectionId: aws.String("staff")})
}

// send posts what no SDK would send.
func (b *bench) send(t *testing.T, method, path, body string, headers ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	return received(t, response, err)
}

// reply is a response that was read.
type reply struct {
	status int
	header http.Header
	length int64
	body   string
}

func received(t *testing.T, response *http.Response, err error) reply {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, response.ContentLength, string(body)}
}
