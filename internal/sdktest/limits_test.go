package sdktest_test

import (
	"net"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// seldom is a rate that lets one request through and no other as long as a test runs.
const seldom = 0.001

// TestEveryOperationIsHeldBack calls each operation twice, with a key that may do nothing: the first time that is said, the
// second time it is too soon.
func TestEveryOperationIsHeldBack(t *testing.T) {
	t.Parallel()
	w := here(t)
	rates := map[string]float64{}
	for _, op := range operations() {
		rates[op.name] = seldom
	}
	s := w.own(t, "held", settings{"rates": rates})
	c := s.client(t, s.key(t, "reader", `{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": "rekognition:*", "Resource": "`+arn("mine")+`"},
		{"Effect": "Deny", "Action": "rekognition:DeleteCollection", "Resource": "*"}
	]}`))
	for _, op := range operations() {
		resource, why := "*", "because no identity-based policy allows the rekognition:"+op.name+" action"
		if op.collection {
			resource = arn("other")
		}
		if op.name == "DeleteCollection" {
			why = "with an explicit deny in an identity-based policy"
		}
		t.Log(op.name)
		refused[*types.AccessDeniedException](t, op.call(t.Context(), c, new("other")),
			"User: arn:aws:iam::000000000000:user/reader is not authorized to perform: rekognition:"+op.name+
				" on resource: "+resource+" "+why)
		refused[*types.ProvisionedThroughputExceededException](t, op.call(t.Context(), c, new("other")),
			"Provisioned rate exceeded.")
	}
}

// TestPolicyLetsIn uses a key for what it may do.
func TestPolicyLetsIn(t *testing.T) {
	t.Parallel()
	w := here(t)
	id := collection(t, w.server.client(t))
	c := w.server.client(t, w.server.key(t, "portal", `{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": ["rekognition:StartFaceSearch", "rekognition:List*"], "Resource": "`+arn(*id)+`"},
		{"Effect": "Allow", "Action": "rekognition:GetFaceSearch", "Resource": "*"},
		{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::archive/clip.mp4"}
	]}`))
	job := startSearch(t, c, rekognition.StartFaceSearchInput{CollectionId: id, Video: film("clip.mp4")})
	if out := searched(t, c, job); out.JobStatus != types.VideoJobStatusSucceeded {
		t.Errorf("the job is %s", out.JobStatus)
	}
	ok(c.ListFaces(t.Context(), &rekognition.ListFacesInput{CollectionId: id}))(t)
	_, err := c.StartFaceSearch(t.Context(), &rekognition.StartFaceSearchInput{CollectionId: id, Video: film("long.mp4")})
	refused[*types.InvalidS3ObjectException](t, err, unreadable)
	_, err = c.IndexFaces(t.Context(), &rekognition.IndexFacesInput{CollectionId: id, Image: stored(anna)})
	refused[*types.AccessDeniedException](t, err, "")
}

// TestEveryOperationIsThrottled calls each operation where all have called too often together.
func TestEveryOperationIsThrottled(t *testing.T) {
	t.Parallel()
	w := here(t)
	s := w.own(t, "throttled", settings{"rate": seldom})
	c := s.client(t)
	ok(c.ListCollections(t.Context(), &rekognition.ListCollectionsInput{}))(t)
	for _, op := range operations() {
		t.Log(op.name)
		refused[*types.ThrottlingException](t, op.call(t.Context(), c, new("other")),
			"Slow down; sudden increase in rate of requests.")
	}
}

// TestOpenJobs has one job in progress where no more are allowed.
func TestOpenJobs(t *testing.T) {
	t.Parallel()
	w := here(t)
	s := w.own(t, "narrow", settings{"open-jobs": 1})
	c := s.client(t)
	id := collection(t, c)
	in := &rekognition.StartFaceSearchInput{CollectionId: id, Video: film("long.mp4"), ClientRequestToken: new(name(t))}
	job := startSearch(t, c, *in)
	const text = "2  open Jobs for User arn:aws:iam::000000000000:user/administrator. Maximum limit: 1"
	_, err := c.StartFaceSearch(t.Context(), &rekognition.StartFaceSearchInput{CollectionId: id, Video: film("clip.mp4")})
	refused[*types.LimitExceededException](t, err, text)
	_, err = c.StartFaceDetection(t.Context(), &rekognition.StartFaceDetectionInput{Video: film("clip.mp4")})
	refused[*types.LimitExceededException](t, err, text)
	// What is wrong with a request is said first, and a repetition is none more.
	_, err = c.StartFaceSearch(t.Context(), &rekognition.StartFaceSearchInput{CollectionId: id, Video: film("none.mp4")})
	refused[*types.InvalidS3ObjectException](t, err, unreadable)
	if again := startSearch(t, c, *in); *again != *job {
		t.Error("a repeated request is another job")
	}
	s.cancel(t, job)
	searched(t, c, startSearch(t, c, rekognition.StartFaceSearchInput{CollectionId: id, Video: film("clip.mp4")}))
}

// TestBucketsThatAreAway names an S3 server that nobody answers for: what the client can do is to try again.
func TestBucketsThatAreAway(t *testing.T) {
	t.Parallel()
	w := here(t)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := "http://" + l.Addr().String()
	if err = l.Close(); err != nil {
		t.Fatal(err)
	}
	s := w.own(t, "away", settings{"buckets": map[string]any{archive: map[string]any{"s3": map[string]any{
		"endpoint": away, "region": "us-east-1", "path-style": true, "access-key-id": "x", "secret-access-key": "y",
	}}}})
	c := s.client(t)
	id := collection(t, c)
	const text = "The bucket cannot be reached."
	_, err = c.StartFaceSearch(t.Context(), &rekognition.StartFaceSearchInput{CollectionId: id, Video: film("clip.mp4")})
	refused[*types.InternalServerError](t, err, text)
	_, err = c.IndexFaces(t.Context(), &rekognition.IndexFacesInput{CollectionId: id, Image: stored(anna)})
	refused[*types.InternalServerError](t, err, text)
	if strings.Contains(err.Error(), away) {
		t.Error("the client is told where the bucket is")
	}
}

// TestSignatures signs in ways that let nobody in.
func TestSignatures(t *testing.T) {
	t.Parallel()
	s := here(t).server
	known := ok(s.credentials(t.Context()))(t)
	with := func(id, secret, token string) error {
		c := s.client(t, func(o *rekognition.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider(id, secret, token)
		})
		return asked(c.ListCollections(t.Context(), &rekognition.ListCollectionsInput{}))
	}
	refusedBy(t, with(known.AccessKeyID, "wrong", ""), "InvalidSignatureException",
		"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "+
			"and signing method. Consult the service documentation for details.")
	const unknown = "The security token included in the request is invalid."
	refusedBy(t, with("AKIAUNKNOWN", "wrong", ""), "UnrecognizedClientException", unknown)
	refusedBy(t, with(known.AccessKeyID, known.SecretAccessKey, "token"), "UnrecognizedClientException", unknown)
	anonymous := s.client(t, func(o *rekognition.Options) { o.Credentials = aws.AnonymousCredentials{} })
	_, err := anonymous.ListCollections(t.Context(), &rekognition.ListCollectionsInput{})
	refusedBy(t, err, "MissingAuthenticationTokenException", "Request is missing Authentication Token")
}
