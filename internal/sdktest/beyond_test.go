package sdktest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// call asks for an operation that no SDK has, signed with AWS's signer.
func (s *server) call(t *testing.T, target, body string) *answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	sum := sha256.Sum256([]byte(body))
	credentials := ok(s.credentials(t.Context()))(t)
	if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(sum[:]), "rekognition", "us-east-1",
		time.Now()); err != nil {
		t.Fatal(err)
	}
	return ok(send(checking(t), r))(t)
}

// cancel ends a job, so that it does not keep the server busy.
func (s *server) cancel(t *testing.T, job *string) {
	t.Helper()
	if a := s.call(t, "SpotterService.CancelJob", `{"JobId":"`+*job+`"}`); a.status != http.StatusOK {
		t.Errorf("cancel: %s", a.body)
	}
}

// wantError wants an answer to be a certain exception.
func wantError(t *testing.T, a *answer, code, message string) {
	t.Helper()
	var e struct {
		Type    string `json:"__type"`
		Message string // or message: names are read in any case
	}
	if err := json.Unmarshal(a.body, &e); err != nil || a.status != http.StatusBadRequest || e.Type != code ||
		!strings.Contains(e.Message, message) {
		t.Errorf("got  %d %s\nwant %s: %s", a.status, a.body, code, message)
	}
}

func TestCancelAndDeleteJob(t *testing.T) {
	t.Parallel()
	w := here(t)
	c := w.server.client(t)
	job := startSearch(t, c, rekognition.StartFaceSearchInput{CollectionId: collection(t, c), Video: film("long.mp4")})
	body := `{"JobId":"` + *job + `"}`
	wantError(t, w.server.call(t, "SpotterService.DeleteJob", body), "InvalidParameterException", "cancel it first")
	w.server.cancel(t, job)
	if out := searched(t, c, job); out.JobStatus != types.VideoJobStatusFailed || *out.StatusMessage != "The job was cancelled." {
		t.Errorf("the job is %s: %s", out.JobStatus, *out.StatusMessage)
	}
	wantError(t, w.server.call(t, "SpotterService.CancelJob", body), "InvalidParameterException", "has ended already")
	if a := w.server.call(t, "SpotterService.DeleteJob", body); a.status != http.StatusOK {
		t.Errorf("delete: %s", a.body)
	}
	_, err := c.GetFaceSearch(t.Context(), &rekognition.GetFaceSearchInput{JobId: job})
	refused[*types.ResourceNotFoundException](t, err, "Could not find JobId")
	wantError(t, w.server.call(t, "SpotterService.DeleteJob", body), "ResourceNotFoundException", "")
	wantError(t, w.server.call(t, "SpotterService.Unheard", body), "UnknownOperationException", "")
	wantError(t, w.server.call(t, "SpotterService.CancelJob", `{}`), "ValidationException", "")
}

func TestListJobs(t *testing.T) {
	t.Parallel()
	w := here(t)
	c := w.server.client(t)
	id := collection(t, c)
	var mine []string
	for _, key := range []string{"text.mp4", "empty.mp4", "clip.mp4"} {
		job := startSearch(t, c, rekognition.StartFaceSearchInput{CollectionId: id, Video: film(key), JobTag: new(key)})
		searched(t, c, job)
		mine = append([]string{*job}, mine...)
	}
	type listed struct {
		Jobs      []map[string]any
		NextToken string
	}
	var found []string
	for token := ""; ; {
		a := w.server.call(t, "SpotterService.ListJobs", `{"MaxResults":2,"NextToken":"`+token+`"}`)
		var page listed
		if err := json.Unmarshal(a.body, &page); err != nil || a.status != http.StatusOK || len(page.Jobs) > 2 {
			t.Fatalf("list: %s", a.body)
		}
		for _, j := range page.Jobs {
			if j["CollectionId"] == *id {
				found = append(found, j["JobId"].(string)) //nolint:errcheck,forcetypeassert // checked against the shape
				wantListed(t, j)
			}
		}
		if token = page.NextToken; token == "" {
			break
		}
	}
	if !slices.Equal(found, mine) {
		t.Errorf("listed %v, want %v", found, mine)
	}
	wantError(t, w.server.call(t, "SpotterService.ListJobs", `{"Status":"DONE"}`), "ValidationException", "")
}

// wantListed wants a listed job to be told with what is known of it.
func wantListed(t *testing.T, j map[string]any) {
	t.Helper()
	succeeded := j["JobTag"] == "clip.mp4"
	if j["API"] != "StartFaceSearch" || (j["Status"] == "SUCCEEDED") != succeeded || (j["StatusMessage"] == nil) != succeeded ||
		(j["SightingCount"] != nil) != succeeded || j["CreationTimestamp"] == nil || j["CompletionTimestamp"] == nil {
		t.Errorf("a job is listed as %v", j)
	}
}
