package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Format is the shape of a webhook's body.
type Format string

// The formats: the message as it is, which is also meant where nothing is said, or wrapped as SNS does for its HTTP
// subscribers.
const (
	Standard Format = "standard"
	SNSShape Format = "sns"
)

// Webhook posts notices to an HTTP server, signed as the package's comment says.
type Webhook struct {
	// Name is explained with [Sink].
	Name string
	// URL is http or https; a user and password in it are sent as Basic authentication.
	URL string
	// Secrets sign, each for itself: one, or for the time of a change the old and the new. Each is "whsec_" and the base64
	// of 24 to 64 random bytes.
	Secrets []Secret
	Format  Format
	// CA is a file of PEM certificates that the server's must be signed by; empty for the system's.
	CA string
}

const (
	// snsNotification is the type of SNS messages that are not about subscriptions.
	snsNotification = "Notification"
	// snsAgent is what SNS calls itself; receivers have been seen to look for it.
	snsAgent = "Amazon Simple Notification Service Agent"
	// answerLimit is how much of an answer is read, in bytes, for the sake of the connection; it is not looked at.
	answerLimit = 64 << 10
)

func (w Webhook) label() string {
	return sinkName(w.Name, "webhook", hostOf(w.URL), withoutUser(w.URL))
}

func (w Webhook) open(env environment) (sender, error) {
	if w.Format != "" && w.Format != Standard && w.Format != SNSShape {
		return nil, fmt.Errorf("format: %q is unknown; use %q or %q", w.Format, Standard, SNSShape)
	}
	err := checkURL(w.URL, "http", "https")
	if err != nil {
		return nil, err
	}
	s := &webhook{url: w.URL, now: env.now, wrapped: w.Format == SNSShape}
	if s.signers, err = newSigners(w.Secrets); err != nil {
		return nil, err
	}
	if s.client, err = webhookClient(env.client, w.CA); err != nil {
		return nil, err
	}
	return s, nil
}

type webhook struct {
	url     string
	signers signers
	client  *http.Client
	now     func() time.Time
	wrapped bool // as SNS does
}

func (w *webhook) send(ctx context.Context, m *message) error {
	req, err := w.request(ctx, m)
	if err != nil {
		return err
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return fmt.Errorf("post to %s: %w", req.URL.Host, bare(err))
	}
	defer func() { _ = resp.Body.Close() }() // the status has said everything
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, answerLimit))
	return judge(req.URL.Host, resp, w.now())
}

func (w *webhook) close() error {
	w.client.CloseIdleConnections()
	return nil
}

func (w *webhook) request(ctx context.Context, m *message) (*http.Request, error) {
	body, err := w.body(m)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", bare(err))
	}
	now := w.now()
	signature, err := w.signers.sign(m.id, now, body)
	if err != nil {
		return nil, err
	}
	// The headers of Standard Webhooks are written in lower case there; HTTP does not tell the difference.
	req.Header.Set(standardwebhooks.HeaderWebhookID, m.id)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	w.describe(req.Header, m)
	return req, nil
}

func (w *webhook) body(m *message) ([]byte, error) {
	if w.wrapped {
		return m.envelope()
	}
	return m.body, nil
}

func (w *webhook) describe(h http.Header, m *message) {
	if !w.wrapped {
		h.Set("Content-Type", "application/json")
		h.Set("User-Agent", "Spotter")
		return
	}
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h.Set("User-Agent", snsAgent)
	h.Set("X-Amz-Sns-Message-Type", snsNotification)
	h.Set("X-Amz-Sns-Message-Id", m.id)
	h.Set("X-Amz-Sns-Topic-Arn", m.topic)
}

// judge says what an answer means.
func judge(host string, resp *http.Response, now time.Time) error {
	code := resp.StatusCode
	if code >= 200 && code < 300 {
		return nil
	}
	f := &failure{pause: retryAfter(resp.Header.Get("Retry-After"), now)}
	switch {
	case code >= 500, code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests:
		f.err = fmt.Errorf("%s answered with status %d", host, code)
	case code >= 300 && code < 400:
		f.refused = true
		f.err = fmt.Errorf("%s answered with status %d: redirects are not followed, use the final address", host, code)
	default:
		f.refused = true
		f.err = fmt.Errorf("%s refused the notice with status %d", host, code)
	}
	return f
}

// longestPause is what Retry-After can say at most here; [Retry] bounds it further.
const longestPause = 24 * time.Hour

// retryAfter reads the header of that name, a number of seconds or a date; 0 for what cannot be read.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, longestPause)
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return max(0, min(at.Sub(now), longestPause))
}

// bare takes the address out of an error of net/http: its path and query may be secret.
func bare(err error) error {
	if e := (*url.Error)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}
