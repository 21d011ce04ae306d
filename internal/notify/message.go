package notify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

// message is one notice as it is sent.
type message struct {
	id    string
	topic string
	job   string
	body  []byte // what Message made
	ended time.Time
}

// wireMessage is the Message of Rekognition's completion notification, its members in AWS's order.
type wireMessage struct {
	JobID     string `json:"JobId"`
	Status    string
	API       string
	JobTag    string `json:",omitempty"`
	Timestamp int64  // milliseconds since 1970
	Video     wireVideo
	// StatusMessage, beyond AWS, says what of the video was not searched.
	StatusMessage string `json:",omitempty"`
}

type wireVideo struct {
	S3ObjectName string
	S3Bucket     string
}

// Message is the JSON that tells of a job's end, as Rekognition publishes it. It is an error if the job has not ended.
func Message(n *service.Notice) ([]byte, error) {
	status, err := statusOf(n.State)
	if err != nil {
		return nil, fmt.Errorf("describe the end of job %s: %w", n.Job, err)
	}
	api, err := apiOf(n.Operation)
	if err != nil {
		return nil, fmt.Errorf("describe the end of job %s: %w", n.Job, err)
	}
	m := wireMessage{
		JobID: string(n.Job), Status: status, API: api, JobTag: n.Tag, Timestamp: n.Ended.UnixMilli(),
		Video: wireVideo{S3ObjectName: n.Video.Key, S3Bucket: n.Video.Bucket},
	}
	if n.State == service.Succeeded {
		m.StatusMessage = n.Message
	}
	return encode(m)
}

func newMessage(n *service.Notice) (*message, error) {
	body, err := Message(n)
	if err != nil {
		return nil, err
	}
	return &message{id: n.ID, topic: n.Topic, job: string(n.Job), body: body, ended: n.Ended}, nil
}

func statusOf(s service.JobState) (string, error) {
	switch s {
	case service.Succeeded:
		return "SUCCEEDED", nil
	case service.Failed:
		return "FAILED", nil
	case service.InProgress:
		return "", errors.New("it has not ended")
	default:
		return "", fmt.Errorf("unknown state %q", s)
	}
}

func apiOf(o service.Operation) (string, error) {
	switch o {
	case service.FaceSearch:
		return "StartFaceSearch", nil
	case service.FaceDetection:
		return "StartFaceDetection", nil
	case service.PersonTracking:
		return "StartPersonTracking", nil
	default:
		return "", fmt.Errorf("unknown operation %q", o)
	}
}

// envelope is the notification that SNS posts to an HTTP subscriber, without what only AWS can sign.
type envelope struct {
	Type      string
	MessageID string `json:"MessageId"`
	TopicARN  string `json:"TopicArn"`
	Message   string
	Timestamp string
}

// envelope wraps the message. Its time is the job's end and not the attempt's, so that repetitions are equal.
func (m *message) envelope() ([]byte, error) {
	return encode(envelope{
		Type: snsNotification, MessageID: m.id, TopicARN: m.topic, Message: string(m.body),
		Timestamp: m.ended.UTC().Format("2006-01-02T15:04:05.000Z"),
	})
}

// encode is json.Marshal that leaves <, > and & as they are: object keys hold them, and nobody puts this into HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode notification: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
