package batch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/archive"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/testkit/media"
	"github.com/spotter-video/spotter/internal/testkit/patience"
	"github.com/spotter-video/spotter/internal/testkit/program"
)

// childVar holds the archive's path in a process that is there to be killed, and videosVar the folder that it indexes.
const (
	childVar  = "SPOTTER_TEST_INDEX_ARCHIVE"
	videosVar = "SPOTTER_TEST_INDEX_VIDEOS"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childVar); path != "" {
		os.Exit(child(path, os.Getenv(videosVar)))
	}
	os.Exit(m.Run())
}

// child indexes and says each step when it is done, a stretch before it is kept.
func child(path, videos string) int {
	_, err := Index(context.Background(), tested(), Indexing{
		Videos: []string{videos}, Archive: path, Now: time.Now,
		Trace: func(s Step) {
			if strings.Contains(s.Name, " from ") {
				fmt.Println(s.Name)
			}
		},
	})
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	return 0
}

// tested are settings that look once a second, with two workers.
func tested() config.Config {
	c := config.Default()
	c.Helper, c.Models, c.PhotoCache = "../../bin/spotter-decode", "../../models/default", config.Off
	c.SampleRate, c.Workers = 1, 2
	return c
}

// clips makes some, the first of three stretches.
func clips(t *testing.T) string {
	t.Helper()
	photos := filepath.Join("..", "..", filepath.FromSlash(media.Folder))
	for _, needed := range []string{string(tested().Helper), string(tested().Models), photos} {
		if _, err := os.Stat(needed); err != nil {
			t.Skip("not set up (make setup): ", err)
		}
	}
	folder := t.TempDir()
	for i, seconds := range [][]int{{16, 16, 8}, {3}, {2}} {
		f := media.Film{Width: 640, Height: 360, FrameRate: 5, Shots: media.Clip().Shots[i : i+len(seconds)]}
		for n, s := range seconds {
			f.Shots[n].Seconds = s
		}
		if err := f.Write(t.Context(), photos, filepath.Join(folder, fmt.Sprintf("clip-%d.mp4", i))); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// content is all that an archive has of videos, by file and track; without numbers, which tell the order in which videos came.
func content(t *testing.T, path string) map[string]string {
	t.Helper()
	a, err := archive.Read(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close() //nolint:errcheck // it was only read
	all := map[string]string{}
	err = a.EachFile(t.Context(), "", func(f *archive.File) error {
		name := filepath.Base(f.Path)
		all[name] = fmt.Sprintf("%d %v %s", f.Size, f.Changed, f.Failure)
		list, failed := a.Analyses(t.Context(), f.Video)
		for _, an := range list {
			track := fmt.Sprintf("%s %d", name, an.Track)
			all[track] = fmt.Sprintf("%s %s %d %v %s", an.Terms, an.Plan, an.Segments, an.Done, an.Failure)
			failed = errors.Join(failed, a.EachSegment(t.Context(), an.ID, true, func(n int, data, pictures []byte) error {
				all[fmt.Sprintf("%s segment %d", track, n)] = string(data) + string(pictures)
				return nil
			}))
		}
		return failed
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestAnIndexThatIsKilledGoesOn kills one again and again, each time when some more stretches have been analysed. What the archive has in
// the end is what it has when nobody disturbs, and a kill costs the stretches that were in work.
func TestAnIndexThatIsKilledGoesOn(t *testing.T) {
	t.Parallel()
	videos := clips(t)
	calm := filepath.Join(t.TempDir(), "calm.spotter")
	done, err := Index(t.Context(), tested(), Indexing{Videos: []string{videos}, Archive: calm, Now: time.Now})
	if err != nil || done.Analysed != 3 || done.Files != 3 || done.Bytes == 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	want := content(t, calm)
	const segments = 5
	if len(want) != 3+3+segments {
		t.Fatalf("an archive of %d parts, want %d files, %[2]d tracks, %d segments", len(want), 3, segments)
	}
	path := filepath.Join(t.TempDir(), "killed.spotter")
	r := rand.New(rand.NewPCG(7, 7))
	kills, steps := 0, map[string]int{}
	for ended := false; !ended && kills < 20; kills++ {
		ended = indexUntil(t, path, videos, r.IntN(3), steps)
	}
	if d := cmp.Diff(want, content(t, path)); d != "" {
		t.Error("what the archive has (-undisturbed +killed):\n" + d)
	}
	all := 0
	for _, n := range steps {
		all += n
	}
	if kills < 2 || len(steps) != segments || all > segments+2*kills {
		t.Errorf("%d kills, and %d stretches were analysed for %d: %v", kills-1, all, segments, steps)
	}
}

// indexUntil starts a process that indexes, and kills it when it has analysed so many stretches and one. It says whether the process came
// to its end instead.
func indexUntil(t *testing.T, path, videos string, most int, steps map[string]int) (ended bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+path, videosVar+"="+videos)
	cmd.Stderr = os.Stderr
	out, into, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close() //nolint:errcheck // it was only read
	cmd.Stdout = into
	over, err := program.Start(cmd)
	_ = into.Close() // the process has it
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := patience.Usual().Context(t.Context(), cmd.Process.Pid)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })()
	in := bufio.NewScanner(out)
	for n := 0; in.Scan(); n++ {
		if strings.HasPrefix(in.Text(), "error") {
			t.Fatal(in.Text())
		}
		steps[in.Text()]++
		if n == most {
			_ = cmd.Process.Kill() // it may have ended
			break
		}
	}
	<-over
	if ctx.Err() != nil {
		t.Fatal(context.Cause(ctx))
	}
	return cmd.ProcessState.Success()
}
