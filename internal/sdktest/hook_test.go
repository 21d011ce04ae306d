package sdktest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/spotter-video/spotter/internal/testkit/patience"
)

// hookSecret signs the webhooks; it is the example of the specification.
const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// message is what a notification says, in the words of Rekognition's documentation.
type message struct {
	JobID     string `json:"JobId"`
	Status    string
	API       string
	JobTag    string
	Timestamp int64 // milliseconds
	Video     struct{ S3ObjectName, S3Bucket string }
}

// receiver takes webhooks.
type receiver struct {
	server *httptest.Server
	mu     sync.Mutex
	news   chan struct{} // closed and made anew with each message
	got    map[string][]message
	wrong  []error
}

func newReceiver() *receiver {
	r := &receiver{news: make(chan struct{}), got: map[string][]message{}}
	r.server = httptest.NewServer(r)
	return r
}

// ServeHTTP implements [http.Handler].
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	var m message
	if err == nil {
		err = json.Unmarshal(body, &m)
	}
	if err == nil {
		err = verified(request, body)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.wrong = append(r.wrong, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.got[m.JobID] = append(r.got[m.JobID], m)
	close(r.news)
	r.news = make(chan struct{})
	w.WriteHeader(http.StatusNoContent)
}

// verified checks the signature as a receiver would.
func verified(r *http.Request, body []byte) error {
	hook, err := standardwebhooks.NewWebhook(hookSecret)
	if err != nil {
		return err
	}
	return hook.Verify(body, r.Header)
}

// of waits for the messages about a job.
func (r *receiver) of(ctx context.Context, job string) ([]message, error) {
	ctx, cancel := patience.Usual().Context(ctx)
	defer cancel()
	for {
		r.mu.Lock()
		got, news, wrong := r.got[job], r.news, errors.Join(r.wrong...)
		r.mu.Unlock()
		if len(got) > 0 || wrong != nil {
			return got, wrong
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
