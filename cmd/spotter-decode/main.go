// Command spotter-decode is the decoder that Spotter runs as a child process, once per stretch of video: it puts itself
// into a sandbox, and only then reads the first byte of the file. It is not meant to be started by hand, except:
//
//	spotter-decode version    the libav it was built with
//	spotter-decode selftest   tries what the sandbox must forbid, and says what happened
//
// It is the only program of Spotter that links libav (libavformat, libavcodec, libavutil, libswscale). Built with the tag
// nolibav, or without cgo, it says what is missing; its sandbox for the ffmpeg command line works all the same.
package main

import (
	"fmt"
	"os"

	"github.com/spotter-video/spotter/internal/video"
)

func main() {
	os.Exit(run(os.Args[1:])) //nolint:forbidigo // this is main
}

func run(args []string) int {
	task := ""
	if len(args) > 0 {
		task = args[0]
	}
	switch task {
	case video.ServeCommand:
		return serve()
	case video.StageCommand:
		return video.StageMain(args[1:])
	case video.SelfTestCommand:
		return selftest()
	case "version":
		fmt.Println(versions())
		return 0
	default:
		fmt.Fprintln(os.Stderr, "spotter-decode is started by spotter. By hand it knows: version, selftest")
		return 2
	}
}
