package media

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Folder is where the photos are, below the root of the repository.
const Folder = "node_modules/@vladmandic/face-api/demo"

// Portrait is a part of a photo that shows one person.
type Portrait struct {
	// File is where it is written, below the folder of people: the person's name comes first.
	File string
	// Photo is the name of the photo that it is cut out of.
	Photo string
	// X, Y and Side are the part's left edge, top edge and side, in pixels of the photo.
	X, Y, Side int
}

// Portraits are the people to look for.
func Portraits() []Portrait {
	return []Portrait{
		{"ANNA/green.jpg", "sample6.jpg", 110, 390, 500},
		{"BEA/necklace.jpg", "sample6.jpg", 1400, 170, 500},
		{"CLEO/black.jpg", "sample3.jpg", 940, 80, 520},
		{"DORA/red.jpg", "sample5.jpg", 1290, 300, 520},
		{"EVE.jpg", "sample2.jpg", 1310, 60, 440},
	}
}

// MakePeople cuts the portraits out of the photos in a folder, mirrored and scaled down, so that none is the picture that
// is in a video.
func MakePeople(ctx context.Context, photos, folder string) error {
	for _, p := range Portraits() {
		path := filepath.Join(folder, p.File)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // the pictures are for everybody to see
			return fmt.Errorf("make folder of people: %w", err)
		}
		filter := fmt.Sprintf("crop=%d:%d:%d:%d,hflip,scale=400:400:flags=area", p.Side, p.Side, p.X, p.Y)
		if err := FFmpeg(ctx, "-i", filepath.Join(photos, p.Photo), "-vf", filter, "-frames:v", "1", "-q:v", "3",
			path); err != nil {
			return fmt.Errorf("cut out %s: %w", path, err)
		}
	}
	return nil
}
