package queueserver

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/spotter-video/spotter/internal/testkit/program"
)

// The region and the account that ARNs name.
const (
	Region  = "us-east-1"
	Account = "000000000000"
)

// Server is a running server of topics and queues.
type Server struct {
	// Endpoint is its URL on loopback, the same for both services.
	Endpoint string

	process *program.Process
}

// Start starts a server without topics and queues that ends with the test. It skips the test if the program cannot be
// built, unless the environment variable SPOTTER_TEST_EVERYTHING is set.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s, err := Launch(tb.Context())
	if err != nil {
		if errors.Is(err, program.ErrBuild) && os.Getenv("SPOTTER_TEST_EVERYTHING") == "" {
			tb.Skipf("no SNS and SQS to test against: the server's source has to be fetched once: %v", err)
		}
		tb.Fatal(err)
	}
	tb.Cleanup(s.Stop)
	return s
}

// Launch starts a server that runs until Stop. It fails with program.ErrBuild if the program cannot be built.
func Launch(ctx context.Context) (*Server, error) {
	path, err := program.Build(ctx, "./goaws")
	if err != nil {
		return nil, err
	}
	address, err := program.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	process, err := program.Program{
		Path: path, Arguments: []string{address, Region, Account}, Ready: program.Listens(address),
	}.Start(ctx)
	if err != nil {
		return nil, err
	}
	return &Server{Endpoint: "http://" + address, process: process}, nil
}

// Stop ends the server.
func (s *Server) Stop() { s.process.Stop() }
