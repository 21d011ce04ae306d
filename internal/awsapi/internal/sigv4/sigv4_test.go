package sigv4_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/awsapi/internal/sigv4"
)

const (
	secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" // AWS's own example
	body   = `{"CollectionId":"c"}`
)

func signedAt() time.Time { return time.Date(2026, 11, 23, 4, 31, 47, 0, time.UTC) }

// These requests were signed by botocore 1.43, that is, not by the signer that checks them. The first signs what the Python
// SDK signs, the second what the JavaScript SDK v2 does, the third the user agent too, as the Java SDK v1.
func vectors() map[string]string {
	return map[string]string{
		"python": request("Content-Type: application/x-amz-json-1.1",
			authorization("us-east-1", "content-type;host;x-amz-date;x-amz-target",
				"2bb3b49cb2402ce0e666c4cc86c2d5b5fdbc9df9c59c06f44748dfdec88e8987")),
		"javascript v2": request("Content-Type: application/x-amz-json-1.1",
			"X-Amz-Content-Sha256: 460cc80385f348ca6e5ad018b65dab62371852f7ef7468f73b4a2c52fc7df028",
			authorization("eu-west-1", "host;x-amz-content-sha256;x-amz-date;x-amz-target",
				"6d86743904184bca53ded71137fdbf46ef0dc6f9a522010b293c628614201f6d")),
		"java v1": request("Content-Type: application/x-amz-json-1.1", "User-Agent: aws-sdk-java/1.12  Linux/6.1",
			authorization("us-east-1", "content-length;content-type;host;user-agent;x-amz-date;x-amz-target",
				"088290c6f3fb5b9190ef8c1dd29669e6eb9ffc0b8d017a3f31bf73260eafac9b")),
	}
}

func authorization(region, signed, signature string) string {
	return fmt.Sprintf("Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/%s/rekognition/aws4_request, "+
		"SignedHeaders=%s, Signature=%s", region, signed, signature)
}

func request(lines ...string) string {
	return "POST / HTTP/1.1\r\nHost: 127.0.0.1:8420\r\nX-Amz-Date: 20261123T043147Z\r\n" +
		"X-Amz-Target: RekognitionService.DescribeCollection\r\n" + strings.Join(lines, "\r\n") +
		"\r\nContent-Length: 20\r\n\r\n" + body
}

// check is what a server does with the bytes of a request.
func check(raw, secret string, now time.Time) error {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
	if err != nil {
		return err
	}
	claim, err := sigv4.Parse(r, "rekognition", now)
	if err != nil {
		return err
	}
	content, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if claim.KeyID != "AKIDEXAMPLE" { // the id is not signed: it is the secret that belongs to it that tells
		secret = "of another key"
	}
	return claim.Verify(context.Background(), secret, content)
}

func TestSignaturesOfOtherSDKsAreAccepted(t *testing.T) {
	t.Parallel()
	for name, raw := range vectors() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := check(raw, secret, signedAt().Add(2*time.Minute)); err != nil {
				t.Error(err)
			}
			if err := check(raw, secret+"x", signedAt()); err == nil {
				t.Error("accepted with another secret")
			}
		})
	}
}

func TestClaimSaysWhoAsks(t *testing.T) {
	t.Parallel()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(vectors()["javascript v2"])))
	if err != nil {
		t.Fatal(err)
	}
	claim, err := sigv4.Parse(r, "rekognition", signedAt())
	if err != nil {
		t.Fatal(err)
	}
	if claim.KeyID != "AKIDEXAMPLE" || claim.Region != "eu-west-1" || !claim.Time.Equal(signedAt()) {
		t.Errorf("got %+v", claim)
	}
}

