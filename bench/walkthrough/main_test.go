package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/spotter-video/spotter/internal/testkit/media"
	"github.com/spotter-video/spotter/internal/testkit/program"
)

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "spotter-walkthrough-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programs = folder
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(folder)
		os.Exit(code)
	}))
}

// programs is a folder for Spotter's.
var programs string

// built builds Spotter, once for all tests.
var built = sync.OnceValue(func() error {
	root, err := program.Root()
	if err != nil {
		return err
	}
	build := exec.CommandContext(context.Background(), "go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", programs+"/",
		"./cmd/spotter", "./cmd/spotter-decode")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build Spotter: %w\n%s", err, out)
	}
	return nil
})

// prepare builds Spotter and says where things are. It skips the test where something is missing, unless
// SPOTTER_TEST_EVERYTHING is set.
func prepare(t *testing.T) (options, *output) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts four servers and searches a video")
	}
	root, err := program.Root()
	if err != nil {
		t.Fatal(err)
	}
	missing := func(why string) {
		if os.Getenv("SPOTTER_TEST_EVERYTHING") != "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	photos, models := filepath.Join(root, media.Folder), filepath.Join(root, "models", "default")
	for _, folder := range []string{photos, models} {
		if _, err = os.Stat(folder); err != nil {
			missing(folder + " is missing; 'make setup' makes it")
		}
	}
	python, err := findPython(t.Context(), "")
	if err != nil {
		missing(err.Error())
	}
	if err = built(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SPOTTER_MODELS", models)
	out := &output{}
	return options{
		spotter: filepath.Join(programs, "spotter"), photos: photos, python: python,
		temp: t.TempDir(), film: media.Clip(), out: out, now: time.Now,
	}, out
}

// output keeps what is told, and calls a function when a text has been told.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	when string
	call func()
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if o.call != nil && bytes.Contains(o.text.Bytes(), []byte(o.when)) {
		o.call()
		o.call = nil
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func TestWholeWay(t *testing.T) { //nolint:paralleltest // it sets the environment
	o, out := prepare(t)
	if err := walkthrough(t.Context(), o); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	told := out.String()
	for name, line := range map[string]string{
		"a photo is enrolled":        `index_faces +photos/ANNA/green\.jpg: ANNA is face [0-9a-f]{8}`,
		"all photos are":             `describe_collection +5 faces`,
		"a token starts one job":     `the same token again: the same job`,
		"the message is in a queue":  `receive_message +StartFaceSearch of s3://[^ ]+\.mp4: SUCCEEDED \(tag walkthrough\)`,
		"pages follow each other":    `by TIMESTAMP: \d+ sightings on [2-9] pages`,
		"in both orders":             `by INDEX: \d+ sightings on [2-9] pages`,
		"the video is described":     `6\.0 s, 960 x 540, h264, 10 frames a second; \d+ persons, [4-9] of them known`,
		"ANNA is in the first shot":  `ANNA +#+\.+  0\.0 to 1\.\d s`,
		"BEA too":                    `BEA +#+\.+  0\.0 to 1\.\d s`,
		"CLEO is in the second":      `CLEO +\.+#+\.+  2\.0 to 3\.\d s`,
		"DORA is in the third":       `DORA +\.+#+\.*  4\.0 to 5\.\d s`,
		"EVE is in none":             `EVE +\.+  not seen`,
		"what was made is deleted":   `delete_collection +and the queue, the topic and the bucket`,
		"and everything taken down":  `everything is taken down`,
		"Spotter is on a free port":  `serve --config [^ ]+ is on http://127\.0\.0\.1:\d+`,
		"the script is told by name": `bench/walkthrough/walkthrough\.py`,
	} {
		if !regexp.MustCompile(line).MatchString(told) {
			t.Errorf("%s: no line is like %s", name, line)
		}
	}
	nothingIsLeft(t, o, told)
	if t.Failed() {
		t.Log(told)
	}
}

func TestInterrupted(t *testing.T) { //nolint:paralleltest // it sets the environment
	t.Cleanup(program.TakeSignals())
	o, out := prepare(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out.when, out.call = "start_face_search", interrupt
	if err := walkthrough(ctx, o); err == nil {
		t.Error("it goes on to the end")
	}
	told := out.String()
	if strings.Contains(told, "get_face_search") || !strings.Contains(told, "delete_collection") {
		t.Errorf("the script does not stop in good order:\n%s", told)
	}
	nothingIsLeft(t, o, told)
}

func nothingIsLeft(t *testing.T, o options, told string) {
	t.Helper()
	if left, err := os.ReadDir(o.temp); err != nil || len(left) > 0 {
		t.Errorf("left in the temporary folder: %v, %v", left, err)
	}
	addresses := regexp.MustCompile(`http://(127\.0\.0\.1:\d+)`).FindAllStringSubmatch(told, -1)
	if len(addresses) < 3 {
		t.Errorf("%d servers are told of", len(addresses))
	}
	for _, a := range addresses {
		if err := program.Listens(a[1])(t.Context()); !errors.As(err, new(*net.OpError)) {
			t.Errorf("%s is still there: %v", a[1], err)
		}
	}
}

func TestAccessKey(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text string
		want accessKey
	}{
		"AWS's form": {"[default]\naws_access_key_id = AKIA1\naws_secret_access_key = a=b/c\n", accessKey{"AKIA1", "a=b/c"}},
		"no secret":  {"[default]\naws_access_key_id = AKIA1\n", accessKey{}},
		"empty":      {"", accessKey{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "credentials")
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := readKey(file)
			if got != test.want || (err == nil) != (test.want != accessKey{}) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}
