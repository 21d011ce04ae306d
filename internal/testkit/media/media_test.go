package media_test

import (
	"errors"
	"image/jpeg"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/testkit/media"
)

// photos is where the photos are, for tests of this package.
func photos(t *testing.T) string {
	t.Helper()
	folder := filepath.Join("..", "..", "..", media.Folder)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) && os.Getenv("SPOTTER_TEST_EVERYTHING") == "" {
		t.Skip("the photos are missing; 'make setup' fetches them")
	}
	return folder
}

func TestPeopleAreSmallSquares(t *testing.T) {
	t.Parallel()
	people := t.TempDir()
	if err := media.MakePeople(t.Context(), photos(t), people); err != nil {
		t.Fatal(err)
	}
	for _, p := range media.Portraits() {
		f, err := os.Open(filepath.Join(people, p.File))
		if err != nil {
			t.Fatal(err)
		}
		picture, err := jpeg.DecodeConfig(f)
		if err != nil || picture.Width != 400 || picture.Height != 400 {
			t.Errorf("%s is %d x %d, %v", p.File, picture.Width, picture.Height, err)
		}
		_ = f.Close()
	}
}

func TestClipIsWhatItSays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "clip.mp4")
	if err := media.Clip().Write(t.Context(), photos(t), path); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-select_streams", "v",
		"-show_entries", "stream=codec_name,width,height,r_frame_rate,nb_frames", "-of", "csv=p=0", path).CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != "h264,960,540,10/1,60" {
		t.Errorf("the film is %s, %v", got, err)
	}
}

func TestWhatCannotBeMade(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ffmpeg"); err != nil && os.Getenv("SPOTTER_TEST_EVERYTHING") == "" {
		t.Skip("there is no ffmpeg")
	}
	err := media.MakePeople(t.Context(), t.TempDir(), t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "cut out") || !strings.Contains(err.Error(), "sample6.jpg") {
		t.Errorf("a folder without photos gives %v", err)
	}
}
