package crashtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// refusal is an error that the server has answered with.
type refusal struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
}

func (r *refusal) Error() string { return r.Type + ": " + r.Message }

// request is one of an operation, such as RekognitionService.CreateCollection.
func (s *server) request(operation string, body io.Reader) (*http.Request, error) {
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", operation)
	return r, nil
}

// ask sends a request and gives the answer's bytes. Its errors are those of the connection, and *refusal.
func (s *server) ask(operation string, input any) (json.RawMessage, error) {
	body, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	r, err := s.request(operation, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Close = true
	ctx, cancel := s.patient()
	defer cancel()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r.WithContext(ctx)) //nolint:bodyclose // read closes it
	if err != nil {
		return nil, err
	}
	return read(answer)
}

func read(answer *http.Response) (json.RawMessage, error) {
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		failure := &refusal{}
		if err := json.Unmarshal(text, failure); err != nil {
			return nil, fmt.Errorf("status %d: %q", answer.StatusCode, text)
		}
		return nil, failure
	}
	return text, nil
}

// must is ask where nothing may go wrong.
func (s *server) must(operation string, input, output any) {
	s.t.Helper()
	text, err := s.ask(operation, input)
	if err == nil && output != nil {
		err = json.Unmarshal(text, output)
	}
	if err != nil {
		s.t.Fatalf("%s: %v", operation, err)
	}
}

type fields map[string]any

// enrol makes the collection and puts everybody into it.
func (s *server) enrol() {
	s.t.Helper()
	s.must("RekognitionService.CreateCollection", fields{"CollectionId": collection}, nil)
	for name, photo := range shared(s.t).photos {
		s.index(name, photo)
	}
}

func (s *server) index(name string, photo []byte) {
	s.t.Helper()
	var out struct{ FaceRecords []json.RawMessage }
	s.must("RekognitionService.IndexFaces", indexFaces(name, photo), &out)
	if len(out.FaceRecords) != 1 {
		s.t.Fatalf("%d faces of %s were enrolled", len(out.FaceRecords), name)
	}
}

func indexFaces(name string, photo []byte) fields {
	return fields{"CollectionId": collection, "ExternalImageId": name, "Image": fields{"Bytes": photo}}
}

// search is the request to search the film, the same for everybody but for the token.
func search(token string) fields {
	return fields{
		"CollectionId": collection, "ClientRequestToken": token, "JobTag": "tag",
		"Video":               fields{"S3Object": fields{"Bucket": bucketName, "Name": filmName}},
		"NotificationChannel": fields{"SNSTopicArn": topic, "RoleArn": "arn:aws:iam::000000000000:role/spotter"},
	}
}

func (s *server) startSearch(token string) (job string, err error) {
	text, err := s.ask("RekognitionService.StartFaceSearch", search(token))
	if err != nil {
		return "", err
	}
	var out struct{ JobId string } //nolint:revive // AWS's spelling
	return out.JobId, json.Unmarshal(text, &out)
}

func (s *server) mustSearch(token string) string {
	s.t.Helper()
	job, err := s.startSearch(token)
	if err != nil {
		s.t.Fatal(err)
	}
	return job
}

// status is a job's, with the message that goes with it.
func (s *server) status(job string) (status, message string) {
	s.t.Helper()
	var out struct{ JobStatus, StatusMessage string }
	s.must("RekognitionService.GetFaceSearch", fields{"JobId": job, "MaxResults": 1}, &out)
	return out.JobStatus, out.StatusMessage
}

// succeeded waits for the end of a job.
func (s *server) succeeded(job string) {
	s.t.Helper()
	var status, message string
	if !s.eventually(func() bool {
		status, message = s.status(job)
		return status != "IN_PROGRESS"
	}) || status != "SUCCEEDED" {
		s.t.Fatalf("job %s is %s: %s", job, status, message)
	}
}

// results are all pages of a job's results in both orders, as the server wrote them but for what differs from job to job:
// the id, which must be the one asked for, and the tokens.
func (s *server) results(job string) string {
	s.t.Helper()
	var all strings.Builder
	for _, order := range []string{"TIMESTAMP", "INDEX"} {
		for token := ""; ; {
			text, err := s.ask("RekognitionService.GetFaceSearch", page(job, order, token))
			if err != nil {
				s.t.Fatal(err)
			}
			var canonical string
			canonical, token = canonicalPage(s.t, text, job)
			fmt.Fprintln(&all, order, canonical)
			if token == "" {
				break
			}
		}
	}
	return all.String()
}

func page(job, order, token string) fields {
	in := fields{"JobId": job, "SortBy": order, "MaxResults": 100}
	if token != "" {
		in["NextToken"] = token
	}
	return in
}

// canonicalPage takes out what differs from job to job. The members stay as they were written, in the order of their names.
func canonicalPage(t *testing.T, text []byte, job string) (canonical, token string) {
	t.Helper()
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	if id := string(members["JobId"]); id != `"`+job+`"` {
		t.Fatalf("the results of job %s are those of %s", job, id)
	}
	delete(members, "JobId")
	if next := members["NextToken"]; next != nil {
		if err := json.Unmarshal(next, &token); err != nil {
			t.Fatal(err)
		}
		members["NextToken"] = json.RawMessage(`"more"`)
	}
	out, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(out), token
}

// jobs counts the jobs that the server knows.
func (s *server) jobs() int {
	s.t.Helper()
	var out struct {
		Jobs      []json.RawMessage
		NextToken string
	}
	s.must("SpotterService.ListJobs", fields{"MaxResults": 1000}, &out)
	if out.NextToken != "" {
		s.t.Fatal("there are more jobs than fit on a page")
	}
	return len(out.Jobs)
}

// soon is a random part of a time, seldom a little more than all of it.
func soon(part float64, of time.Duration) time.Duration {
	return time.Duration(1.2 * part * float64(of))
}