const (
	mismatch = "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	unknown = "The security token included in the request is invalid."
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	type change struct{ from, to string }
	for name, c := range map[string]struct {
		change  change
		reason  sigv4.Reason
		message string
	}{
		"body":              {change{`"c"}`, `"d"}`}, sigv4.Invalid, mismatch},
		"body cut":          {change{"Length: 20", "Length: 19"}, sigv4.Invalid, mismatch},
		"host":              {change{"127.0.0.1", "127.0.0.2"}, sigv4.Invalid, mismatch},
		"target":            {change{"Describe", "Delete"}, sigv4.Invalid, mismatch},
		"content type":      {change{"json-1.1", "json-1.0"}, sigv4.Invalid, mismatch},
		"method":            {change{"POST", "PUT"}, sigv4.Invalid, mismatch},
		"path":              {change{"POST /", "POST /x"}, sigv4.Invalid, mismatch},
		"signature":         {change{"2bb3", "2bb4"}, sigv4.Invalid, mismatch},
		"signature in caps": {change{"2bb3", "2BB3"}, sigv4.Invalid, mismatch},
		"signature cut":     {change{"2bb3", ""}, sigv4.Invalid, mismatch},
		"other key":         {change{"AKIDEXAMPLE", "AKIDEXAMPLF"}, sigv4.Invalid, mismatch},
		"region":            {change{"us-east-1", "us-east-2"}, sigv4.Invalid, mismatch},
		"time":              {change{"T043147Z", "T043148Z"}, sigv4.Invalid, mismatch},
		"a header less signed": {
			change{"content-type;host", "host"}, sigv4.Invalid, mismatch,
		},
		"unsigned":           {change{"Authorization:", "X-Other:"}, sigv4.Missing, "Request is missing Authentication Token"},
		"query":              {change{"POST / ", "POST /?X-Amz-Signature=1 "}, sigv4.Missing, ""},
		"two authorizations": {change{"Authorization:", "Authorization: x\r\nAuthorization:"}, sigv4.Incomplete, ""},
		"basic":              {change{"AWS4-HMAC-SHA256 ", "Basic "}, sigv4.Incomplete, ""},
		"asymmetric":         {change{"AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"}, sigv4.Incomplete, ""},
		"long":               {change{"Signature=", "Signature=" + strings.Repeat("0", 4096)}, sigv4.Incomplete, ""},
		"no credential": {
			change{"Credential=", "X="},
			sigv4.Incomplete,
			"Authorization header has a parameter that is not known, or one twice.",
		},
		"empty signature": {
			change{"Signature=2bb3b49cb2402ce0e666c4cc86c2d5b5fdbc9df9c59c06f44748dfdec88e8987", "Signature="},
			sigv4.Incomplete,
			"Authorization header requires 'Signature' parameter.",
		},
		"parameter twice": {change{"Signature=", "Signature=0, Signature="}, sigv4.Incomplete, ""},
		"headers unsorted": {
			change{"content-type;host", "host;content-type"}, sigv4.Incomplete, "",
		},
		"header named twice": {change{";host;", ";host;host;"}, sigv4.Incomplete, ""},
		"headers in caps":    {change{";host;", ";Host;"}, sigv4.Incomplete, ""},
		"scope of four":      {change{"us-east-1/", ""}, sigv4.Incomplete, ""},
		"key in pieces":      {change{"AKIDEXAMPLE", "AKID EXAMPLE"}, sigv4.Unrecognized, unknown},
		"region of nowhere":  {change{"us-east-1", "US EAST"}, sigv4.Invalid, ""},
		"service": {
			change{"/rekognition/", "/s3/"}, sigv4.Invalid, "Credential should be scoped to correct service: 'rekognition'.",
		},
		"terminator":    {change{"aws4_request", "aws5_request"}, sigv4.Invalid, ""},
		"date of scope": {change{"/20261123/", "/20261122/"}, sigv4.Invalid, ""},
		"no date":       {change{"X-Amz-Date:", "X-Date:"}, sigv4.Incomplete, ""},
		"two dates":     {change{"X-Amz-Date:", "X-Amz-Date: 20261123T043147Z\r\nX-Amz-Date:"}, sigv4.Incomplete, ""},
		"odd date":      {change{"20261123T043147Z", "20261123T043147.0Z"}, sigv4.Incomplete, ""},
		"host unsigned": {
			change{"content-type;host;", "content-type;"},
			sigv4.Invalid,
			"'Host' must be a 'SignedHeader' in the AWS Authorization.",
		},
		"date unsigned": {
			change{"x-amz-date;", ""}, sigv4.Invalid, "'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.",
		},
		"target unsigned": {
			change{";x-amz-target", ""}, sigv4.Invalid, "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.",
		},
		"signed header gone": {
			change{"Content-Type:", "X-Type:"},
			sigv4.Invalid,
			"Header 'content-type' is signed, so it must come once and not 0 times.",
		},
		"signed header twice": {
			change{"Content-Type:", "Content-Type: x\r\nContent-Type:"},
			sigv4.Invalid,
			"Header 'content-type' is signed, so it must come once and not 2 times.",
		},
		"session token": {
			change{"Content-Type:", "X-Amz-Security-Token: abc\r\nContent-Type:"},
			sigv4.Invalid,
			"'X-Amz-Security-Token' must be a 'SignedHeader' in the AWS Authorization.",
		},
		"other payload": {
			change{"Content-Type:", "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\nContent-Type:"},
			sigv4.Invalid,
			"The provided 'X-Amz-Content-Sha256' header does not match what was computed.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := vectors()["python"]
			if strings.Count(raw, c.change.from) < 1 {
				t.Fatalf("there is no %q to change", c.change.from)
			}
			err := check(strings.Replace(raw, c.change.from, c.change.to, 1), secret, signedAt())
			expectRefusal(t, err, c.reason, c.message)
		})
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after   time.Duration
		message string // empty: accepted
	}{
		"just in time": {after: 5 * time.Minute},
		"just begun":   {after: -5 * time.Minute},
		"too late": {5*time.Minute + time.Second, "Signature expired: 20261123T043147Z is now earlier than 20261123T043148Z " +
			"(20261123T043648Z - 5 min.)"},
		"too early": {-5*time.Minute - time.Second, "Signature not yet current: 20261123T043147Z is still later than " +
			"20261123T043146Z (20261123T042646Z + 5 min.)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone := time.FixedZone("elsewhere", 3600) // the clock's own zone does not matter
			err := check(vectors()["python"], secret, signedAt().Add(c.after).In(zone))
			if c.message == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			expectRefusal(t, err, sigv4.Invalid, c.message)
		})
	}
}

