package video

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSizesChange watches a call that begins small, grows, and is turned: each picture has the size that it was sent in.
func TestSizesChange(t *testing.T) {
	t.Parallel()
	path := joined(t, "call.webm", "-c:v libvpx -deadline realtime -t 1", "160x90", "640x360", "360x640", "1280x720")
	want := []string{
		"0 160x90", "400 160x90", "800 160x90", "1200 640x360", "1600 640x360", "2000 360x640", "2400 360x640",
		"2800 360x640", "3200 1280x720", "3600 1280x720",
	}
	for name, d := range map[string]*Decoder{"helper": newDecoder(t), "ffmpeg": newTool(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if have := sizes(t, d, path, 2.5); !slices.Equal(have, want) {
				t.Errorf("%q, want %q", have, want)
			}
		})
	}
}

// TestPicturesSayTheirWayUp turns the camera half way: H.264 says so within the stream.
func TestPicturesSayTheirWayUp(t *testing.T) {
	t.Parallel()
	var parts []string
	for i, filter := range []string{"null", "h264_metadata=display_orientation=insert:rotate=90", "h264_metadata=display_orientation=insert:rotate=270"} {
		parts = append(parts, media(t, fmt.Sprint(i, ".mp4"), "@pattern -c:v libx264 -t 1 -bsf:v "+filter))
	}
	path := join(t, "turned.mkv", parts...)
	have := sizes(t, newDecoder(t), path, 1)
	if want := []string{"0 160x120", "1000 120x160", "2000 120x160"}; !slices.Equal(have, want) {
		t.Errorf("%q, want %q", have, want)
	}
}

// sizes are the times in milliseconds and the sizes of a video's frames.
func sizes(t *testing.T, d *Decoder, path string, rate float64) (list []string) {
	t.Helper()
	f := open(t, path)
	for _, seg := range plan(t, d, f).Segments {
		s, err := d.Open(t.Context(), f, plan(t, d, f), seg, StreamOptions{SampleRate: rate})
		if err != nil {
			t.Fatal(err)
		}
		frame, err := s.Next(t.Context())
		for ; err == nil; frame, err = s.Next(t.Context()) {
			at := frame.Time.Round(10 * time.Millisecond).Milliseconds()
			list = append(list, fmt.Sprintf("%d %dx%d", at, frame.Full.Width, frame.Full.Height))
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	return list
}

// joined is a video whose parts have different sizes, joined without encoding anew.
func joined(t *testing.T, name, args string, sizes ...string) string {
	t.Helper()
	var parts []string
	for i, size := range sizes {
		parts = append(parts, media(t, fmt.Sprint(i, filepath.Ext(name)), "@pattern"+size+" "+args))
	}
	return join(t, name, parts...)
}

// join makes one video of several on one time line.
func join(t *testing.T, name string, parts ...string) string {
	t.Helper()
	dir := t.TempDir()
	var list strings.Builder
	for _, part := range parts {
		fmt.Fprintf(&list, "file %s\n", part)
	}
	text := filepath.Join(dir, "list")
	if err := os.WriteFile(text, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	run(t, "-v", "error", "-f", "concat", "-safe", "0", "-i", text, "-c", "copy", path)
	return path
}
