package sigv4

import (
	"strings"
	"testing"
)

func FuzzParseAuthorization(f *testing.F) {
	const good = "AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/rekognition/aws4_request, SignedHeaders=host;x-amz-date, " +
		"Signature=00"
	f.Add(good)
	f.Add(strings.ReplaceAll(good, ", ", ","))
	f.Add(strings.ReplaceAll(good, "host;", ""))
	f.Add(strings.ReplaceAll(good, "host;", "host;;"))
	f.Add("AWS4-HMAC-SHA256 ,,,")
	f.Add("AWS4-HMAC-SHA256 Credential=////,SignedHeaders=;,Signature==")
	f.Fuzz(func(t *testing.T, header string) {
		a, refusal := parseAuthorization(header)
		if refusal != nil {
			if refusal.Message == "" || refusal.Reason == 0 {
				t.Error("a refusal without a reason")
			}
			return
		}
		again, refusal := parseAuthorization(render(a))
		if refusal != nil {
			t.Fatalf("%q was read, and %q is refused: %v", header, render(a), refusal)
		}
		if render(again) != render(a) {
			t.Errorf("%q became %q", render(a), render(again))
		}
	})
}

func render(a *authorization) string {
	return algorithm + " Credential=" + strings.Join([]string{a.keyID, a.date, a.region, a.service, terminator}, "/") +
		", SignedHeaders=" + strings.Join(a.signed, ";") + ", Signature=" + a.signature
}
