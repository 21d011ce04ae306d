package video

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// shortCommand makes this program decode a file with few descriptors: see shortOfFiles.
const shortCommand = "short-of-files"

// TestShortOfFiles decodes with so few descriptors that it fails, and with one more, until it succeeds: whatever it is that
// cannot be opened, it is never the file's fault, and no other decoder is tried.
func TestShortOfFiles(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	path := media(t, "a.mp4", "@pattern -c:v libx264 -t 1")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), self, shortCommand, d.helper, path).CombinedOutput()
	t.Logf("%s", out)
	lines := strings.Split(strings.TrimSpace(string(bytes.TrimSpace(out))), "\n")
	if err != nil || len(lines) < 5 || lines[len(lines)-1] != "decoded" {
		t.Fatalf("%v: want failures, and then success", err)
	}
	for _, line := range lines[:len(lines)-1] {
		if line != Exhausted.String() {
			t.Errorf("%q, want %q", line, Exhausted)
		}
	}
}

// shortOfFiles tells the kind of failure for each number of descriptors, one a line.
func shortOfFiles(helper, path string) int {
	cfg := DefaultConfig()
	cfg.Helper = helper
	d, err := New(cfg)
	if err == nil {
		err = decodeOnce(d, path) // for what a program opens once and keeps
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	f, err := os.Open(path)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for most := uint64(3); most < 100; most++ { // what is open stays open
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: most, Max: 1000}); err != nil {
			fmt.Println(err)
			return 1
		}
		err := decodeFile(d, f)
		if err == nil {
			fmt.Println("decoded")
			return 0
		}
		if KindOf(err) == 0 {
			fmt.Println(err)
			continue
		}
		fmt.Println(KindOf(err))
	}
	return 1
}

func decodeOnce(d *Decoder, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(decodeFile(d, f), f.Close())
}

func decodeFile(d *Decoder, f *os.File) error {
	p, err := d.Plan(context.Background(), f)
	if err != nil {
		return err
	}
	if p.Track.Tool {
		return errors.New("another decoder was tried")
	}
	s, err := d.Open(context.Background(), f, p, p.Segments[0], StreamOptions{SampleRate: 5})
	if err != nil {
		return err
	}
	for err == nil {
		_, err = s.Next(context.Background())
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, s.Close())
}
