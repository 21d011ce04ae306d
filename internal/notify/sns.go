package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"
)

// SNS publishes notices to a topic of Amazon SNS, or of a server that speaks its API.
//
// The SDK's proxy settings (HTTPS_PROXY and the like) hold; its endpoint settings (AWS_ENDPOINT_URL) do not, because where
// Spotter runs they are likely to name Spotter.
type SNS struct {
	// Name is explained with [Sink].
	Name string
	// Endpoint is the server's address; empty for AWS.
	Endpoint string
	// Region is the topic's by default, and TopicARN the topic that the request named.
	Region, TopicARN string
	// AccessKey, SecretKey and, where there is one, SessionToken sign the calls. Without them the SDK's default chain is
	// asked: environment, shared files, instance role.
	AccessKey               string
	SecretKey, SessionToken Secret
}

func (s SNS) label() string {
	host := hostOf(s.Endpoint)
	if host == "" {
		host = "aws"
	}
	return sinkName(s.Name, "sns", host, strings.Join([]string{withoutUser(s.Endpoint), s.Region, s.TopicARN}, " "))
}

func (s SNS) open(environment) (sender, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	p := &publisher{sns: s, transport: awshttp.NewBuildableClient().GetTransport()}
	if s.AccessKey != "" {
		p.credentials = credentials.NewStaticCredentialsProvider(s.AccessKey, string(s.SecretKey), string(s.SessionToken))
	}
	return p, nil
}

func (s SNS) check() error {
	if s.Endpoint != "" {
		if err := checkURL(s.Endpoint, "http", "https"); err != nil {
			return fmt.Errorf("endpoint: %w", err)
		}
		if u, err := url.Parse(s.Endpoint); err == nil && (u.User != nil || u.RawQuery != "") {
			return errors.New("endpoint: it has a user, a password or a query; SNS is signed with access keys")
		}
	}
	if s.TopicARN != "" && !topicARN.MatchString(s.TopicARN) {
		return fmt.Errorf("topic-arn: %q is not like arn:aws:sns:us-east-1:000000000000:jobs", s.TopicARN)
	}
	if (s.AccessKey == "") != (s.SecretKey == "") {
		return errors.New("access-key, secret-key: one of them is missing")
	}
	return nil
}

type publisher struct {
	sns       SNS
	transport *http.Transport

	mu          sync.Mutex
	credentials aws.CredentialsProvider // nil until the default chain has been asked
}

func (p *publisher) send(ctx context.Context, m *message) error {
	provider, err := p.provider(ctx)
	if err != nil {
		return err
	}
	in := p.input(m)
	region, err := p.region(*in.TopicArn)
	if err != nil {
		return err
	}
	o := sns.Options{
		Region: region, Credentials: provider, Retryer: aws.NopRetryer{}, // the outbox repeats
		HTTPClient: &http.Client{Transport: shortAnswers{p.transport}, CheckRedirect: noRedirect},
	}
	if p.sns.Endpoint != "" {
		o.BaseEndpoint = aws.String(p.sns.Endpoint)
	}
	if _, err := sns.New(o).Publish(ctx, in); err != nil {
		return snsFailure(err)
	}
	return nil
}

func (p *publisher) close() error {
	p.transport.CloseIdleConnections()
	return nil
}

func (p *publisher) input(m *message) *sns.PublishInput {
	topic := p.sns.TopicARN
	if topic == "" {
		topic = m.topic
	}
	in := &sns.PublishInput{TopicArn: aws.String(topic), Message: aws.String(string(m.body))}
	if strings.HasSuffix(topic, ".fifo") { // such topics ask for both; no two jobs need be in order
		in.MessageGroupId = aws.String(m.job)
		in.MessageDeduplicationId = aws.String(m.id)
	}
	return in
}

func (p *publisher) region(topic string) (string, error) {
	if p.sns.Region != "" {
		return p.sns.Region, nil
	}
	a, err := arn.Parse(topic)
	if err != nil || a.Region == "" {
		return "", &failure{refused: true, err: errors.New("the topic names no region: set one")}
	}
	return a.Region, nil
}

// provider asks the default chain when it is needed first: it reads files, and may ask the network.
func (p *publisher) provider(ctx context.Context) (aws.CredentialsProvider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.credentials != nil {
		return p.credentials, nil
	}
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("find AWS credentials: %w", err)
	}
	p.credentials = c.Credentials
	return p.credentials, nil
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// longestAnswer bounds what is shown of a server's own words, in bytes.
const longestAnswer = 300

// snsFailure tells errors that pass from answers that will be the same next time.
func snsFailure(err error) error {
	api := smithy.APIError(nil)
	if !errors.As(err, &api) {
		return fmt.Errorf("publish: %w", err)
	}
	words := api.ErrorMessage()
	if len(words) > longestAnswer {
		words = strings.ToValidUTF8(words[:longestAnswer], "") + "..."
	}
	return &failure{err: fmt.Errorf("publish: %s: %s", api.ErrorCode(), words), refused: isRefusal(err)}
}

func isRefusal(err error) bool {
	if (retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}).IsErrorThrottle(err) == aws.TrueTernary {
		return false
	}
	answer := (*awshttp.ResponseError)(nil)
	if !errors.As(err, &answer) {
		return false
	}
	code := answer.HTTPStatusCode()
	return code >= 300 && code < 500 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests
}
