package pgserver

import (
	"bytes"
	"os"
	"os/exec" //nolint:depguard // the tests' own program
	"testing"

	"github.com/spotter-video/spotter/internal/testkit/program"
)

// chosen is the variable by which a test program learns that its databases are to be PostgreSQL's.
const chosen = "SPOTTER_TEST_ON_POSTGRESQL"

// Chosen says whether the tests of this program are to use PostgreSQL's databases.
func Chosen() bool { return os.Getenv(chosen) != "" }

// Again runs all tests of this program once more, in a process in which [Chosen] is true.
func Again(t *testing.T) {
	t.Helper()
	switch {
	case Chosen():
		t.Skip("they are running")
	case testing.CoverMode() != "":
		t.Skip("the test program writes its coverage once")
	}
	needed(t) // or else all of them would be skipped there, without a word
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.timeout=0") //nolint:gosec // G204: the test itself
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), chosen+"=yes", everything+"=yes"), &out, &out
	ended, err := program.Start(cmd) // which ends with this one, however that ends
	if err != nil {
		t.Fatal(err)
	}
	if <-ended; !cmd.ProcessState.Success() {
		t.Errorf("%v\n%s", cmd.ProcessState, &out)
	}
}
