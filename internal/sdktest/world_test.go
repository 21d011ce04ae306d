package sdktest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/spotter-video/spotter/internal/testkit/media"
	"github.com/spotter-video/spotter/internal/testkit/pgserver"
	"github.com/spotter-video/spotter/internal/testkit/program"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run runs the tests and cleans up after them all.
func run(m *testing.M) int {
	defer program.TakeSignals()()
	for _, pair := range os.Environ() { // settings of whoever runs the tests are not for the clients
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "SPOTTER_") {
			_ = os.Unsetenv(name)
		}
	}
	code := pgserver.Tests{M: m}.Run()
	if !made.Load() {
		return code
	}
	w, err := theWorld()
	if err == nil {
		err = w.close()
	}
	if err == nil && code == 0 && flag.Lookup("test.run").Value.String() == "" {
		err = driven.missing()
	}
	if err != nil && !errors.Is(err, errNotSetUp) {
		fmt.Fprintln(os.Stderr, "the tests' server:", err)
		code = max(code, 1)
	}
	http.DefaultClient.CloseIdleConnections()
	if leaked := goleak.Find(); leaked != nil && code == 0 {
		fmt.Fprintln(os.Stderr, leaked)
		code = 1
	}
	return code
}

// world is what the tests share.
type world struct {
	// root is the repository, folder where everything is written, spotter the program.
	root, folder, spotter string
	// bucket is the folder of the bucket "archive".
	bucket string
	// hook takes webhooks, and the file told the same notifications.
	hook *receiver
	told string
	// server is the one that most tests talk to.
	server *server
}

// The bucket of the tests, and the topic that the server knows.
const (
	archive    = "archive"
	knownTopic = "arn:aws:sns:us-east-1:000000000000:told"
	someRole   = "arn:aws:iam::000000000000:role/notify"
)

// errNotSetUp means that the tests cannot run here.
var errNotSetUp = errors.New("'make setup' makes it")

// theWorld is made when the first test needs it.
var theWorld = sync.OnceValues(func() (*world, error) {
	made.Store(true)
	return newWorld(context.Background())
})

// here is the world for a test.
func here(t *testing.T) *world {
	t.Helper()
	if testing.Short() {
		t.Skip("starts servers")
	}
	w, err := theWorld()
	if errors.Is(err, errNotSetUp) && os.Getenv("SPOTTER_TEST_EVERYTHING") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func newWorld(ctx context.Context) (w *world, err error) {
	w = &world{}
	if w.root, err = filepath.Abs(filepath.Join("..", "..")); err != nil {
		return nil, err
	}
	for _, needed := range []string{"models/default/manifest.json", media.Folder} {
		if _, err = os.Stat(filepath.Join(w.root, needed)); err != nil {
			return nil, fmt.Errorf("%s is missing; %w", needed, errNotSetUp)
		}
	}
	if _, err = exec.LookPath("ffmpeg"); err != nil {
		return nil, fmt.Errorf("ffmpeg is missing; %w", errNotSetUp)
	}
	if w.folder, err = os.MkdirTemp("", "spotter-sdktest-"); err != nil {
		return nil, err
	}
	if err = w.furnish(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(w.folder))
	}
	return w, nil
}

// furnish makes everything that is in the folder, and starts the server.
func (w *world) furnish(ctx context.Context) (err error) {
	if err = w.build(ctx); err != nil {
		return err
	}
	w.bucket, w.told = filepath.Join(w.folder, archive), filepath.Join(w.folder, "told.jsonl")
	if err = w.fill(ctx); err != nil {
		return err
	}
	w.hook = newReceiver()
	w.server, err = w.start(ctx, "shared", settings{
		"topics": map[string]any{knownTopic: []any{
			map[string]any{"file": map[string]any{"path": w.told}},
			map[string]any{"webhook": map[string]any{"url": w.hook.server.URL, "secret": hookSecret}},
		}},
		"open-jobs": 100, // the tests run side by side
	})
	if err != nil {
		w.hook.server.Close()
	}
	return err
}

func (w *world) close() error {
	err := w.server.stop()
	w.hook.server.Close()
	return errors.Join(err, os.RemoveAll(w.folder))
}

// build builds the programs.
func (w *world) build(ctx context.Context) error {
	w.spotter = filepath.Join(w.folder, "bin", "spotter")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", filepath.Dir(w.spotter)+"/",
		"./cmd/spotter", "./cmd/spotter-decode")
	cmd.Dir = w.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	return nil
}

// fill puts photos and videos into the bucket, good ones and others.
func (w *world) fill(ctx context.Context) error {
	photos := filepath.Join(w.root, media.Folder)
	if err := media.MakePeople(ctx, photos, filepath.Join(w.bucket, "people")); err != nil {
		return err
	}
	if err := media.Clip().Write(ctx, photos, w.path("clip.mp4")); err != nil {
		return err
	}
	for _, arguments := range [][]string{
		// Long enough that a search of it is in progress for seconds.
		{"-stream_loop", "39", "-i", w.path("clip.mp4"), "-c", "copy", w.path("long.mp4")},
		{"-i", filepath.Join(photos, "sample6.jpg"), w.path("group.png")},
		{"-i", w.path(anna), "-vf", "scale=70:70", w.path("tiny.jpg")},
		// A face of some 35 pixels.
		{"-i", w.path(anna), "-vf", "scale=60:60,pad=100:100:20:20:gray", "-q:v", "2", w.path("small.jpg")},
		{"-i", w.path("clip.mp4"), "-t", "1", "-c:v", "ffv1", w.path("codec.mkv")},
		{"-i", w.path("clip.mp4"), "-c", "copy", w.path("clip.mkv")},
		{"-f", "lavfi", "-i", "sine=duration=1", w.path("sound.mp4")},
	} {
		if err := media.FFmpeg(ctx, arguments...); err != nil {
			return err
		}
	}
	film, err := os.ReadFile(w.path("clip.mp4"))
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(w.path("corrupt.mp4"), append(film[:64:64], make([]byte, 20_000)...), 0o600),
		os.WriteFile(w.path("text.mp4"), []byte(strings.Repeat("This is no video.\n", 100)), 0o600),
		os.WriteFile(w.path("empty.mp4"), nil, 0o600),
		blank(w.path("blank.jpg"), 200, 200), blank(w.path("wide.jpg"), 10_001, 80),
		sparse(w.path("large.mp4"), 10<<30+1), sparse(w.path("large.jpg"), 15<<20+1),
	)
}

// path is that of an object.
func (w *world) path(key string) string { return filepath.Join(w.bucket, filepath.FromSlash(key)) }

// blank writes a photo of nothing.
func blank(path string, width, height int) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return jpeg.Encode(f, image.NewGray(image.Rect(0, 0, width, height)), nil)
}

// sparse makes a file of a size that takes no room.
func sparse(path string, size int64) error {
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	return os.Truncate(path, size)
}
