package awsapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whatever is asked for, the answer is one of the API's, and metrics get no word of the caller's.
func FuzzRequest(f *testing.F) {
	f.Add("RekognitionService.DescribeCollection", `{"CollectionId":"staff"}`, "127.0.0.1")
	f.Add("RekognitionService.StartFaceSearch", `{"CollectionId":"a","Video":{"S3Object":{"Bucket":"bbb","Name":"n"}}}`, "[::1]:1")
	f.Add("SpotterService.ListJobs", "null", "localhost")
	f.Add("RekognitionService.DetectText", "[", "")
	f.Fuzz(func(t *testing.T, target, body, host string) {
		b := newBench(t, func(c *Config) { c.Keys, c.Unsigned = nil, true })
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.Host = host
		r.Header.Set("X-Amz-Target", target)
		w := httptest.NewRecorder()
		b.door.ServeHTTP(w, r)
		var answer struct {
			Type string `json:"__type"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%s: %v", w.Body, err)
		}
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest || (w.Code == http.StatusOK) != (answer.Type == "") {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
		operation, _, _ := strings.Cut(b.observed[0], " ")
		if operation != "unknown" && "RekognitionService."+operation != target {
			t.Errorf("observed %q for %q", b.observed, target)
		}
	})
}
