package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// view is what the camera sees: the middle of the picture in ratios of the photo's 16:9 part, and how far it is zoomed in.
type view struct{ x, y, zoom float64 }

// shot is a slow move of the camera over one photo.
type shot struct {
	photo    string
	top      int // where the 16:9 part of the photo begins, in its pixels
	seconds  int
	from, to view
}

func shots() []shot {
	return []shot{
		{"sample6.jpg", 120, 5, view{.35, .45, 1.4}, view{.65, .42, 1.4}},
		{"sample3.jpg", 60, 4, view{.5, .5, 1}, view{.62, .35, 1.6}},
		{"sample5.jpg", 20, 5, view{.55, .3, 1.5}, view{.45, .6, 1.2}},
		{"sample1.jpg", 60, 6, view{.7, .35, 1.6}, view{.5, .4, 1.1}},
		{"sample6.jpg", 120, 4, view{.75, .35, 2}, view{.75, .38, 1.7}},
	}
}

// frameRate is the video's, in frames per second.
const frameRate = 25

// makeVideo films the photos: 1280 x 720 pixels, H.264, hard cuts between the shots.
func makeVideo(ctx context.Context, photos, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // the demo is for everybody to see
		return fmt.Errorf("make demo folder: %w", err)
	}
	var arguments, filters []string
	var labels strings.Builder
	for i, s := range shots() {
		arguments = append(arguments, "-i", filepath.Join(photos, s.photo))
		label := fmt.Sprintf("[s%d]", i)
		filters = append(filters, fmt.Sprintf("[%d:v]%s%s", i, s.filter(), label))
		labels.WriteString(label)
	}
	filters = append(filters, fmt.Sprintf("%sconcat=n=%d:v=1[film]", labels.String(), len(shots())))
	arguments = append(arguments, "-filter_complex", strings.Join(filters, ";"), "-map", "[film]",
		"-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p", "-movflags", "+faststart", path)
	if err := ffmpeg(ctx, arguments...); err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	return nil
}

// filter is the shot as a chain of ffmpeg's filters. The photo is enlarged first because zoompan moves in whole pixels,
// which would shake.
func (s shot) filter() string {
	frames := s.seconds * frameRate
	move := func(from, to float64) string { return fmt.Sprintf("(%g+(%g)*on/%d)", from, to-from, frames-1) }
	return fmt.Sprintf("crop=1920:1080:0:%d,scale=3840:2160,"+
		"zoompan=z='%s':x='iw*%s-iw/zoom/2':y='ih*%s-ih/zoom/2':d=%d:s=1280x720:fps=%d,setsar=1,format=yuv420p",
		s.top, move(s.from.zoom, s.to.zoom), move(s.from.x, s.to.x), move(s.from.y, s.to.y), frames, frameRate)
}
