package media

import (
	"context"
	"fmt"
	"os"
	"os/exec" //nolint:depguard // ffmpeg makes the pictures, which are trusted
	"path/filepath"
	"strings"
)

// View is what the camera sees: the middle of the picture in ratios of the photo's 16:9 part, and how far it is zoomed in.
type View struct{ X, Y, Zoom float64 }

// Shot is a slow move of the camera over one photo.
type Shot struct {
	Photo string
	// Top is where the 16:9 part of the photo begins, in its pixels.
	Top      int
	Seconds  int
	From, To View
}

// Film is a video of shots with hard cuts between them: H.264 in MP4.
type Film struct {
	Width, Height int // pixels
	FrameRate     int // frames a second
	Shots         []Shot
}

// Party is the demo's film of 24 seconds. CLEO is in it twice, the second time in another photo, and EVE is not in it.
func Party() Film {
	return Film{Width: 1280, Height: 720, FrameRate: 25, Shots: []Shot{
		{"sample6.jpg", 120, 5, View{.35, .45, 1.4}, View{.65, .42, 1.4}},
		{"sample3.jpg", 60, 4, View{.5, .5, 1}, View{.62, .35, 1.6}},
		{"sample5.jpg", 20, 5, View{.55, .3, 1.5}, View{.45, .6, 1.2}},
		{"sample1.jpg", 60, 6, View{.7, .35, 1.6}, View{.5, .4, 1.1}},
		{"sample6.jpg", 120, 4, View{.75, .35, 2}, View{.75, .38, 1.7}},
	}}
}

// Clip is a short and small film, for tests: two seconds each of ANNA with BEA, CLEO, and DORA, among others. EVE is not in
// it.
func Clip() Film {
	return Film{Width: 960, Height: 540, FrameRate: 10, Shots: []Shot{
		{"sample6.jpg", 120, 2, View{.5, .45, 1}, View{.5, .45, 1.1}},
		{"sample3.jpg", 60, 2, View{.5, .5, 1}, View{.55, .45, 1.1}},
		{"sample5.jpg", 20, 2, View{.55, .4, 1.1}, View{.55, .4, 1}},
	}}
}

// Write films the photos of a folder.
func (f Film) Write(ctx context.Context, photos, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // the pictures are for everybody to see
		return fmt.Errorf("make folder of film: %w", err)
	}
	var arguments, filters []string
	var labels strings.Builder
	for i, s := range f.Shots {
		arguments = append(arguments, "-i", filepath.Join(photos, s.Photo))
		label := fmt.Sprintf("[s%d]", i)
		filters = append(filters, fmt.Sprintf("[%d:v]%s%s", i, f.filter(s), label))
		labels.WriteString(label)
	}
	filters = append(filters, fmt.Sprintf("%sconcat=n=%d:v=1[film]", labels.String(), len(f.Shots)))
	arguments = append(arguments, "-filter_complex", strings.Join(filters, ";"), "-map", "[film]",
		"-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p", "-movflags", "+faststart", path)
	if err := FFmpeg(ctx, arguments...); err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	return nil
}

// filter is the shot as a chain of ffmpeg's filters. The photo is enlarged first because zoompan moves in whole pixels,
// which would shake.
func (f Film) filter(s Shot) string {
	frames := s.Seconds * f.FrameRate
	move := func(from, to float64) string { return fmt.Sprintf("(%g+(%g)*on/%d)", from, to-from, frames-1) }
	return fmt.Sprintf("crop=1920:1080:0:%d,scale=3840:2160,"+
		"zoompan=z='%s':x='iw*%s-iw/zoom/2':y='ih*%s-ih/zoom/2':d=%d:s=%dx%d:fps=%d,setsar=1,format=yuv420p",
		s.Top, move(s.From.Zoom, s.To.Zoom), move(s.From.X, s.To.X), move(s.From.Y, s.To.Y), frames,
		f.Width, f.Height, f.FrameRate)
}

// FFmpeg runs the program, quiet unless it fails. Files that are there are overwritten.
func FFmpeg(ctx context.Context, arguments ...string) error {
	cmd := exec.CommandContext(ctx, "ffmpeg", append([]string{"-v", "error", "-nostdin", "-y"}, arguments...)...) //nolint:gosec // our own words
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("ffmpeg: %w\n%s", err, out)
	}
	return nil
}
