package awsapi

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/service"
)

func TestAnSDKGetsThrough(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	out, err := describeWith(t, b.client())
	if err != nil {
		t.Fatal(err)
	}
	if got := aws.ToString(out.CollectionARN); got != arnRoot+"staff" {
		t.Errorf("ARN is %s", got)
	}
	if _, err := describeWith(t, b.client(func(o *rekognition.Options) { o.Region = "eu-central-1" })); err != nil {
		t.Errorf("signed for another region: %v", err)
	}
	if diff := cmp.Diff([]string{"DescribeCollection OK", "DescribeCollection OK"}, b.observed); diff != "" {
		t.Error(diff)
	}
}

func TestAnOperationIsToldWhoAsks(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	out, err := b.client().ListCollections(t.Context(), &rekognition.ListCollectionsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if out.CollectionIds[0] != keyID || out.CollectionIds[1] != ann {
		t.Errorf("got %v", out.CollectionIds)
	}
	if _, err := uuid.Parse(out.CollectionIds[2]); err != nil {
		t.Errorf("request id: %v", err)
	}
}

func TestAnOperationWithoutOutputAnswersAnEmptyObject(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	in := &rekognition.CreateCollectionInput{CollectionId: aws.String("staff")}
	if _, err := b.client().CreateCollection(t.Context(), in); err != nil {
		t.Error(err)
	}
}

func TestWhoIsNotLetIn(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) {
		c.Keys = keyring{
			keyID:      {Secret: secret, Policy: Administrator()},
			"DISABLED": {Secret: secret, Policy: Administrator(), Disabled: true},
			"EMPTY":    {Policy: Administrator()},
			"BADLAW":   {Secret: secret, Policy: `{"Version":"2012-10-17"}`},
		}
	})
	const unknown = "The security token included in the request is invalid."
	for name, c := range map[string]struct{ id, secret, token, code, message string }{
		"wrong secret":       {keyID, "x", "", "InvalidSignatureException", ""},
		"unknown key":        {"AKIDUNKNOWN", secret, "", "UnrecognizedClientException", unknown},
		"disabled":           {"DISABLED", secret, "", "UnrecognizedClientException", unknown},
		"no secret":          {"EMPTY", secret, "", "UnrecognizedClientException", unknown},
		"session token":      {keyID, secret, "token", "UnrecognizedClientException", unknown},
		"unreadable policy":  {"BADLAW", secret, "", "AccessDeniedException", ""},
		"disabled and wrong": {"DISABLED", "x", "", "UnrecognizedClientException", unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := describeWith(t, b.client(credentials(c.id, c.secret, c.token)))
			expectCode(t, err, c.code, c.message)
		})
	}
}

func TestAClockThatIsOffIsCorrectedByTheAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) { c.Now = func() time.Time { return time.Now().Add(time.Hour) } })
	_, err := describeWith(t, b.client())
	expectCode(t, err, "InvalidSignatureException", "")
	if _, err := describeWith(t, b.client(func(o *rekognition.Options) { o.RetryMaxAttempts = 3 })); err != nil {
		t.Errorf("the SDK did not find the right time: %v", err)
	}
}

func TestKeysThatCannotBeLookedUp(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) { c.Keys = broken{} })
	_, err := describeWith(t, b.client())
	expectCode(t, err, "InternalServerError", "Internal server error")
	if !strings.Contains(b.log.String(), "disk on fire") {
		t.Errorf("the log does not say why: %s", b.log)
	}
}

type broken struct{}

func (broken) Key(context.Context, string) (Credential, error) {
	return Credential{}, errors.New("disk on fire")
}

func TestEveryAnswerIsJSONWithANumber(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) { c.MaxBody = 100 })
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		want               string
	}{
		"hint":          {"GET", "/", "", nil, 200, "AWS_ENDPOINT_URL_REKOGNITION"},
		"two slashes":   {"GET", "//", "", nil, 200, "AWS_ENDPOINT_URL_REKOGNITION"},
		"put":           {"PUT", "/", "", nil, 405, "UnknownOperationException"},
		"options":       {"OPTIONS", "/", "", nil, 405, "UnknownOperationException"},
		"other place":   {"POST", "/x", "", nil, 404, `There is nothing at \"/x\"`},
		"other look-up": {"GET", "/favicon.ico", "", nil, 404, "UnknownOperationException"},
		"unsigned":      {"POST", "/", "{}", nil, 400, `{"__type":"MissingAuthenticationTokenException","message":"Request`},
		"presigned":     {"POST", "/?X-Amz-Signature=00", "{}", nil, 400, "MissingAuthenticationTokenException"},
		"basic":         {"POST", "/", "{}", []string{"Authorization", "Basic eDp5"}, 400, "IncompleteSignatureException"},
		"large":         {"POST", "/", strings.Repeat("x", 100_000), nil, 400, "MissingAuthenticationTokenException"},
		"accepts gzip":  {"POST", "/", "{}", []string{"Accept-Encoding", "gzip"}, 400, "__type"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := b.send(t, c.method, c.path, c.body, c.headers...)
			if got.status != c.status || !strings.Contains(got.body, c.want) {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, c.status, c.want)
			}
			expectHeaders(t, got)
		})
	}
}

