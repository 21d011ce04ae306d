package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// clip is a video that the benchmark makes.
type clip struct {
	name, source string
	width        int // pixels; the source's own or enlarged
	bframes      int
}

// clips are a talk show of the enrolled people, which is much like what is searched in practice, and a street crowd of
// strangers with five faces in every frame. x264's defaults (medium, crf 23) with its three B-frames or with none.
func clips() []clip {
	return []clip{
		{"1080p-talk", "koffee", 1920, 3},
		{"1080p-talk-no-b", "koffee", 1920, 0},
		{"1080p-crowd", "opera-crowd", 1920, 3},
		{"720p-talk", "koffee", 1280, 3},
		{"720p-talk-no-b", "koffee", 1280, 0},
	}
}

const facesFor = "enrol/koffee"

// make encodes the clip into the folder, looped to the given number of seconds, unless it is there already.
func (c clip) make(ctx context.Context, o options) (string, error) {
	out := filepath.Join(o.work, fmt.Sprintf("%s-%ds.mp4", c.name, o.seconds))
	if _, err := os.Stat(out); err == nil {
		return out, nil
	}
	return out, ffmpeg(ctx, out, "-stream_loop", "-1", "-i", filepath.Join(o.evaluation, "clips", c.source+".mp4"),
		"-t", strconv.Itoa(o.seconds), "-an", "-vf", fmt.Sprintf("scale=%d:-2", c.width), "-c:v", "libx264", "-preset", "medium", "-crf", "23",
		"-bf", strconv.Itoa(c.bframes), "-pix_fmt", "yuv420p")
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
