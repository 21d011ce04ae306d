package app

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/metrics"
	"github.com/spotter-video/spotter/internal/service"
)

// stubborn is a service that goes on with a request after its caller has been cut off.
type stubborn struct {
	awsapi.Service
	entered, release chan struct{}
}

func (s *stubborn) Collections(ctx context.Context, _ service.PageRequest) ([]service.Collection, string, error) {
	close(s.entered)
	<-s.release
	return nil, "", ctx.Err()
}

// Galleries and database are closed when stop has returned: not under a request that has outlived the time for stopping.
func TestStopWaitsForRequestsThatWereCutOff(t *testing.T) {
	t.Parallel()
	settings := config.DefaultServer()
	settings.Data, settings.StopTimeout = config.Path(t.TempDir()), config.Period(time.Millisecond)
	s := &server{config: settings, engineConfig: config.Default(), request: ServeRequest{Now: noon}, log: slog.New(slog.DiscardHandler)}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	for _, step := range []func(context.Context) error{s.openData, s.openNotices} {
		if err := step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.health = newHealth(healthConfig{Now: noon, Log: s.log})
	s.metrics = metrics.New(metrics.Config{Now: noon, Log: s.log})
	s.openSparingLogs()
	held := &stubborn{entered: make(chan struct{}), release: make(chan struct{})}
	sessions, err := awsapi.NewSessions(s.keys.SessionKey(), noon)
	if err != nil {
		t.Fatal(err)
	}
	if s.door, err = awsapi.New(awsapi.Config{
		Service: held, Sessions: sessions, Region: "us-east-1", Account: "000000000000", Now: noon, Log: s.log, Unsigned: true,
	}); err != nil {
		t.Fatal(err)
	}
	if err = s.queue.Start(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := s.httpServer(settings.Listen, s.handler())
	go func() { _ = h.Serve(l) }()
	cut := make(chan error, 1)
	go func() { cut <- list(t.Context(), l.Addr().String()) }()
	<-held.entered
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop([]*http.Server{h}) }()
	if err := <-cut; err == nil {
		t.Error("the request was not cut off")
	}
	select {
	case err := <-stopped:
		close(held.release)
		t.Fatal("the server has stopped while a request was still being worked on: ", err)
	case <-time.After(300 * time.Millisecond): // a server that does not wait would have stopped by now
	}
	close(held.release)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// list asks a server for its collections.
func list(ctx context.Context, address string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address, strings.NewReader("{}"))
	if err != nil {
		return err
	}
	r.Header.Set("X-Amz-Target", "RekognitionService.ListCollections")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	return a.Body.Close()
}
