package crashtest

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/cli"
	"github.com/spotter-video/spotter/internal/video"
)

// programVariable makes this test binary the program: what is tested is what was compiled, also under the race detector.
const programVariable = "SPOTTER_CRASHTEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(programVariable) != "" {
		os.Exit(serve())
	}
	var err error
	if scratch, err = os.MkdirTemp("", "spotter-crash-film-"); err != nil {
		panic(err)
	}
	status := m.Run()
	if err := os.RemoveAll(scratch); err != nil {
		panic(err)
	}
	os.Exit(status)
}

// serve is what cmd/spotter does, after the world has been made as bad as a test wants it.
func serve() int {
	if err := spoil(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if len(os.Args) > 1 && os.Args[1] == video.StageCommand {
		return video.StageMain(os.Args[2:])
	}
	return int(cli.Main(context.Background(), cli.Process{
		Args: os.Args[1:], Stdout: os.Stdout, Stderr: os.Stderr, LookupEnv: os.LookupEnv, Now: time.Now,
	}))
}
