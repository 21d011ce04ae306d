package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// portrait is a part of a photo that shows one person.
type portrait struct {
	file  string // below the folder of people
	photo string
	// The part's left edge, top edge and side, in pixels of the photo.
	x, y, side int
}

// portraits are the people to look for. The names are made up. CLEO is in the video twice, the second time in
// another photo, and EVE is not in it.
func portraits() []portrait {
	return []portrait{
		{"ANNA/green.jpg", "sample6.jpg", 110, 390, 500},
		{"BEA/necklace.jpg", "sample6.jpg", 1400, 170, 500},
		{"CLEO/black.jpg", "sample3.jpg", 940, 80, 520},
		{"DORA/red.jpg", "sample5.jpg", 1290, 300, 520},
		{"EVE.jpg", "sample2.jpg", 1310, 60, 440},
	}
}

// makePeople cuts the portraits out, mirrored and scaled down, so that none is the picture that is in the video.
func makePeople(ctx context.Context, photos, folder string) error {
	for _, p := range portraits() {
		path := filepath.Join(folder, p.file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // the demo is for everybody to see
			return fmt.Errorf("make folder of people: %w", err)
		}
		filter := fmt.Sprintf("crop=%d:%d:%d:%d,hflip,scale=400:400:flags=area", p.side, p.side, p.x, p.y)
		if err := ffmpeg(ctx, "-i", filepath.Join(photos, p.photo), "-vf", filter, "-frames:v", "1", "-q:v", "3",
			path); err != nil {
			return fmt.Errorf("cut out %s: %w", path, err)
		}
	}
	return nil
}
