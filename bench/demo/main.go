// Demo shows Spotter at work on a fresh checkout: it makes a short video from group photos, cuts a few of the people
// out as photos to look for, searches the video and writes demo/result.html.
//
//	go run ./bench/demo        # or: make demo
//
// The photos come with the npm package @vladmandic/face-api (MIT); the names are made up. Photos to look for are never
// the picture that is in the video: they are mirrored and scaled, or taken from another photo of the same person.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"

	"github.com/spotter-video/spotter/internal/testkit/media"
)

// options are where things are.
type options struct {
	photos  string
	out     string
	spotter string
}

func main() {
	o := options{}
	flag.StringVar(&o.photos, "photos", media.Folder, "folder with sample1.jpg to sample6.jpg")
	flag.StringVar(&o.out, "out", "demo", "folder to write to")
	flag.StringVar(&o.spotter, "spotter", "bin/spotter", "the program to show")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := demo(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func demo(ctx context.Context, o options) error {
	people, video := filepath.Join(o.out, "people"), filepath.Join(o.out, "party.mp4")
	page, seen := filepath.Join(o.out, "result.html"), filepath.Join(o.out, "annotated.mp4")
	if err := os.RemoveAll(people); err != nil {
		return fmt.Errorf("clear %s: %w", people, err)
	}
	fmt.Println("Making a video from group photos ...")
	if err := media.Party().Write(ctx, o.photos, video); err != nil {
		return err
	}
	if err := media.MakePeople(ctx, o.photos, people); err != nil {
		return err
	}
	arguments := []string{"search", video, "--faces", people, "--html", page, "--annotate", seen}
	fmt.Printf("\n$ %s", o.spotter)
	for _, a := range arguments {
		fmt.Print(" ", a)
	}
	fmt.Print("\n\n")
	cmd := exec.CommandContext(ctx, o.spotter, arguments...) //nolint:gosec // our own program
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("search %s: %w", video, err)
	}
	fmt.Printf("\nThe people looked for: %s\nThe page to look at:   %s\nThe video with names:  %s\n",
		people, address(page), address(seen))
	return nil
}

// address is a file as most terminals make a link of it.
func address(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return "file://" + abs
	}
	return path
}
