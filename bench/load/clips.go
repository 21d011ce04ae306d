package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	bucket = "clips"
	// clipSeconds is how long each clip plays: short, so that many jobs begin and end while they are watched.
	clipSeconds = 4
)

// clipNames are the clips of the bucket, each a slow move over the photo of its number.
func clipNames() []string { return []string{"1.mp4", "3.mp4", "5.mp4", "6.mp4"} }

// makeClips films the photos: 1280 x 720 pixels, 25 frames a second, H.264.
func makeClips(ctx context.Context, photos, folder string) error {
	if err := os.MkdirAll(folder, 0o750); err != nil { //nolint:gosec // below the one that the flag names
		return err
	}
	const frames = clipSeconds * 25
	for _, name := range clipNames() {
		filter := fmt.Sprintf("crop=1920:1080,scale=2560:1440,zoompan=z='1.2+0.4*on/%d':x='iw/4*on/%d':y='ih/8':d=%d:s=1280x720:fps=25,"+
			"setsar=1,format=yuv420p", frames, frames, frames)
		cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-nostdin", "-y", //nolint:gosec // our own words
			"-i", filepath.Join(photos, "sample"+name[:1]+".jpg"), "-vf", filter, "-c:v", "libx264", "-preset", "veryfast",
			"-crf", "20", "-movflags", "+faststart", filepath.Join(folder, name))
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("make clip %s: %w\n%s", name, err, out)
		}
	}
	return nil
}
