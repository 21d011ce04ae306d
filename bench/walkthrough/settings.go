package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// configuration is Spotter's. Every bucket is one of the S3 server, every topic one of the SNS server, each under its own name:
// the script makes them, as it would on AWS.
func (s *stage) configuration(address string) []byte {
	return fmt.Appendf(nil, `listen: %s
data: spotter-data
region: %s

buckets:
  "*":
    s3: {endpoint: %q, path-style: true, access-key-id: %q, secret-access-key: %q}

topics:
  "arn:aws:sns:*":
    - sns: {endpoint: %q, access-key-id: "goaws", secret-access-key: "lets everybody in"}
`, address, s.objects.Region, s.objects.Endpoint, s.objects.KeyID, s.objects.Secret, s.queues.Endpoint)
}

// credentials is the file that Spotter writes at its first start.
func (s *stage) credentials() string { return filepath.Join(s.folder, "spotter-data", "credentials") }

type accessKey struct{ id, secret string }

// readKey reads the only key of a credentials file.
func readKey(path string) (accessKey, error) {
	text, err := os.ReadFile(path) //nolint:gosec // Spotter has just written it
	if err != nil {
		return accessKey{}, fmt.Errorf("read the administrator's access key: %w", err)
	}
	var key accessKey
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, "=")
		switch strings.TrimSpace(name) {
		case "aws_access_key_id":
			key.id = strings.TrimSpace(value)
		case "aws_secret_access_key":
			key.secret = strings.TrimSpace(value)
		}
	}
	if key.id == "" || key.secret == "" {
		return accessKey{}, fmt.Errorf("read the administrator's access key: %s has none", path)
	}
	return key, nil
}

// ownEnvironment is this process's without settings of whoever starts it, which are for other servers. What says where
// Spotter's own parts are is kept.
func ownEnvironment() []string {
	parts := []string{"SPOTTER_MODELS", "SPOTTER_ONNXRUNTIME", "SPOTTER_DECODER", "SPOTTER_FFMPEG", "SPOTTER_SANDBOX"}
	var kept []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		foreign := strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "SPOTTER_")
		if !foreign || slices.Contains(parts, name) {
			kept = append(kept, variable)
		}
	}
	return append(kept, "AWS_CONFIG_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true", "PYTHONDONTWRITEBYTECODE=1")
}

// errNoPython means that there is no Python that has boto3.
var errNoPython = errors.New("no Python 3 with boto3 is found (Debian, Ubuntu: apt-get install python3-boto3); -python names another")

// findPython is the Python that is named, or else the first that has boto3: the one of the PATH may be a version manager's,
// beside which the system's has Debian's packages.
func findPython(ctx context.Context, named string) (string, error) {
	candidates := []string{"python3", "/usr/bin/python3"}
	if named != "" {
		candidates = []string{named}
	}
	for _, python := range candidates {
		if exec.CommandContext(ctx, python, "-c", "import boto3").Run() == nil { //nolint:gosec // the user's Python
			return python, nil
		}
	}
	return "", errNoPython
}
