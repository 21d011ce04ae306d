package sts_test

import (
	"encoding/xml"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/awsapi/internal/sts"
)

const version = "Version=2011-06-15&"

func TestParse(t *testing.T) {
	t.Parallel()
	r, err := sts.Parse([]byte(version + "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A0%3Arole%2Fr&RoleSessionName=x1&DurationSeconds=900&Policy=%7B%7D"))
	if err != nil || *r != (sts.Request{Action: sts.AssumeRole, Role: "arn:aws:iam::0:role/r", Session: "x1", Policy: "{}", Duration: 15 * time.Minute}) {
		t.Errorf("read as %+v, %v", r, err)
	}
	for form, code := range map[string]string{
		"":                                    "InvalidAction",
		"%zz":                                 "MalformedInput",
		"Action=GetSessionToken":              "InvalidAction",
		version + "Action=GetFederationToken": "InvalidAction",
		version + "Action=GetSessionToken&DurationSeconds=1&DurationSeconds=900":                       "MalformedInput",
		version + "Action=GetSessionToken&DurationSeconds=899":                                         "ValidationError",
		version + "Action=GetSessionToken&DurationSeconds=129601":                                      "ValidationError",
		version + "Action=GetSessionToken&DurationSeconds=9223372036854775807":                         "ValidationError",
		version + "Action=GetSessionToken&SerialNumber=x":                                              "ValidationError",
		version + "Action=AssumeRole&RoleSessionName=x1":                                               "ValidationError",
		version + "Action=AssumeRole&RoleArn=r&RoleSessionName=x":                                      "ValidationError",
		version + "Action=AssumeRole&RoleArn=r&RoleSessionName=a%0Ab":                                  "ValidationError",
		version + "Action=AssumeRole&RoleArn=r&RoleSessionName=x1&PolicyArns.member.1.arn=x":           "ValidationError",
		version + "Action=AssumeRole&RoleArn=r&RoleSessionName=x1&Policy=" + strings.Repeat("x", 2049): "ValidationError",
		version + "Action=AssumeRoleWithWebIdentity&RoleArn=r&RoleSessionName=x1":                      "ValidationError",
	} {
		_, err := sts.Parse([]byte(form))
		if e := (*sts.Error)(nil); !errors.As(err, &e) || e.Code != code || e.Status != 400 || e.Message == "" {
			t.Errorf("%.80q: %v, want %s", form, err, code)
		}
	}
}

// FuzzParse: whatever the form, it is read within the bounds, or refused with an error that can be answered.
func FuzzParse(f *testing.F) {
	f.Add(version + "Action=AssumeRole&RoleArn=r&RoleSessionName=x1&Policy=%7B%7D")
	f.Add(version + "Action=GetSessionToken&DurationSeconds=900")
	f.Add(version + "Action=AssumeRoleWithWebIdentity&RoleArn=r&RoleSessionName=x1&WebIdentityToken=a.b.c")
	f.Fuzz(func(t *testing.T, form string) {
		r, err := sts.Parse([]byte(form))
		if err != nil {
			e := (*sts.Error)(nil)
			if !errors.As(err, &e) {
				t.Fatalf("%v is no error of the service", err)
			}
			text, err := e.Encode("id")
			if err != nil || xml.Unmarshal(text, new(any)) != nil && !strings.HasPrefix(string(text), "<ErrorResponse") {
				t.Fatalf("%s, %v", text, err)
			}
			return
		}
		if r.Duration < 0 || r.Duration > 36*time.Hour || len(r.Session) > 64 || len(r.Policy) > 4*2048 {
			t.Errorf("read as %+v", r)
		}
		if _, err := url.ParseQuery(form); err != nil {
			t.Errorf("a form that is none was read: %v", err)
		}
	})
}

func TestEncode(t *testing.T) {
	t.Parallel()
	text, err := sts.Encode(sts.GetCallerIdentity, "id", &sts.Answer{ARN: "arn:a&b", UserID: "u", Account: "0"})
	const want = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:a&amp;b</Arn>` +
		`<UserId>u</UserId><Account>0</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>` +
		`</GetCallerIdentityResponse>`
	if err != nil || string(text) != want {
		t.Errorf("got %s, %v", text, err)
	}
	text, err = (&sts.Error{Code: "AccessDenied", Status: 403, Message: "no <b>"}).Encode("id")
	const denied = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code>` +
		`<Message>no &lt;b&gt;</Message></Error><RequestId>id</RequestId></ErrorResponse>`
	if err != nil || string(text) != denied {
		t.Errorf("got %s, %v", text, err)
	}
}
