package sdktest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"

	"github.com/spotter-video/spotter/internal/awsapi"
)

// client is a client of the shared server for one test.
func client(t *testing.T) *rekognition.Client {
	t.Helper()
	return here(t).server.client(t)
}

// client is the SDK's client as its users make it: with the server's URL and its credentials file. It tries only once, and
// holds what it is answered against the service model.
func (s *server) client(t *testing.T, change ...func(*rekognition.Options)) *rekognition.Client {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-east-1"), config.WithBaseEndpoint(s.url),
		config.WithSharedCredentialsFiles([]string{filepath.Join(s.data, "credentials")}), config.WithSharedConfigFiles(nil),
		config.WithRetryMaxAttempts(1), config.WithHTTPClient(checking(t)))
	if err != nil {
		t.Fatal(err)
	}
	return rekognition.NewFromConfig(cfg, change...)
}

// credentials are those of the server's administrator.
func (s *server) credentials(ctx context.Context) (aws.Credentials, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion("us-east-1"),
		config.WithSharedCredentialsFiles([]string{filepath.Join(s.data, "credentials")}), config.WithSharedConfigFiles(nil))
	if err != nil {
		return aws.Credentials{}, err
	}
	return cfg.Credentials.Retrieve(ctx)
}

// checking is an HTTP client that fails the test where an answer is not what the service model and the protocol ask for.
func checking(t *testing.T) *http.Client {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck,forcetypeassert // it is
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: &checked{t, transport}}
}

type checked struct {
	t    *testing.T
	next http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (c *checked) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if err := checkAnswer(response); err != nil {
		c.t.Error(err)
	}
	return response, nil
}

// checkAnswer says what is wrong with an answer, which can be read as before.
func checkAnswer(r *http.Response) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	_ = r.Body.Close()
	r.Body = io.NopCloser(bytes.NewReader(body))
	operation := strings.TrimPrefix(r.Request.Header.Get("X-Amz-Target"), "RekognitionService.")
	if r.StatusCode == http.StatusOK {
		driven.Store(operation, true)
	}
	if err := wrongWith(operation, r, body); err != nil {
		return fmt.Errorf("%s is answered with %d %s: %w", operation, r.StatusCode, body, err)
	}
	return nil
}

// driven are the operations that have been answered with something else than an error, by their names.
var driven answered

type answered struct{ sync.Map }

// missing says which operation has not been.
func (a *answered) missing() (err error) {
	names := []string{"SpotterService.CancelJob", "SpotterService.DeleteJob", "SpotterService.ListJobs"}
	for _, op := range operations() {
		names = append(names, op.name)
	}
	for _, name := range names {
		if _, there := a.Load(name); !there {
			err = errors.Join(err, fmt.Errorf("no test has had %s done", name))
		}
	}
	return err
}

// wrongWith says what is wrong with an answer.
func wrongWith(operation string, response *http.Response, body []byte) error {
	h := response.Header
	switch {
	case h.Get("Content-Type") != "application/x-amz-json-1.1":
		return fmt.Errorf("content type %q", h.Get("Content-Type"))
	case len(h.Get("X-Amzn-Requestid")) != 36:
		return fmt.Errorf("request id %q", h.Get("X-Amzn-Requestid"))
	case h.Get("Content-Length") != strconv.Itoa(len(body)):
		return fmt.Errorf("content length %q", h.Get("Content-Length"))
	case h.Get("Content-Encoding") != "" || h.Get("X-Amzn-Errortype") != "":
		return fmt.Errorf("headers %v", h)
	}
	if date, err := http.ParseTime(h.Get("Date")); err != nil || time.Since(date).Abs() > time.Minute {
		return fmt.Errorf("date %q", h.Get("Date"))
	}
	if response.StatusCode == http.StatusOK {
		return awsapi.CheckOutput(operation, body)
	}
	return wrongWithError(body)
}

// wrongWithError says what is wrong with the body of an error, which is of one of two forms.
func wrongWithError(body []byte) error {
	var members map[string]string
	if err := json.Unmarshal(body, &members); err != nil {
		return err
	}
	name := members["__type"]
	modelled := len(members) == 4 && members["Code"] == name && members["Message"] != "" && members["Logref"] != ""
	frontEnd := len(members) == 2 && members["message"] != ""
	if name == "" || !modelled && !frontEnd {
		return fmt.Errorf("members %v", members)
	}
	return nil
}
