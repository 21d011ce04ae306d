package app

import (
	"reflect"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/audit"
	"github.com/spotter-video/spotter/internal/awsapi"
)

func noon() time.Time { return time.Date(2026, 11, 23, 13, 0, 0, 5e6, time.FixedZone("CET", 3600)) }

func TestAuditOfRequests(t *testing.T) {
	t.Parallel()
	got := auditEntry(awsapi.Entry{
		Time: noon(), RequestID: "r", Key: "k", Name: "n", Source: "a", Operation: "StartFaceSearch", Collection: "c", User: "u",
		Job: "j", Objects: []string{"s3://b/v"}, Code: "OK",
	})
	want := audit.Entry{
		Time: noon(), Request: "r", Key: "k", Name: "n", Address: "a", Operation: "StartFaceSearch", Outcome: "OK",
		Resources: []string{"collection/c", "user/u", "job/j", "s3://b/v"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := auditEntry(awsapi.Entry{}); got.Resources != nil {
		t.Errorf("resources %q of nothing", got.Resources)
	}
}
