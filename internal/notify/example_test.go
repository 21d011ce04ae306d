package notify_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/spotter-video/spotter/internal/notify"
	"github.com/spotter-video/spotter/internal/service"
)

// A receiver verifies the signature before it believes the body, and answers soon. It keeps the ids it has seen, because a
// notice may come twice.
func ExampleWebhook() {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		panic(err)
	}
	done := make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, failed := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if failed != nil || verifier.Verify(body, r.Header) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Printf("%s: %s\n", r.Header.Get("webhook-id"), body)
		close(done)
	}))
	defer receiver.Close()

	n, err := notify.New(notify.Config{
		Now: time.Now,
		Topics: map[string]notify.Topic{
			"arn:aws:sns:*:AmazonRekognition*": {notify.Webhook{URL: receiver.URL, Secrets: []notify.Secret{secret}}},
		},
	})
	if err != nil {
		panic(err)
	}
	n.Start(context.Background(), &single{notice: &service.Notice{
		Serial: 1, ID: "8f6c1f0a-6a32-4c7c-9a58-0d2f8b1f4a77", Topic: "arn:aws:sns:us-east-1:000000000000:AmazonRekognitionJobs",
		Job: "270c1cc5", Operation: service.FaceSearch, State: service.Succeeded, Ended: time.UnixMilli(1510865364756),
		Video: service.Object{Bucket: "films", Key: "video.mp4"},
	}})
	<-done
	if err := n.Stop(context.Background()); err != nil {
		panic(err)
	}
	// Output:
	// 8f6c1f0a-6a32-4c7c-9a58-0d2f8b1f4a77: {"JobId":"270c1cc5","Status":"SUCCEEDED","API":"StartFaceSearch","Timestamp":1510865364756,"Video":{"S3ObjectName":"video.mp4","S3Bucket":"films"}}
}

// single is an outbox with one notice, read and written by one goroutine at a time as the notice is in hand meanwhile.
type single struct{ notice *service.Notice }

func (s *single) DueNotices(context.Context, time.Time, int) ([]service.Notice, error) {
	return []service.Notice{*s.notice}, nil
}

func (s *single) ClaimNotice(context.Context, *service.Notice) (bool, error) { return true, nil }

func (s *single) ReleaseNotices(context.Context) error { return nil }

func (s *single) NoticeTried(context.Context, *service.Notice, bool) error { return nil }
