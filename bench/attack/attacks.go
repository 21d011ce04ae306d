package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// attack is one way to be a nuisance. A stranger does it once, with a connection; a crowd of them does it again and again.
type attack struct {
	name, about string
	stranger    func(ctx context.Context, s *strangers) error
}

func attacks() []attack {
	return []attack{
		{"invented-keys", "small requests that are signed with keys nobody has", inventedKey},
		{"wrong-secret", "bodies of 14 MB, signed with the good key's id and another secret", wrongSecret},
		{"silent", "connections that say nothing", silent},
		{"slow", "requests that come a byte at a time", slow},
		{"forms", "web identities that nobody vouches for", form},
		{"garbage", "bytes that are no HTTP", garbage},
		{"chunked", "chunked requests that also say how long they are", chunked},
		{"headers", "headers of a megabyte", headers},
	}
}

// strangers are all who attack.
type strangers struct {
	target *target
	sent   atomic.Int64
}

// crowd has so many strangers do something until the context ends. What becomes of them does not matter.
func (s *strangers) crowd(ctx context.Context, n int, do func(context.Context, *strangers) error) {
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for ctx.Err() == nil {
				s.sent.Add(1)
				if err := do(ctx, s); err != nil {
					pause(ctx, 10*time.Millisecond) // this machine must not be busy with connecting alone
				}
			}
		})
	}
	all.Wait()
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func inventedKey(ctx context.Context, s *strangers) error {
	return s.post(ctx, aws.Credentials{AccessKeyID: "AKIA" + strings.ToUpper(rand.Text()[:16]), SecretAccessKey: "x"}, []byte("{}"))
}

func wrongSecret(ctx context.Context, s *strangers) error {
	return s.post(ctx, aws.Credentials{AccessKeyID: s.target.key.AccessKeyID, SecretAccessKey: "x"}, make([]byte, 14<<20))
}

// post sends a signed request as the SDKs for Go, Python and the command line do, without the body's hash among the headers.
func (s *strangers) post(ctx context.Context, who aws.Credentials, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.target.url+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "RekognitionService.ListCollections")
	err = v4.NewSigner().SignHTTP(ctx, who, r, strings.Repeat("0", 64), "rekognition", "us-east-1", time.Now())
	if err != nil {
		return err
	}
	return sent(http.DefaultClient.Do(r))
}

func form(ctx context.Context, s *strangers) error {
	const form = "Version=2011-06-15&Action=AssumeRoleWithWebIdentity&RoleSessionName=xx&WebIdentityToken=a.b.c&" +
		"RoleArn=arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2Fnone"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.target.url+"/", strings.NewReader(form))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return sent(http.DefaultClient.Do(r))
}

// sent reads an answer to its end, so that its connection is used again.
func sent(answer *http.Response, err error) error {
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return errors.Join(err, answer.Body.Close())
}

// say opens a connection, sends some text, and waits for the other side to end it.
func (s *strangers) say(ctx context.Context, text io.Reader) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(s.target.url, "http://"))
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	defer c.Close() //nolint:errcheck // a stranger's
	if _, err = io.Copy(c, text); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, bufio.NewReader(c))
	return err
}

func silent(ctx context.Context, s *strangers) error { return s.say(ctx, strings.NewReader("")) }

func garbage(ctx context.Context, s *strangers) error {
	return s.say(ctx, io.LimitReader(rand.Reader, 4096))
}

const head = "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: RekognitionService.ListCollections\r\n"

func chunked(ctx context.Context, s *strangers) error {
	return s.say(ctx, strings.NewReader(head+"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"))
}

func headers(ctx context.Context, s *strangers) error {
	return s.say(ctx, strings.NewReader(head+"X-Much: "+strings.Repeat("a", 1<<20)+"\r\n\r\n"))
}

// slow sends a request that would be good but for its signature, over a minute.
func slow(ctx context.Context, s *strangers) error {
	return s.say(ctx, &trickle{ctx, strings.NewReader(head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", 100, strings.Repeat(" ", 100)))})
}

// trickle is text that comes a byte every now and then.
type trickle struct {
	ctx  context.Context //nolint:containedctx // it is read by a copy that knows none
	text io.Reader
}

// Read waits and gives a byte.
func (t *trickle) Read(b []byte) (int, error) {
	pause(t.ctx, 250*time.Millisecond)
	if err := t.ctx.Err(); err != nil {
		return 0, err
	}
	return t.text.Read(b[:1])
}
