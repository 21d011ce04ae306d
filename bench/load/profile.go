package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/spotter-video/spotter/internal/cli"
	"github.com/spotter-video/spotter/internal/video"
)

// profileVariable tells a copy of this program to be a server, and where its profile goes.
const profileVariable = "SPOTTER_LOAD_PROFILE"

// program is what to start as the server: the one under test, or a copy of this one that writes a profile.
func (o *options) program(name string) (path string, env []string, err error) {
	if o.profile == "" {
		return o.spotter, nil, nil
	}
	if path, err = os.Executable(); err != nil {
		return "", nil, err
	}
	decoder, err := filepath.Abs(filepath.Join(filepath.Dir(o.spotter), "spotter-decode"))
	if err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(o.profile, 0o750); err != nil { //nolint:gosec // the one that the flag names
		return "", nil, err
	}
	return path, []string{
		profileVariable + "=" + filepath.Join(o.profile, name+".pprof"), "SPOTTER_DECODER=" + decoder,
	}, nil
}

// serveProfiled is the server where this process is meant to be one.
func serveProfiled(ctx context.Context) (code int, served bool) {
	path := os.Getenv(profileVariable)
	if path == "" {
		return 0, false
	}
	if len(os.Args) > 1 && os.Args[1] == video.StageCommand {
		return video.StageMain(os.Args[2:]), true
	}
	file, err := os.Create(path) //nolint:gosec // the one that the flag names
	if err == nil {
		err = pprof.StartCPUProfile(file)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		return 1, true
	}
	code = int(cli.Main(ctx, cli.Process{
		Args: os.Args[1:], Stdout: os.Stdout, Stderr: os.Stderr, LookupEnv: os.LookupEnv, Now: time.Now,
	}))
	pprof.StopCPUProfile()
	if err := file.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		return 1, true
	}
	return code, true
}