func expectRefusal(t *testing.T, err error, reason sigv4.Reason, message string) {
	t.Helper()
	refusal := (*sigv4.Error)(nil)
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, want a refusal", err)
	}
	if refusal.Reason != reason || message != "" && refusal.Message != message {
		t.Errorf("got %d %q, want %d %q", refusal.Reason, refusal.Message, reason, message)
	}
}

// Whatever byte of a request is changed on its way, the request is refused. Only what says the same in other letters may
// pass: the case of a header's name, and the version of HTTP.
func TestAnyChangedByteIsRefused(t *testing.T) {
	t.Parallel()
	raw := []byte(strings.Replace(vectors()["python"], "Content-Length: 20\r\n", "", 1))
	raw = bytes.Replace(raw, []byte("\r\n\r\n"), []byte("\r\nContent-Length: 20\r\n\r\n"), 1)
	refused := func(t interface{ Fatalf(string, ...any) }, at int, to byte) {
		changed := bytes.Clone(raw)
		changed[at] = to
		if to == raw[at] || harmless(raw, at, to) {
			return
		}
		if err := check(string(changed), secret, signedAt()); err == nil {
			t.Fatalf("accepted with %q instead of %q at %d, in\n%s", to, raw[at], at, changed)
		}
	}
	for at := range raw {
		for bit := range 8 {
			refused(t, at, raw[at]^1<<bit)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		refused(t, rapid.IntRange(0, len(raw)-1).Draw(t, "at"), rapid.Byte().Draw(t, "to"))
	})
}

func harmless(raw []byte, at int, to byte) bool {
	line := raw[bytes.LastIndexByte(raw[:at], '\n')+1:]
	start := len(raw) - len(line)
	colon := start + bytes.IndexByte(line, ':')
	switch {
	case start == 0: // the version, which a server answers for itself
		return at > bytes.Index(raw, []byte(" HTTP/"))
	case raw[at] == ' ' && at == colon+1 && (to == ' ' || to == '\t'):
		return true // white space before a value
	case raw[at] == ' ' && bytes.HasPrefix(line, []byte("Content-Length")) && to == '0':
		return true // the same length
	case raw[at] == '\r':
		return to == ' ' || to == '\t' // white space after a value, where the line ends without CR
	default:
		return at < colon && bytes.EqualFold([]byte{raw[at]}, []byte{to})
	}
}

func TestASecretThatWasReplacedIsForgotten(t *testing.T) {
	t.Parallel()
	raw := vectors()["python"]
	for _, c := range []struct {
		secret string
		good   bool
	}{{"made up", false}, {secret, true}, {"made up", false}} {
		if err := check(raw, c.secret, signedAt()); (err == nil) != c.good {
			t.Errorf("secret %q: %v", c.secret, err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	raw := vectors()["python"]
	for b.Loop() {
		if err := check(raw, secret, signedAt()); err != nil {
			b.Fatal(err)
		}
	}
}
