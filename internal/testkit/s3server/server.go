package s3server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec" //nolint:depguard // the server's own command administers it
	"path/filepath"
	"testing"

	"github.com/spotter-video/spotter/internal/testkit/program"
)

// command is the server's; tools/go.mod pins its version.
const command = "github.com/versity/versitygw/cmd/versitygw"

// Server is a running S3 server. It knows no virtual hosts: use path style.
type Server struct {
	// Endpoint is its URL on loopback.
	Endpoint string
	// Region, KeyID and Secret are what requests must be signed with; the key may do everything.
	Region, KeyID, Secret string
	// Folder holds a folder for each bucket, with a file for each object.
	Folder string

	path    string
	process *program.Process
}

// Start starts a server with empty storage that ends with the test. It skips the test if the program cannot be built,
// unless the environment variable SPOTTER_TEST_EVERYTHING is set.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s, err := Launch(tb.Context(), tb.TempDir())
	if err != nil {
		if errors.Is(err, program.ErrBuild) && os.Getenv("SPOTTER_TEST_EVERYTHING") == "" {
			tb.Skipf("no S3 server to test against: its source has to be fetched once: %v", err)
		}
		tb.Fatal(err)
	}
	tb.Cleanup(s.Stop)
	return s
}

// Launch starts a server that keeps what it stores below a folder and runs until Stop. It fails with program.ErrBuild if the
// program cannot be built.
func Launch(ctx context.Context, folder string) (*Server, error) {
	path, err := program.Build(ctx, command)
	if err != nil {
		return nil, err
	}
	address, err := program.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	s := &Server{
		Endpoint: "http://" + address, Region: "us-east-1", KeyID: "test-key", Secret: "test-secret",
		Folder: filepath.Join(folder, "buckets"), path: path,
	}
	versions, users := filepath.Join(folder, "versions"), filepath.Join(folder, "users")
	for _, f := range []string{s.Folder, versions, users} {
		if err = os.MkdirAll(f, 0o750); err != nil {
			return nil, fmt.Errorf("make a folder of the S3 server: %w", err)
		}
	}
	s.process, err = program.Program{Path: path, Ready: program.Listens(address), Arguments: []string{
		"--port", address, "--region", s.Region, "--access", s.KeyID, "--secret", s.Secret, "--quiet", "--iam-dir", users,
		"posix", "--versioning-dir", versions, s.Folder,
	}}.Start(ctx)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Stop ends the server.
func (s *Server) Stop() { s.process.Stop() }

// AddKey lets another access key in, which may make buckets of its own.
func (s *Server) AddKey(ctx context.Context, id, secret string) error {
	cmd := exec.CommandContext(ctx, s.path, "admin", "--access", s.KeyID, "--secret", s.Secret, "--region", s.Region, //nolint:gosec // G204: the server's program
		"--endpoint-url", s.Endpoint, "create-user", "--access", id, "--secret", secret, "--role", "userplus")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("add a key to the S3 server: %w: %s", err, out)
	}
	return nil
}
