package sdktest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/testkit/patience"
	"github.com/spotter-video/spotter/internal/testkit/program"
)

// made says whether there is a world.
var made atomic.Bool

// settings are a configuration file.
type settings map[string]any

// server is a running program.
type server struct {
	world *world
	// url is where its API is, data its folder.
	url, data string
	arguments []string
	process   *exec.Cmd
	log       *buffer
	ended     <-chan struct{} // closed when it has ended
	printed   chan struct{}   // closed when all that it prints has been read
}

// buffer is a log that can be written and read at the same time.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// start starts a server with these settings, and a data folder of that name.
func (w *world) start(ctx context.Context, name string, with settings) (*server, error) {
	all := settings{
		"listen": "127.0.0.1:0", "models": filepath.Join(w.root, "models", "default"), "stop-timeout": "2s",
		"data": filepath.Join(w.folder, name), "buckets": map[string]any{archive: map[string]any{"folder": w.bucket}},
	}
	maps.Copy(all, with)
	file, err := json.Marshal(all) // which YAML is, too
	if err != nil {
		return nil, err
	}
	path := filepath.Join(w.folder, name+".yml")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		return nil, err
	}
	s := &server{world: w, data: filepath.Join(w.folder, name), arguments: []string{"serve", "--config", path}}
	return s, s.launch(ctx)
}

// launch starts the program, and waits until it takes requests.
func (s *server) launch(ctx context.Context) error {
	s.log = new(buffer)
	s.process = exec.Command(s.world.spotter, s.arguments...) // which outlives the test that starts it
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	s.process.Stdout, s.process.Stderr, s.process.SysProcAttr = in, s.log, program.Attributes()
	s.ended, err = program.Start(s.process)
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	s.printed = make(chan struct{})
	welcome := make(chan string, 1)
	go func() {
		defer close(s.printed)
		lines := bufio.NewReader(out)
		first, _ := lines.ReadString('\n') // the process may die instead
		welcome <- first
		_, _ = io.Copy(io.Discard, lines)
		_ = out.Close()
	}()
	ctx, cancel := patience.Usual().Context(ctx, s.process.Process.Pid)
	defer cancel()
	select {
	case line := <-welcome:
		s.url = regexp.MustCompile(`https?://\S+`).FindString(line)
	case <-ctx.Done():
	}
	if err := s.ready(ctx); err != nil {
		return fmt.Errorf("start the server: %w\n%s", errors.Join(err, s.stop()), s.log)
	}
	return nil
}

// ready waits until the server says that it is.
func (s *server) ready(ctx context.Context) error {
	if s.url == "" {
		return errors.New("it does not say where it listens")
	}
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		if response, err := s.look(ctx, "/readyz"); err == nil && response.status == http.StatusOK {
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return errors.New("it does not get ready")
		}
	}
}

// stop asks the server to stop, and waits until it has. One that has stopped is left alone.
func (s *server) stop() error {
	if s.process == nil {
		return nil
	}
	process := s.process
	s.process = nil
	ctx, cancel := patience.Usual().Context(context.Background(), process.Process.Pid)
	defer cancel()
	_ = process.Process.Signal(syscall.SIGTERM) // it may have exited
	select {
	case <-s.ended:
	case <-ctx.Done():
		_ = process.Process.Kill()
	}
	<-s.ended
	<-s.printed
	if state := process.ProcessState; !state.Success() {
		return fmt.Errorf("stop the server: %v\n%s", state, s.log)
	}
	return nil
}

// own starts a server for one test.
func (w *world) own(t *testing.T, name string, with settings) *server {
	t.Helper()
	s, err := w.start(t.Context(), name, with)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func get(ctx context.Context, url string) (*answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return send(http.DefaultClient, r)
}

func send(c *http.Client, r *http.Request) (*answer, error) {
	response, err := c.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	return &answer{response.StatusCode, response.Header, body}, errors.Join(err, response.Body.Close())
}
