package awsapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/service"
)

// Every kind of error as the SDK's caller sees it, from an operation that declares the exception and from one that does not.
func TestKindsOfErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind        service.Kind
		start, list string // the exceptions
		status      int
		withheld    bool
	}{
		"invalid":        {service.Invalid, "InvalidParameterException", "InvalidParameterException", 400, false},
		"not found":      {service.NotFound, "ResourceNotFoundException", "ResourceNotFoundException", 400, false},
		"exists":         {service.Exists, "InvalidParameterException", "InvalidParameterException", 400, false},
		"conflict":       {service.Conflict, "InvalidParameterException", "InvalidParameterException", 400, false},
		"page":           {service.BadPage, "InvalidParameterException", "InvalidPaginationTokenException", 400, false},
		"token":          {service.TokenReused, "IdempotentParameterMismatchException", "InvalidParameterException", 400, false},
		"object":         {service.BadObject, "InvalidS3ObjectException", "InvalidParameterException", 400, false},
		"image":          {service.BadImage, "InvalidParameterException", "InvalidParameterException", 400, false},
		"large image":    {service.ImageTooLarge, "InvalidParameterException", "InvalidParameterException", 400, false},
		"large video":    {service.VideoTooLarge, "VideoTooLargeException", "InvalidParameterException", 400, false},
		"jobs":           {service.TooManyJobs, "LimitExceededException", "InvalidParameterException", 400, false},
		"quota":          {service.QuotaExceeded, "InvalidParameterException", "InvalidParameterException", 400, false},
		"unavailable":    {service.Unavailable, "InternalServerError", "InternalServerError", 500, false},
		"elsewhere":      {service.Elsewhere, "InternalServerError", "InternalServerError", 500, false},
		"internal":       {service.Internal, "InternalServerError", "InternalServerError", 500, true},
		"of no kind yet": {service.Kind(200), "InternalServerError", "InternalServerError", 500, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cause := fmt.Errorf("while it was done: %w", &service.Error{Kind: c.kind, Message: "A sentence.", Err: errors.New("secret cause")})
			b := newBench(t, nil, startOp(cause), listOp(cause))
			want := "A sentence."
			if c.withheld {
				want = "Internal server error"
			}
			_, err := b.client().StartFaceSearch(t.Context(), searchInput())
			expectCode(t, err, c.start, want)
			_, err = b.client().ListCollections(t.Context(), &rekognition.ListCollectionsInput{})
			expectCode(t, err, c.list, want)
			expectStatus(t, err, c.status)
			if logged := strings.Contains(b.log.String(), "secret cause"); logged != (c.status == 500) {
				t.Errorf("logged: %v: %s", logged, b.log)
			}
		})
	}
}

func searchInput() *rekognition.StartFaceSearchInput {
	return &rekognition.StartFaceSearchInput{
		CollectionId: aws.String("staff"),
		Video:        &types.Video{S3Object: &types.S3Object{Bucket: aws.String("media"), Name: aws.String("a.mp4")}},
	}
}

func expectStatus(t *testing.T, err error, status int) {
	t.Helper()
	e := interface{ HTTPStatusCode() int }(nil)
	if !errors.As(err, &e) || e.HTTPStatusCode() != status {
		t.Errorf("want status %d: %v", status, err)
	}
}

func TestErrorsAreTyped(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, describeOp(service.Errorf(service.NotFound, "The collection id: staff does not exist")))
	_, err := describeWith(t, b.client())
	e := (*types.ResourceNotFoundException)(nil)
	if !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	if got := e.ErrorMessage(); got != "Collection:staff not found!" {
		t.Errorf("message is %q", got)
	}
	if aws.ToString(e.Code) != "ResourceNotFoundException" || len(aws.ToString(e.Logref)) != 36 {
		t.Errorf("code %v, logref %v", aws.ToString(e.Code), aws.ToString(e.Logref))
	}
}

func TestErrorsThatAreNobodysKind(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, listOp(errors.New("a path of this machine")))
	_, err := b.client().ListCollections(t.Context(), &rekognition.ListCollectionsInput{})
	expectCode(t, err, "InternalServerError", "Internal server error")
	if !strings.Contains(b.log.String(), "a path of this machine") {
		t.Errorf("the log does not say why: %s", b.log)
	}
}

func TestAnAnswerThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, operation{
		name: "ListCollections", input: func() any { return new(model.ListCollectionsRequest) },
		handle: func(context.Context, Service, call, any) (any, error) { return func() {}, nil },
	})
	_, err := b.client().ListCollections(t.Context(), &rekognition.ListCollectionsInput{})
	expectCode(t, err, "InternalServerError", "Internal server error")
}

// Every operation of the service model that is not supported must have the exception that says so.
func TestAllOperationsMayRefuse(t *testing.T) {
	t.Parallel()
	names := model.Names()
	if len(names) != 75 {
		t.Errorf("the model has %d operations", len(names))
	}
	for _, name := range names {
		if op, _ := model.Lookup(name); !op.Declares("InvalidParameterException") || !op.Declares(internalServerError) {
			t.Errorf("%s declares %v", name, op.Errors)
		}
	}
}

func TestAllOperationsThatAreMissingSaySo(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) { c.Keys, c.Unsigned = nil, true }, operations()...)
	missing := 0
	for _, name := range model.Names() {
		if op, _ := model.Lookup(name); op.Supported() {
			continue
		}
		missing++
		got := b.send(t, http.MethodPost, "/", "{}", "X-Amz-Target", "RekognitionService."+name)
		if got.status != http.StatusBadRequest || !strings.Contains(got.body, "Spotter does not support "+name+".") {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if supported := len(operations()) - 4; missing+supported != 75 {
		t.Errorf("%d are missing and %d are there", missing, supported)
	}
}

func TestABodyThatIsCutIsAnswered(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) { c.Keys, c.Unsigned = nil, true })
	conn := b.dial(t)
	post(t, conn, 100, "{")
	half, ok := conn.(*net.TCPConn)
	if !ok {
		t.Fatalf("connection is a %T", conn)
	}
	if err := half.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got := replyOn(t, conn)
	if got.status != http.StatusBadRequest || !strings.HasPrefix(got.body, `{"__type":"SerializationException","message":"The `) {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

// Many clients read only once they have sent everything, by which time a server that has not read it would be gone.
func TestWhoIsRefusedEarlyMayFinish(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	conn := b.dial(t)
	post(t, conn, 8<<20, strings.Repeat(" ", 8<<20))
	if got := replyOn(t, conn); !strings.Contains(got.body, "MissingAuthenticationToken") {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func (b *bench) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn
}

// post sends an unsigned request that may claim another length than it has.
func post(t *testing.T, conn net.Conn, length int, body string) {
	t.Helper()
	_, err := fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: RekognitionService.ListCollections\r\n"+
		"Content-Length: %d\r\n\r\n%s", length, body)
	if err != nil {
		t.Fatal(err)
	}
}

func replyOn(t *testing.T, conn net.Conn) reply {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	return received(t, response, err)
}
