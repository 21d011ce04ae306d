package sdktest_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/testkit/patience"
)

// TestPython runs boto3.
func TestPython(t *testing.T) {
	t.Parallel()
	w := here(t)
	python := installed(t, "boto3", func(program string) bool {
		return exec.CommandContext(t.Context(), program, "-c", "import boto3").Run() == nil
	}, "/usr/bin/python3", "python3")
	w.drive(t, nil, python, filepath.Join("testdata", "boto3_client.py"))
}

// TestCommandLine runs AWS's command line.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	w := here(t)
	aws := installed(t, "the AWS command line", func(program string) bool {
		return exec.CommandContext(t.Context(), program, "--version").Run() == nil
	}, "/usr/bin/aws", "aws")
	w.drive(t, []string{"AWS=" + aws}, "sh", filepath.Join("testdata", "command_line.sh"))
}

// TestJavaScript runs AWS's SDK for JavaScript.
func TestJavaScript(t *testing.T) {
	t.Parallel()
	w := here(t)
	node := installed(t, "Node.js with AWS's SDK", func(string) bool {
		_, err := os.Stat(filepath.Join("js", "node_modules", "@aws-sdk", "client-rekognition"))
		return err == nil
	}, "node")
	w.drive(t, nil, node, filepath.Join("js", "client.mjs"))
}

// installed is the first of several programs that does. Without one the test is skipped, but not where everything has to be
// tested.
func installed(t *testing.T, what string, does func(program string) bool, programs ...string) string {
	t.Helper()
	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil && does(path) {
			return path
		}
	}
	missing(t, what)
	return ""
}

// missing skips a test for want of something, but not where everything has to be tested.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("SPOTTER_TEST_EVERYTHING") != "" {
		t.Fatalf("%s is missing; 'make setup' installs it", what)
	}
	t.Skipf("%s is missing; 'make setup' installs it", what)
}

// drive runs a client against the shared server. What is answered is held against the service model on the way.
func (w *world) drive(t *testing.T, environment []string, program string, arguments ...string) {
	t.Helper()
	ctx, cancel := patience.Usual().Context(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, program, arguments...)
	cmd.WaitDelay = time.Second
	cmd.Env = append(environment, // and no settings of whoever runs the tests
		"PATH="+os.Getenv("PATH"), "HOME="+w.folder, "LC_ALL=C.UTF-8", "AWS_CONFIG_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(w.server.data, "credentials"), "AWS_DEFAULT_REGION=us-east-1", "AWS_PAGER=",
		"ENDPOINT="+watched(t, w.server), "COLLECTION="+name(t), "BUCKET="+w.bucket)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", program, err, out)
	}
}

// watched is a proxy before a server that fails the test where an answer is not what the service model asks for. Clients
// sign the proxy's address, which it hands on, as documented for proxies.
func watched(t *testing.T, s *server) string {
	t.Helper()
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck,forcetypeassert // it is
	t.Cleanup(transport.CloseIdleConnections)
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
		ModifyResponse: func(r *http.Response) error {
			if err := checkAnswer(r); err != nil {
				t.Error(err)
			}
			return nil
		},
	})
	t.Cleanup(proxy.Close)
	return proxy.URL
}
