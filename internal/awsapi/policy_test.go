package awsapi

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"

	"github.com/spotter-video/spotter/internal/awsapi/internal/iam"
	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/service"
)

// policy is a document of statements of the form "Allow rekognition:* on *".
func policy(statements ...string) string {
	var parts []string
	for _, s := range statements {
		words := strings.Fields(s)
		parts = append(parts, `{"Effect":"`+words[0]+`","Action":"`+words[1]+`","Resource":"`+words[3]+`"}`)
	}
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(parts, ",") + `]}`
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	const (
		role  = "arn:aws:iam::000000000000:role/tell"
		video = "arn:aws:s3:::media/a.mp4"
		staff = arnRoot + "staff"
		user  = "User: " + ann + " is not authorized to perform: "
		none  = " because no identity-based policy allows the "
		ban   = " with an explicit deny in an identity-based policy"
	)
	startIn := &model.StartFaceSearchRequest{
		CollectionId: "staff", Video: &model.Video{S3Object: &model.S3Object{Bucket: "media", Name: "a.mp4"}},
		NotificationChannel: &model.NotificationChannel{RoleArn: role},
	}
	versioned := &model.StartFaceSearchRequest{
		CollectionId: "staff", Video: &model.Video{S3Object: &model.S3Object{Bucket: "media", Name: "a.mp4", Version: "7"}},
	}
	winding := &model.StartFaceSearchRequest{
		CollectionId: "staff", Video: &model.Video{S3Object: &model.S3Object{Bucket: "media", Name: "open/..//closed/a.mp4"}},
	}
	doubled := &model.StartFaceSearchRequest{
		CollectionId: "staff", Video: &model.Video{S3Object: &model.S3Object{Bucket: "media", Name: "open//../closed.mp4"}},
	}
	describeIn := &model.DescribeCollectionRequest{CollectionId: "staff"}
	tagged := &model.CreateCollectionRequest{CollectionId: "staff", Tags: map[string]string{"a": "b"}}
	for name, c := range map[string]struct {
		operation string
		in        any
		policy    string
		want      string // empty: allowed
	}{
		"administrator": {"StartFaceSearch", startIn, Administrator(), ""},
		"its collection": {
			"DescribeCollection", describeIn, policy("Allow rekognition:DescribeCollection on " + staff), "",
		},
		"another collection": {
			"DescribeCollection", describeIn, policy("Allow rekognition:DescribeCollection on " + staff + "2"),
			"AccessDeniedException: " + user + "rekognition:DescribeCollection on resource: " + staff + none +
				"rekognition:DescribeCollection action",
		},
		"explicitly not": {
			"DescribeCollection", describeIn, policy("Allow * on *", "Deny rekognition:Desc* on "+staff),
			"AccessDeniedException: " + user + "rekognition:DescribeCollection on resource: " + staff + ban,
		},
		"no resource of its own": {
			"ListCollections", &model.ListCollectionsRequest{}, policy("Allow rekognition:* on " + arnRoot + "*"),
			"AccessDeniedException: " + user + "rekognition:ListCollections on resource: *" + none + "rekognition:ListCollections action",
		},
		"no collection as yet": {
			"CreateCollection", &model.CreateCollectionRequest{CollectionId: "staff"}, policy("Allow rekognition:CreateCollection on *"), "",
		},
		"tags need more": {
			"CreateCollection", tagged, policy("Allow rekognition:CreateCollection on *"),
			"AccessDeniedException: " + user + "rekognition:TagResource on resource: " + staff + none + "rekognition:TagResource action",
		},
		"tags with more": {
			"CreateCollection", tagged, policy("Allow rekognition:CreateCollection on *", "Allow rekognition:TagResource on "+staff), "",
		},
		"tags by ARN": {
			"TagResource", &model.TagResourceRequest{ResourceArn: staff}, policy("Allow rekognition:TagResource on " + staff), "",
		},
		"tags by no ARN": {
			"TagResource", &model.TagResourceRequest{ResourceArn: "arn:aws:s3:::staff"}, policy("Allow rekognition:TagResource on " + staff),
			"AccessDeniedException: " + user + "rekognition:TagResource on resource: *" + none + "rekognition:TagResource action",
		},
		"role unmentioned": {"StartFaceSearch", startIn, policy("Allow rekognition:* on *"), ""},
		"role named": {
			"StartFaceSearch", startIn, policy("Allow rekognition:* on *", "Allow iam:PassRole on "+role), "",
		},
		"other role named": {
			"StartFaceSearch", startIn, policy("Allow rekognition:* on *", "Allow iam:PassRole on "+role+"2"),
			"AccessDeniedException: " + user + "iam:PassRole on resource: " + role + none + "iam:PassRole action",
		},
		"no role to pass":  {"StartFaceSearch", versioned, policy("Allow rekognition:* on *", "Deny iam:* on *"), ""},
		"object named":     {"StartFaceSearch", startIn, policy("Allow rekognition:* on *", "Allow s3:GetObject on "+video), ""},
		"other bucket":     {"StartFaceSearch", startIn, policy("Allow * on *", "Deny s3:* on arn:aws:s3:::secret/*"), ""},
		"forbidden object": {"StartFaceSearch", startIn, policy("Allow * on *", "Deny s3:* on "+video), "InvalidS3ObjectException: Unable to get object metadata from S3. Check object key, region and/or access permissions."},
		"object in what is forbidden altogether": {
			"StartFaceSearch", startIn, policy("Allow * on *", "Deny * on arn:aws:s3:::media/*"),
			"InvalidS3ObjectException: Unable to get object metadata from S3. Check object key, region and/or access permissions.",
		},
		"object not in what is allowed altogether": {
			"StartFaceSearch", startIn, policy("Allow rekognition:* on *", "Allow * on arn:aws:s3:::public/*"),
			"InvalidS3ObjectException: Unable to get object metadata from S3. Check object key, region and/or access permissions.",
		},
		"object in all that is not Rekognition": {
			"StartFaceSearch", startIn, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"rekognition:*","Resource":"*"},
				{"Effect":"Deny","NotAction":"rekognition:*","Resource":"*"}]}`,
			"InvalidS3ObjectException: Unable to get object metadata from S3. Check object key, region and/or access permissions.",
		},
		"version needs its own action": {
			"StartFaceSearch", versioned, policy("Allow rekognition:* on *", "Allow s3:GetObject on "+video),
			"InvalidS3ObjectException: Unable to get object metadata from S3. Check object key, region and/or access permissions.",
		},
		"object by a winding way": {
			"StartFaceSearch", winding, policy("Allow rekognition:* on *", "Allow s3:GetObject on arn:aws:s3:::media/open/*"),
			"InvalidS3ObjectException: Unable to get object metadata from S3. Check object key, region and/or access permissions.",
		},
		"forbidden object by a winding way": {
			"StartFaceSearch", winding, policy("Allow * on *", "Deny s3:GetObject on arn:aws:s3:::media/closed/*"),
			"InvalidS3ObjectException: Unable to get object metadata from S3. Check object key, region and/or access permissions.",
		},
		"object by doubled slashes": {
			"StartFaceSearch", doubled, policy("Allow * on *", "Deny s3:GetObject on arn:aws:s3:::media/open/closed.mp4"),
			"InvalidS3ObjectException: Unable to get object metadata from S3. Check object key, region and/or access permissions.",
		},
		"object that may be read either way": {
			"StartFaceSearch", winding, policy("Allow rekognition:* on *", "Allow s3:GetObject on arn:aws:s3:::media/*"), "",
		},
		"version": {
			"StartFaceSearch", versioned, policy("Allow rekognition:* on *", "Allow s3:GetObjectVersion on "+video), "",
		},
		"beyond AWS": {
			"SpotterService.ListJobs", nil, policy("Allow spotter:ListJobs on *"), "",
		},
		"not beyond AWS": {
			"SpotterService.ListJobs", nil, policy("Allow rekognition:* on *"),
			"AccessDeniedException: " + user + "spotter:ListJobs on resource: *" + none + "spotter:ListJobs action",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(cfg *Config) {
				cfg.Keys = keyring{keyID: {Secret: secret, Name: "ann", Policy: c.policy}}
			}, operations()...)
			if got := b.decide(t, c.operation, c.in); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// decide is what the door's policy check says of an input.
func (b *bench) decide(t *testing.T, name string, in any) string {
	t.Helper()
	target := rekognitionPrefix + name
	if strings.Contains(name, ".") {
		target = name
	}
	op := b.door.table[target]
	if op == nil {
		t.Fatalf("there is no %s", name)
	}
	if in == nil {
		in = op.input()
	}
	who := &identity{caller: service.Caller{Key: keyID, Name: ann}}
	credential, err := b.config.Keys.Key(t.Context(), keyID)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := iam.Parse(credential.Policy)
	if err != nil {
		t.Fatal(err)
	}
	who.rights.policies = []*iam.Policy{policy}
	if err := b.door.authorize(who, op, in); err != nil {
		return err.Error()
	}
	return ""
}

func TestADeniedCallerLearnsNothing(t *testing.T) {
	t.Parallel()
	looked := false
	op := describeOp(nil)
	handle := op.handle
	op.handle = func(ctx context.Context, s Service, c call, in any) (any, error) {
		looked = true
		return handle(ctx, s, c, in)
	}
	b := newBench(t, func(c *Config) {
		c.Keys = keyring{keyID: {Secret: secret, Name: "ann", Policy: policy("Allow rekognition:ListCollections on *")}}
	}, op, listOp(nil))
	_, err := describeWith(t, b.client())
	if e := (*types.AccessDeniedException)(nil); !errors.As(err, &e) || looked {
		t.Errorf("got %v", err)
	}
	if got := b.audited[0]; got.Code != "AccessDeniedException" || got.Collection != "staff" {
		t.Errorf("audited %+v", got)
	}
	if _, err := b.client().ListCollections(t.Context(), &rekognition.ListCollectionsInput{}); err != nil {
		t.Error(err)
	}
}

func TestEveryObjectOfAnInputIsFound(t *testing.T) {
	t.Parallel()
	in := &model.CompareFacesRequest{
		SourceImage: &model.Image{S3Object: &model.S3Object{Bucket: "a", Name: "1"}},
		TargetImage: &model.Image{S3Object: &model.S3Object{Bucket: "b", Name: "2"}},
	}
	found := objects(in)
	if len(found) != 2 || *found[0] != *in.SourceImage.S3Object || *found[1] != *in.TargetImage.S3Object {
		t.Errorf("got %v", found)
	}
	for _, none := range []any{nil, &model.CompareFacesRequest{}, model.Image{}, (*model.Image)(nil), 3} {
		if found := objects(none); len(found) != 0 {
			t.Errorf("found %v", found)
		}
	}
}

// What the operator's handbook shows must be what the door reads.
func TestPoliciesOfTheHandbook(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, block := range strings.Split(string(text), "```json\n")[1:] {
		document, _, _ := strings.Cut(block, "```")
		if !strings.Contains(document, `"Statement"`) {
			continue
		}
		found++
		if err := CheckPolicy(document); err != nil {
			t.Errorf("%v in\n%s", err, document)
		}
	}
	if found == 0 {
		t.Error("there are no policies")
	}
}
