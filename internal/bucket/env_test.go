package bucket_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/bucket"
)

// TestEnvironment takes credentials and region from where the SDK does, and no endpoint.
func TestEnvironment(t *testing.T) {
	for k, v := range map[string]string{
		"AWS_ACCESS_KEY_ID": "env-key", "AWS_SECRET_ACCESS_KEY": "env-secret", "AWS_REGION": "eu-test-1",
		"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	} {
		t.Setenv(k, v)
	}
	var signed string
	f := startFaulty(t, noise(1), func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		signed = r.Header.Get("Authorization")
		return false
	})
	for region, want := range map[string]string{"": "us-east-1", "eu-own-1": "eu-own-1"} {
		b := open(t, config(t, map[string]bucket.Source{"films": bucket.S3{Endpoint: f.URL, PathStyle: true, Region: region}}))
		if _, err := b.Read(t.Context(), film("x"), 1); err != nil {
			t.Error(err)
		}
		if !strings.Contains(signed, "env-key/") || !strings.Contains(signed, "/"+want+"/s3/") {
			t.Errorf("signed with %q", signed)
		}
	}
	if err := open(t, config(t, map[string]bucket.Source{"films": bucket.S3{}})).Close(); err != nil {
		t.Error(err) // the region is the environment's
	}
}
