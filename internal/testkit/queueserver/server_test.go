package queueserver_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/testkit/queueserver"
)

// sqs asks in the JSON protocol.
func sqs(t *testing.T, s *queueserver.Server, action, body string) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoint, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	return answer(t, r)
}

func answer(t *testing.T, r *http.Request) (int, map[string]any) {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var got map[string]any
	if response.Header.Get("Content-Type") == "application/x-amz-json-1.0" {
		if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
			t.Fatal(err)
		}
	}
	return response.StatusCode, got
}

// sns asks in the query protocol, which is SNS's only one.
func sns(t *testing.T, s *queueserver.Server, form url.Values) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if status, _ := answer(t, r); status != http.StatusOK {
		t.Fatalf("%s: status %d", form.Get("Action"), status)
	}
}

// The walk-through runs whichever boto3 is there; this is what those since 2023 say to SQS.
func TestMessagesInTheJSONProtocol(t *testing.T) {
	t.Parallel()
	s := queueserver.Start(t)
	const topic = "arn:aws:sns:" + queueserver.Region + ":" + queueserver.Account + ":jobs"
	_, made := sqs(t, s, "CreateQueue", `{"QueueName":"ends","Attributes":{"VisibilityTimeout":"5"}}`)
	queue, _ := made["QueueUrl"].(string)
	if !strings.HasSuffix(queue, "/"+queueserver.Account+"/ends") {
		t.Fatalf("made %v", made)
	}
	_, got := sqs(t, s, "GetQueueAttributes", `{"QueueUrl":"`+queue+`","AttributeNames":["QueueArn","VisibilityTimeout"]}`)
	attributes, _ := got["Attributes"].(map[string]any)
	arn, _ := attributes["QueueArn"].(string)
	if arn == "" || attributes["VisibilityTimeout"] != "5" {
		t.Fatalf("the queue is %v", got)
	}
	sns(t, s, url.Values{"Action": {"CreateTopic"}, "Name": {"jobs"}})
	sns(t, s, url.Values{"Action": {"Subscribe"}, "TopicArn": {topic}, "Protocol": {"sqs"}, "Endpoint": {arn}})
	sns(t, s, url.Values{"Action": {"Publish"}, "TopicArn": {topic}, "Message": {`{"JobId":"<&\"é"}`}})

	_, got = sqs(t, s, "ReceiveMessage", `{"QueueUrl":"`+queue+`","WaitTimeSeconds":5}`)
	messages, _ := got["Messages"].([]any)
	if len(messages) != 1 {
		t.Fatalf("received %v", got)
	}
	message, _ := messages[0].(map[string]any)
	body, _ := message["Body"].(string)
	var notice struct{ TopicArn, Message string }
	if err := json.Unmarshal([]byte(body), &notice); err != nil || notice.Message != `{"JobId":"<&\"é"}` || notice.TopicArn != topic {
		t.Errorf("the message is %s, %v", body, err)
	}
	receipt, _ := message["ReceiptHandle"].(string)
	if status, _ := sqs(t, s, "DeleteMessage", `{"QueueUrl":"`+queue+`","ReceiptHandle":"`+receipt+`"}`); status != http.StatusOK {
		t.Errorf("deleted with status %d", status)
	}
}

func TestFailuresInTheJSONProtocol(t *testing.T) {
	t.Parallel()
	s := queueserver.Start(t)
	for name, test := range map[string]struct{ action, body, want string }{
		"no such queue":  {"ReceiveMessage", `{"QueueUrl":"http://x/0/none"}`, "NonExistentQueue"},
		"no such action": {"Dance", `{}`, "InvalidAction"},
		"no JSON":        {"CreateQueue", `QueueName=ends`, "SerializationException"},
	} {
		status, got := sqs(t, s, test.action, test.body)
		if kind, _ := got["__type"].(string); status != http.StatusBadRequest || !strings.HasSuffix(kind, test.want) {
			t.Errorf("%s: status %d, %v", name, status, got)
		}
	}
}