func expectHeaders(t *testing.T, a reply) {
	t.Helper()
	if _, err := uuid.Parse(a.header.Get("X-Amzn-Requestid")); err != nil {
		t.Errorf("request id: %v", err)
	}
	if got := a.header.Get("Content-Type"); got != "application/x-amz-json-1.1" {
		t.Errorf("content type is %q", got)
	}
	if int(a.length) != len(a.body) || a.header.Get("Content-Encoding") != "" {
		t.Errorf("length %d for %d bytes, encoding %q", a.length, len(a.body), a.header.Get("Content-Encoding"))
	}
	if at, err := http.ParseTime(a.header.Get("Date")); err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("date %v, %v", at, err)
	}
}

func TestBodiesThatAreTooLarge(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) { c.MaxBody = 1000 })
	for name, size := range map[string]int{"a byte": 1001, "a lot": 1_000_000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := &rekognition.DescribeCollectionInput{CollectionId: aws.String(strings.Repeat("x", size-len(`{"CollectionId":""}`)))}
			_, err := b.client().DescribeCollection(t.Context(), in)
			expectCode(t, err, "RequestEntityTooLargeException", "")
		})
	}
	in := &rekognition.DescribeCollectionInput{CollectionId: aws.String(strings.Repeat("x", 1000-len(`{"CollectionId":""}`)))}
	_, err := b.client().DescribeCollection(t.Context(), in)
	expectCode(t, err, "ValidationException", "")
}

func TestOperationsThatAreNotThere(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	_, err := b.client(func(o *rekognition.Options) { o.RetryMaxAttempts = 3 }).DetectLabels(t.Context(),
		&rekognition.DetectLabelsInput{Image: &types.Image{Bytes: []byte("x")}})
	expectCode(t, err, "UnknownOperationException", "")
	if !strings.Contains(err.Error(), "Spotter does not support DetectLabels.") {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"DetectLabels UnknownOperationException"}, b.observed); diff != "" {
		t.Errorf("tried again, or told otherwise: %s", diff)
	}
	for target, want := range map[string]string{
		"":                                      "unknown",
		"DescribeCollection":                    "unknown",
		"RekognitionService.Nonsense":           "unknown",
		"RekognitionService.describeCollection": "unknown",
		"SpotterService.DescribeCollection":     "unknown",
		"RekognitionService.SpotterService.X":   "unknown",
		"RekognitionService.DetectText":         "DetectText",
		"RekognitionService.ListCollections":    "ListCollections",
	} {
		if got := b.door.table.label(target); got != want {
			t.Errorf("%q is called %q", target, got)
		}
		if _, err := b.door.table.find(target); (err == nil) != (target == "RekognitionService.ListCollections") {
			t.Errorf("%q: %v", target, err)
		}
	}
}

func TestShapesAreChecked(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	_, err := b.client().DescribeCollection(t.Context(), &rekognition.DescribeCollectionInput{CollectionId: aws.String("bad id!")})
	expectCode(t, err, "ValidationException", "1 validation error detected: Value 'bad id!' at 'collectionId' failed to satisfy "+
		`constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.\-]+`)
}

func TestAPanicIsAnswered(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, define("ListCollections", nil,
		func(context.Context, Service, call, *model.ListCollectionsRequest) (*model.ListCollectionsResponse, error) {
			panic("the sky has fallen")
		}))
	_, err := b.client().ListCollections(t.Context(), &rekognition.ListCollectionsInput{})
	expectCode(t, err, "InternalServerError", "Internal server error")
	if log := b.log.String(); !strings.Contains(log, "the sky has fallen") || !strings.Contains(log, "door_test.go") {
		t.Errorf("the log does not say where: %s", log)
	}
}

func TestCallersThatLeave(t *testing.T) {
	t.Parallel()
	entered, left := make(chan struct{}), make(chan error, 1)
	b := newBench(t, nil, define("ListCollections", nil,
		func(ctx context.Context, _ Service, _ call, _ *model.ListCollectionsRequest) (*model.ListCollectionsResponse, error) {
			close(entered)
			<-ctx.Done()
			left <- ctx.Err()
			return nil, ctx.Err()
		}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-entered
		cancel()
	}()
	if _, err := b.client().ListCollections(ctx, &rekognition.ListCollectionsInput{}); err == nil {
		t.Error("answered")
	}
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the operation was told %v", err)
	}
	b.server.Close() // waits for the handler
	if diff := cmp.Diff([]string{"ListCollections Aborted"}, b.observed); diff != "" || b.audited[0].Code != "Aborted" {
		t.Errorf("%s, audited %+v", diff, b.audited)
	}
}

