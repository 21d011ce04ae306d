package s3server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec" //nolint:depguard // the server under test is a program of its own
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// startup is how long the server may take until it listens: it is there within 200 ms on an idle machine.
const startup = 30 * time.Second

// Server is a running S3 server. It knows no virtual hosts: use path style.
type Server struct {
	// Endpoint is its URL on loopback.
	Endpoint string
	// Region, KeyID and Secret are what requests must be signed with; the key may do everything.
	Region, KeyID, Secret string
	// Folder holds a folder for each bucket, with a file for each object.
	Folder string
}

// Start starts a server with empty storage that ends with the test. It skips the test if the program cannot be built,
// unless the environment variable CI is set.
func Start(tb testing.TB) *Server {
	tb.Helper()
	path, err := binary(tb.Context())
	if err != nil {
		if errors.Is(err, errBuild) && os.Getenv("CI") == "" {
			tb.Skipf("no S3 server to test against: its source has to be fetched once: %v", err)
		}
		tb.Fatal(err)
	}
	s := &Server{Region: "us-east-1", KeyID: "test-key", Secret: "test-secret", Folder: filepath.Join(tb.TempDir(), "buckets")}
	versions := filepath.Join(tb.TempDir(), "versions")
	for _, folder := range []string{s.Folder, versions} {
		if err = os.Mkdir(folder, 0o750); err != nil {
			tb.Fatal(err)
		}
	}
	address, err := freeAddress(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	s.Endpoint = "http://" + address
	run(tb, address, exec.CommandContext(tb.Context(), path, //nolint:gosec // G204: the program was built here
		"--port", address, "--region", s.Region, "--access", s.KeyID, "--secret", s.Secret, "--quiet",
		"posix", "--versioning-dir", versions, s.Folder))
	return s
}

// run starts the program, waits until it listens, and ends it with the test.
func run(tb testing.TB, address string, cmd *exec.Cmd) {
	tb.Helper()
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = startup
	if err := cmd.Start(); err != nil {
		tb.Fatalf("start the S3 server: %v", err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is ended by a signal
		close(exited)
	}()
	tb.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have exited
		<-exited
	})
	if err := await(tb.Context(), address, exited); err != nil {
		_ = cmd.Process.Kill() // it may have exited
		<-exited
		tb.Fatalf("start the S3 server: %v\n%s", err, log.String())
	}
}

// await returns when the address takes connections.
func await(ctx context.Context, address string, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, startup)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-exited:
			return errors.New("it has exited")
		case <-ctx.Done():
			return fmt.Errorf("it does not listen: %w", err)
		case <-poll.C:
		}
	}
}

// freeAddress is one that nobody listens on at the moment.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}
