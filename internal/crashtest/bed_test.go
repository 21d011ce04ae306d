package crashtest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/spotter-video/spotter/internal/testkit/media"
)

const (
	collection = "people"
	bucketName = "archive"
	filmName   = "film.mp4"
	topic      = "arn:aws:sns:us-east-1:000000000000:AmazonRekognition-done"
	// workers is how many segments are analysed at once, and so the most that a kill may cost.
	workers = 2
)

// bed is a server's place in the world: its folders, its decoder, and what it works on.
type bed struct {
	root    string
	decoder string
	// outlived is how many decoders the kernel did not kill with their server.
	outlived int
}

// newBed makes folders without a server. The decoder is a copy at a path of its own, so that its processes can be told from
// those of other tests.
func newBed(t *testing.T) *bed {
	t.Helper()
	m := shared(t)
	root := t.TempDir()
	b := &bed{root: root, decoder: filepath.Join(root, "bin", "spotter-decode")}
	for _, folder := range []string{b.bucket(), b.temp(), filepath.Dir(b.decoder)} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	copyFile(t, filepath.Join("..", "..", "bin", "spotter-decode"), b.decoder, 0o755)
	copyFile(t, m.film, filepath.Join(b.bucket(), filmName), 0o644)
	if err := os.WriteFile(b.settings(), []byte(b.settingsText()), 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bed) bucket() string   { return filepath.Join(b.root, "bucket") }
func (b *bed) temp() string     { return filepath.Join(b.root, "tmp") }
func (b *bed) data() string     { return filepath.Join(b.root, "data") }
func (b *bed) notices() string  { return filepath.Join(b.root, "done.jsonl") }
func (b *bed) settings() string { return filepath.Join(b.root, "spotter.yml") }

func (b *bed) settingsText() string {
	return "listen: 127.0.0.1:0\nlog-format: json\nlog-level: debug\nsample-rate: 2\nworkers: " + strconv.Itoa(workers) +
		"\ndata: data\nbuckets:\n  " + bucketName + ": {folder: bucket}\n" +
		"topics:\n  \"arn:aws:sns:*\":\n    - file: {path: done.jsonl}\n"
}

// environment is what the program sees of this one's.
func (b *bed) environment(more ...string) []string {
	models, err := filepath.Abs(filepath.Join("..", "..", "models", "default"))
	if err != nil {
		models = ""
	}
	return append([]string{
		programVariable + "=1", "PATH=" + os.Getenv("PATH"), "LD_LIBRARY_PATH=" + os.Getenv("LD_LIBRARY_PATH"),
		"HOME=" + b.root, "TMPDIR=" + b.temp(), "SPOTTER_MODELS=" + models, "SPOTTER_DECODER=" + b.decoder,
		"GORACE=halt_on_error=1", "SPOTTER_KEEP_ANALYSES=0", // each job is to be disturbed
	}, more...)
}

// material is what servers work on. It is made once.
type material struct {
	film   string
	photos map[string][]byte // by the person's name
}

// scratch is a folder for all tests, which TestMain makes and removes.
var scratch string

var madeOnce = sync.OnceValues(makeMaterial)

// shared is the material, or skips where it cannot be had.
func shared(t *testing.T) *material {
	t.Helper()
	needs(t)
	m, err := madeOnce()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// needs skips where something is missing that 'make setup' makes.
func needs(t *testing.T) {
	t.Helper()
	root := filepath.Join("..", "..")
	for _, part := range []string{"bin/spotter-decode", "models/default/manifest.json", media.Folder + "/sample6.jpg"} {
		if _, err := os.Stat(filepath.Join(root, part)); errors.Is(err, fs.ErrNotExist) {
			t.Skipf("%s is missing: 'make setup' makes it", part)
		}
	}
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is missing: 'make setup' installs it")
	}
}

// makeMaterial films 11 seconds and repeats them up to 88, which are 6 segments.
func makeMaterial() (_ *material, err error) {
	m := &material{film: filepath.Join(scratch, filmName), photos: map[string][]byte{}}
	ctx, photos := context.Background(), filepath.Join("..", "..", media.Folder)
	film := media.Film{Width: 640, Height: 360, FrameRate: 10, Shots: []media.Shot{
		{Photo: "sample6.jpg", Top: 120, Seconds: 4, From: media.View{X: .4, Y: .45, Zoom: 1.2}, To: media.View{X: .6, Y: .45, Zoom: 1.2}},
		{Photo: "sample3.jpg", Top: 60, Seconds: 4, From: media.View{X: .5, Y: .5, Zoom: 1}, To: media.View{X: .6, Y: .4, Zoom: 1.3}},
		{Photo: "sample5.jpg", Top: 20, Seconds: 3, From: media.View{X: .55, Y: .4, Zoom: 1.3}, To: media.View{X: .5, Y: .5, Zoom: 1.1}},
	}}
	short := filepath.Join(scratch, "short.mp4")
	if err = film.Write(ctx, photos, short); err != nil {
		return nil, err
	}
	if err = media.FFmpeg(ctx, "-stream_loop", "7", "-i", short, "-c", "copy", m.film); err != nil {
		return nil, err
	}
	people := filepath.Join(scratch, "people")
	if err = media.MakePeople(ctx, photos, people); err != nil {
		return nil, err
	}
	for _, p := range media.Portraits() {
		name, _, _ := strings.Cut(strings.TrimSuffix(p.File, ".jpg"), "/")
		if m.photos[name], err = os.ReadFile(filepath.Join(people, p.File)); err != nil {
			return nil, err
		}
	}
	return m, nil
}
