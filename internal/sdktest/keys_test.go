package sdktest_test

import (
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
)

// key makes an access key with a policy, as an operator does beside a running server, for a client to use.
func (s *server) key(t *testing.T, name, policy string) func(*rekognition.Options) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), s.world.spotter, "key", "create", "--data", s.data, "--json",
		"--name", name, "--policy-json", policy).Output()
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	var made struct {
		ID     string `json:"access_key_id"`
		Secret string `json:"secret_access_key"`
	}
	if err := json.Unmarshal(out, &made); err != nil || made.ID == "" || made.Secret == "" {
		t.Fatalf("make a key: %s", out)
	}
	return func(o *rekognition.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider(made.ID, made.Secret, "")
	}
}
