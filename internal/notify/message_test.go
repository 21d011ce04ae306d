package notify

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/service"
)

func TestMessageIsRekognitions(t *testing.T) {
	t.Parallel()
	n := service.Notice{
		ID: "x", Job: "270c", Operation: service.FaceSearch, State: service.Succeeded, Tag: "Detecting",
		Video: service.Object{Bucket: "bucket", Key: `a<b>&"c".mp4`, Version: "3"}, Ended: time.UnixMilli(1510865364756),
	}
	check := func(name, want string) {
		t.Helper()
		got, err := Message(&n)
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, want)
		}
	}
	check("with a tag", `{"JobId":"270c","Status":"SUCCEEDED","API":"StartFaceSearch","JobTag":"Detecting",`+
		`"Timestamp":1510865364756,"Video":{"S3ObjectName":"a<b>&\"c\".mp4","S3Bucket":"bucket"}}`)
	n.Tag, n.State, n.Operation, n.Video.Key = "", service.Failed, service.FaceDetection, "v.mp4"
	check("without", `{"JobId":"270c","Status":"FAILED","API":"StartFaceDetection",`+
		`"Timestamp":1510865364756,"Video":{"S3ObjectName":"v.mp4","S3Bucket":"bucket"}}`)
}

func TestMessageOfWhatHasNotEnded(t *testing.T) {
	t.Parallel()
	for name, n := range map[string]service.Notice{
		"in progress":     {Operation: service.FaceSearch, State: service.InProgress},
		"no state":        {Operation: service.FaceSearch},
		"other operation": {Operation: "singing", State: service.Succeeded},
	} {
		if got, err := Message(&n); err == nil {
			t.Errorf("%s: %s, want an error", name, got)
		}
	}
}

func TestMessageIsOneLineOfJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := service.Notice{
			Operation: service.FaceSearch, State: service.Failed, Tag: rapid.String().Draw(t, "tag"),
			Job: service.JobID(rapid.String().Draw(t, "job")), Video: service.Object{Key: rapid.String().Draw(t, "key")},
		}
		b, err := Message(&n)
		if err != nil || strings.ContainsAny(string(b), "\n\r") || !utf8.Valid(b) {
			t.Fatalf("%q, %v", b, err)
		}
		var back wireMessage
		if err := json.Unmarshal(b, &back); err != nil || back.JobTag != n.Tag || back.Video.S3ObjectName != n.Video.Key {
			t.Fatalf("%q reads as %+v, %v", b, back, err)
		}
	})
}