func TestAStoppedDoorSendsSDKsElsewhere(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.door.Stop()
	b.door.Stop()
	_, err := describeWith(t, b.client())
	expectCode(t, err, "ThrottlingException", "Service Unavailable")
	if got := b.send(t, "POST", "/", "{}"); got.status != http.StatusInternalServerError {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestUnsignedIsForThisMachine(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) { c.Keys, c.Unsigned = nil, true })
	target := []string{"X-Amz-Target", "RekognitionService.ListCollections"}
	if got := b.send(t, "POST", "/", "{}", target...); got.status != http.StatusOK || !strings.Contains(got.body, ":root") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if _, err := describeWith(t, b.client(credentials("any", "thing", "goes"))); err != nil {
		t.Error(err)
	}
	for _, origin := range []string{"https://stranger.example", "null", b.url} {
		got := b.send(t, "POST", "/", "{}", append(target, "Origin", origin)...)
		if got.status != http.StatusForbidden || !strings.Contains(got.body, "AccessDeniedException") || len(b.audited) != 2 {
			t.Errorf("a page of %s got %d %s", origin, got.status, got.body)
		}
	}
	b = newBench(t, func(c *Config) { c.Keys, c.Unsigned, c.Origins = nil, true, []string{"http://localhost:3000"} })
	if got := b.send(t, "POST", "/", "{}", append(target, "Origin", "http://localhost:3000")...); got.status != http.StatusOK {
		t.Errorf("a page that may: %d %s", got.status, got.body)
	}
}

func TestAudit(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	in := &rekognition.StartFaceSearchInput{
		CollectionId: aws.String("staff"),
		Video:        &types.Video{S3Object: &types.S3Object{Bucket: aws.String("media"), Name: aws.String("a/b.mp4")}},
	}
	if _, err := b.client().StartFaceSearch(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	in.Video.S3Object.Bucket = aws.String("?!")
	if _, err := b.client().StartFaceSearch(t.Context(), in); err == nil {
		t.Fatal("accepted")
	}
	if _, err := describeWith(t, b.client(credentials(keyID, "x", ""))); err == nil {
		t.Fatal("accepted")
	}
	if len(b.audited) != 2 { // who is not known is not in it
		t.Fatalf("got %+v", b.audited)
	}
	for i := range b.audited {
		if b.audited[i].Time.IsZero() || b.audited[i].RequestID == "" {
			t.Errorf("no time or number: %+v", b.audited[i])
		}
		b.audited[i].Time, b.audited[i].RequestID = time.Time{}, ""
	}
	want := []Entry{
		{
			Key: keyID, Name: ann, Source: "127.0.0.1", Operation: "StartFaceSearch", Collection: "staff",
			Job: strings.Repeat("ab", 32), Objects: []string{"s3://media/a/b.mp4"}, Code: "OK",
		},
		{Key: keyID, Name: ann, Source: "127.0.0.1", Operation: "StartFaceSearch", Code: "ValidationException"},
	}
	if diff := cmp.Diff(want, b.audited); diff != "" {
		t.Error(diff)
	}
}

// TestOrigin reads whose request it is where the service would.
func TestOrigin(t *testing.T) {
	t.Parallel()
	var got service.Origin
	b := newBench(t, nil, define("ListCollections", nil,
		func(ctx context.Context, _ Service, _ call, _ *model.ListCollectionsRequest) (*model.ListCollectionsResponse, error) {
			got = service.OriginOf(ctx)
			return new(model.ListCollectionsResponse), nil
		}))
	if _, err := b.client().ListCollections(t.Context(), new(rekognition.ListCollectionsInput)); err != nil {
		t.Fatal(err)
	}
	want := service.Origin{
		Request: b.audited[0].RequestID, Caller: service.Caller{Key: keyID, Name: ann}, Address: "127.0.0.1",
	}
	if got != want || got.Request == "" {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if none := service.OriginOf(t.Context()); none != (service.Origin{}) {
		t.Errorf("a context of no request is of %+v", none)
	}
}

func TestConfigMustBeWhole(t *testing.T) {
	t.Parallel()
	good := newBench(t, nil).config
	for name, change := range map[string]func(*Config){
		"service": func(c *Config) { c.Service = nil },
		"keys":    func(c *Config) { c.Keys = nil },
		"clock":   func(c *Config) { c.Now = nil },
		"log":     func(c *Config) { c.Log = nil },
		"region":  func(c *Config) { c.Region = "" },
		"account": func(c *Config) { c.Account = "" },
	} {
		c := good
		change(&c)
		if _, err := newDoor(c, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
	for name, l := range map[string]Limits{
		"of no operation": {PerOperation: map[string]float64{"Search": 1}},
		"no number":       {PerOperation: map[string]float64{"ListFaces": math.NaN()}},
		"below nothing":   {PerKey: -1},
		"without end":     {Overall: math.Inf(1)},
		"no places":       {InFlight: -1},
	} {
		c := good
		c.Limits = l
		if _, err := New(c); err == nil {
			t.Errorf("a limit %s is accepted", name)
		}
	}
	if _, err := newDoor(good, []operation{listOp(nil), listOp(nil)}); err == nil {
		t.Error("an operation may be there twice")
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) { c.Limits = Limits{Overall: 1e6, PerKey: 1e6, InFlight: 1000} })
	client := b.client()
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 25 {
				if _, err := describeWith(t, client); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if len(b.observed) != 200 || len(b.audited) != 200 {
		t.Errorf("observed %d, audited %d", len(b.observed), len(b.audited))
	}
}
