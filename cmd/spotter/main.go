// Spotter finds known faces in stored video, on your own machine.
//
//	spotter search clip.mp4 --faces people/
package main

import (
	"context"
	"os"
	"time"

	"github.com/spotter-video/spotter/internal/cli"
	"github.com/spotter-video/spotter/internal/video"
)

func main() {
	// Spotter starts itself to put a foreign decoder into the sandbox.
	if len(os.Args) > 1 && os.Args[1] == video.StageCommand {
		os.Exit(video.StageMain(os.Args[2:])) //nolint:forbidigo // the one place that ends the process
	}
	os.Exit(int(cli.Main(context.Background(), cli.Process{ //nolint:forbidigo // as above
		Args: os.Args[1:], Stdout: os.Stdout, Stderr: os.Stderr, LookupEnv: os.LookupEnv,
		Now: time.Now, //nolint:forbidigo // the one clock, handed down
	})))
}
