package sdktest_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// TestNotifications wants the ends of jobs to be told to a webhook and a file, in the words of Rekognition's documentation.
func TestNotifications(t *testing.T) {
	t.Parallel()
	w := here(t)
	c := w.server.client(t)
	channel := &types.NotificationChannel{SNSTopicArn: new(knownTopic), RoleArn: new(someRole)}
	search := startSearch(t, c, rekognition.StartFaceSearchInput{
		CollectionId: collection(t, c), Video: film("clip.mp4"), JobTag: new("tag"), NotificationChannel: channel,
	})
	detection := ok(c.StartFaceDetection(t.Context(), &rekognition.StartFaceDetectionInput{
		Video: film("text.mp4"), NotificationChannel: channel,
	}))(t)
	w.wantTold(t, message{JobID: *search, Status: "SUCCEEDED", API: "StartFaceSearch", JobTag: "tag"}, "clip.mp4")
	w.wantTold(t, message{JobID: *detection.JobId, Status: "FAILED", API: "StartFaceDetection"}, "text.mp4")
}

// wantTold wants a message to come to the webhook and to be written to the file, once.
func (w *world) wantTold(t *testing.T, want message, key string) {
	t.Helper()
	want.Video.S3Bucket, want.Video.S3ObjectName = archive, key
	hooked, err := w.hook.of(t.Context(), want.JobID)
	if err != nil {
		t.Fatal(err)
	}
	var written []message
	await(t, func() bool {
		written = w.written(t, want.JobID)
		return len(written) > 0
	})
	for sink, got := range map[string][]message{"webhook": hooked, "file": written} {
		if len(got) != 1 {
			t.Errorf("the %s was told %d times", sink, len(got))
			continue
		}
		if age := time.Since(time.UnixMilli(got[0].Timestamp)); age < -time.Second || age > time.Hour {
			t.Errorf("the %s was told the time %d", sink, got[0].Timestamp)
		}
		want.Timestamp = got[0].Timestamp
		if got[0] != want {
			t.Errorf("the %s was told %+v, want %+v", sink, got[0], want)
		}
	}
}

// written are the messages about a job in the file.
func (w *world) written(t *testing.T, job string) (list []message) {
	t.Helper()
	f, err := os.Open(w.told)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line struct {
			ID, Topic string
			Message   message
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return list // the last line is being written
		}
		if line.Message.JobID == job {
			if list = append(list, line.Message); line.Topic != knownTopic || line.ID == "" {
				t.Errorf("written as %s", lines.Bytes())
			}
		}
	}
	return list
}
