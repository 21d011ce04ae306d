package video

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/spotter-video/spotter/internal/video/sandbox"
)

// StageCommand is the first argument that makes a program a stage: a process that puts the sandbox for the ffmpeg
// command line in force and then becomes ffmpeg. spotter-decode knows it; so must every program that uses this package,
// for the case that spotter-decode is missing: the first thing that its main does is
//
//	if len(os.Args) > 1 && os.Args[1] == video.StageCommand {
//		os.Exit(video.StageMain(os.Args[2:]))
//	}
const StageCommand = "video-stage"

// stageFailed is a stage's exit status when there is no sandbox; env(1) and others use 125 in the same sense.
const stageFailed = 125

// stageOrder is what a stage is to do: JSON in its one argument. It comes from this program, not from a file.
type stageOrder struct {
	Strict  bool
	Limits  sandbox.Limits
	Program string
	Args    []string // without the program's name
	Read    []string // files that may be read beside libraries and fonts
	Write   []string // files that may be written
}

// StageMain is the stage: args are what follows StageCommand. It returns an exit status only if it fails.
func StageMain(args []string) int {
	if err := runStage(args); err != nil {
		_, _ = io.WriteString(os.Stderr, "stage: "+err.Error()+"\n")
	}
	return stageFailed
}

func runStage(args []string) error {
	if len(args) != 1 {
		return errors.New("want one argument")
	}
	var o stageOrder
	if err := json.Unmarshal([]byte(args[0]), &o); err != nil {
		return fmt.Errorf("read order: %w", err)
	}
	status := sandbox.Tool(o.Limits, o.Program, o.Read, o.Write)
	if o.Strict && !status.Full() {
		return status.Err()
	}
	argv := append([]string{o.Program}, o.Args...)
	err := syscall.Exec(o.Program, argv, os.Environ()) //nolint:gosec // G204: running it is the stage's purpose
	return fmt.Errorf("run %s: %w", o.Program, err)
}
