package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// clip is a video that the benchmark makes.
type clip struct {
	name, source string
	filter       string   // ffmpeg's
	encode       []string // beside x264's defaults: medium, crf 23, three B-frames
}

// Enlarging takes away the grain that every camera adds and every decoder pays for; noise of a few levels puts it back.
const enlarged, grain = "scale=1920:-2", "noise=alls=8:allf=t"

// clips are a talk show of the enrolled people, which is much like what is searched in practice, and a street crowd of
// strangers with five faces in every frame; with and without B-frames, at 1080p as a camera or a phone records it and
// without grain, which is as cheap to decode as video gets.
func clips() []clip {
	noB := []string{"-bf", "0"}
	return []clip{
		{"1080p", "koffee", enlarged + "," + grain, nil},
		{"1080p-no-b", "koffee", enlarged + "," + grain, append([]string{"-b:v", "16M"}, noB...)},
		{"1080p-soft", "koffee", enlarged, nil},
		{"1080p-crowd", "opera-crowd", "null", nil},
		{"720p", "koffee", "null", nil},
		{"720p-no-b", "koffee", "null", noB},
		{"480p", "koffee", "scale=854:-2", nil},
		{"360p", "koffee", "scale=640:-2", nil},
	}
}

// longFrom is the clip that the memory measurement repeats.
const longFrom = 4

const facesFor = "enrol/koffee"

// make encodes the clip into the folder, looped to the given number of seconds, unless it is there already.
func (c clip) make(ctx context.Context, o options) (string, error) {
	out := filepath.Join(o.work, fmt.Sprintf("%s-%ds.mp4", c.name, o.seconds))
	if _, err := os.Stat(out); err == nil {
		return out, nil
	}
	args := []string{
		"-stream_loop", "-1", "-i", filepath.Join(o.evaluation, "clips", c.source+".mp4"),
		"-t", strconv.Itoa(o.seconds), "-an", "-vf", c.filter, "-c:v", "libx264", "-preset", "medium",
	}
	if !slices.Contains(c.encode, "-b:v") {
		args = append(args, "-crf", "23")
	}
	return out, ffmpeg(ctx, out, append(append(args, c.encode...), "-pix_fmt", "yuv420p")...)
}

// repeat makes a long video of a short one without encoding it anew.
func repeat(ctx context.Context, o options, from string, minutes int) (string, error) {
	out := filepath.Join(o.work, fmt.Sprintf("long-%dmin.mp4", minutes))
	if _, err := os.Stat(out); err == nil {
		return out, nil
	}
	return out, ffmpeg(ctx, out, "-stream_loop", "-1", "-i", from, "-t", strconv.Itoa(60*minutes), "-c", "copy")
}

func ffmpeg(ctx context.Context, out string, args ...string) error {
	part := out + ".part.mp4"
	args = append(append([]string{"-v", "error", "-nostdin", "-y"}, args...), part)
	raw, err := exec.CommandContext(ctx, "ffmpeg", args...).CombinedOutput() //nolint:gosec // our own arguments
	if err != nil {
		return fmt.Errorf("make %s: %w\n%s", out, err, raw)
	}
	return os.Rename(part, out)
}
