package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
)

// server is a running spotter serve.
type server struct {
	data    string
	url     string
	cmd     *exec.Cmd
	log     *os.File
	ended   chan error
	ready   time.Duration // from the start of the process to being ready
	clients *http.Client
	api     *rekognition.Client
}

const (
	// patience is what starting may take: 20 million faces are read within it.
	patience = 10 * time.Minute
	// readyEvery is how often a starting server is asked.
	readyEvery = 20 * time.Millisecond
)

// start runs a server on a data folder and waits until it is ready.
func start(ctx context.Context, o *options, name, data string, extra ...string) (_ *server, err error) {
	s := &server{data: data, ended: make(chan error, 1)}
	program, env, err := o.program(name)
	if err != nil {
		return nil, err
	}
	args := append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0", "--models", o.models, "--log-level", "warn", "--keep-analyses", "0"}, extra...)
	s.cmd = exec.Command(program, args...) //nolint:gosec,noctx // the program under test; stop ends it in good order
	s.cmd.Env = append(os.Environ(), env...)
	if s.log, err = os.Create(data + "." + name + ".log"); err != nil { //nolint:gosec // our own
		return nil, err
	}
	s.cmd.Stderr = s.log
	said, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err = s.cmd.Start(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	first, _ := bufio.NewReader(said).ReadString('\n')
	go func() {
		_, _ = io.Copy(io.Discard, said)
		s.ended <- s.cmd.Wait()
	}()
	if s.url = first[strings.LastIndex(first, " ")+1:]; !strings.HasPrefix(s.url, "http") {
		return nil, fmt.Errorf("the server did not start:\n%s", s.logged())
	}
	s.url = strings.TrimSpace(s.url)
	if err := s.awaitReady(ctx); err != nil {
		return nil, err
	}
	s.ready = time.Since(began)
	return s, s.connect(ctx, o.clients)
}

func (s *server) logged() string {
	text, _ := os.ReadFile(s.log.Name()) //nolint:gosec // our own
	return string(text)
}

func (s *server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if status, _, err := get(ctx, s.url+"/readyz"); err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case err := <-s.ended:
			s.ended <- err
			return fmt.Errorf("the server ended: %w\n%s", err, s.logged())
		case <-ctx.Done():
			return fmt.Errorf("the server is not ready: %w\n%s", ctx.Err(), s.logged())
		case <-time.After(readyEvery):
		}
	}
}

// connect makes the SDK's client, which gives up at the first error: every answer is to be seen.
func (s *server) connect(ctx context.Context, clients int) error {
	profile, err := config.LoadSharedConfigProfile(ctx, "default", func(l *config.LoadSharedConfigOptions) {
		l.CredentialsFiles = []string{filepath.Join(s.data, "credentials")}
		l.ConfigFiles = []string{}
	})
	if err != nil {
		return fmt.Errorf("read the access key: %w", err)
	}
	key := profile.Credentials
	s.clients = &http.Client{Transport: patient{&http.Transport{MaxIdleConns: 2 * clients, MaxIdleConnsPerHost: 2 * clients}}}
	s.api = rekognition.New(rekognition.Options{
		Region: "us-east-1", BaseEndpoint: &s.url, HTTPClient: s.clients, Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return key, nil }),
	})
	return nil
}

// patient keeps a connection alive that the SDK would break once in ten thousand times. It closes a request's body as soon as
// the answer begins, when net/http may still be looking whether the body has more to read; of its bodies (smithy-go 1.28.8),
// WriteTo then fails with EOF, which net/http takes for a failed request. Read does it right. The SDK's own repetitions, which
// are switched off here, hide this from others.
type patient struct{ *http.Transport }

func (p patient) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r = r.Clone(r.Context())
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return p.Transport.RoundTrip(r)
}

// stopTimeout is more than the server takes to hand its work back.
const stopTimeout = time.Minute

// stop ends the server in good order.
func (s *server) stop() error {
	if s.clients != nil {
		s.clients.CloseIdleConnections()
	}
	defer s.log.Close() //nolint:errcheck // it is the server's
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case err := <-s.ended:
		if err != nil {
			return fmt.Errorf("the server ended: %w\n%s", err, s.logged())
		}
		return nil
	case <-time.After(stopTimeout):
		return errors.Join(errors.New("the server does not stop"), s.cmd.Process.Kill())
	}
}

// metrics are the values of the server's metrics: each with its labels, and added up over them under the bare name.
func (s *server) metrics(ctx context.Context) (map[string]float64, error) {
	_, page, err := get(ctx, s.url+"/metrics")
	if err != nil {
		return nil, err
	}
	return parseMetrics(page), nil
}

func parseMetrics(page string) map[string]float64 {
	values := map[string]float64{}
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		end := strings.LastIndexByte(line, ' ')
		if end < 0 || line[0] == '#' {
			continue
		}
		v, err := strconv.ParseFloat(line[end+1:], 64)
		if err != nil {
			continue
		}
		series := line[:end]
		values[series] = v
		if name, _, labelled := strings.Cut(series, "{"); labelled {
			values[name] += v
		}
	}
	return values
}

func get(ctx context.Context, url string) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil) //nolint:gosec // of the server under test
	if err != nil {
		return 0, "", err
	}
	res, err := http.DefaultClient.Do(req) //nolint:gosec // likewise
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}
