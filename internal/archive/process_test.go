package archive_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/archive"
)

// childVariable names the archive of a child, which is this test binary, run once more.
const childVariable = "SPOTTER_TEST_ARCHIVE"

const childSegments = 1 << 30

// child writes until it is killed, and says what was kept: round by round two tracks are begun, and some segments saved of the first.
func child(path string) {
	ctx := context.Background()
	a, err := archive.Open(ctx, path)
	f := archive.File{Path: "/video"}
	if err == nil {
		err = a.Put(ctx, &f, archive.Sum{1})
	}
	for round := 0; err == nil; round++ {
		terms := []byte(strconv.Itoa(round))
		list := []archive.Analysis{{Track: 0, Terms: terms, Segments: childSegments}, {Track: 1, Terms: terms}}
		if err = a.Begin(ctx, f.Video, list); err != nil {
			break
		}
		for n := 0; n < 10 && err == nil; n++ {
			fmt.Println(list[0].ID, n) // those below it are kept
			err = a.SaveSegment(ctx, list[0].ID, n, childSegment(list[0].ID, n), nil)
		}
	}
	fmt.Println(err)
	os.Exit(1)
}

func childSegment(analysis int64, n int) []byte {
	random := rand.New(rand.NewPCG(uint64(analysis), uint64(n)))
	data := make([]byte, 10_000+random.IntN(100_000))
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

// start starts a child.
func start(t *testing.T, path string) (kill, wait func(), lines *bufio.Scanner) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), childVariable+"="+path)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	kill = func() { _ = c.Process.Kill() }
	wait = func() { _ = c.Wait() } // it was killed
	return kill, wait, bufio.NewScanner(out)
}

// TestKill kills a process that writes, several times at different moments, and looks at what it left.
func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.spotter")
	for round := range 6 {
		kill, wait, lines := start(t, path)
		for range 5 + 7*round {
			if !lines.Scan() {
				t.Fatal("the child has stopped by itself")
			}
		}
		time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond) // at no moment in particular
		var analysis int64
		var kept int
		kill()
		last := lines.Text()
		for lines.Scan() {
			last = lines.Text()
		}
		wait()
		if _, err := fmt.Sscan(last, &analysis, &kept); err != nil {
			t.Fatalf("the child said %q", last)
		}
		check(t, path, analysis, kept)
	}
}

// check opens an archive in which so many segments of an analysis were kept, by whoever may read first.
func check(t *testing.T, path string, analysis int64, kept int) {
	t.Helper()
	if rand.IntN(2) == 0 {
		must(t, read(t, path).Check(t.Context()))
	}
	a, ctx := opened(t, path), t.Context()
	must(t, a.Check(ctx))
	numbers, err := a.Saved(ctx, analysis)
	must(t, err)
	list, err := a.Analyses(ctx, 1)
	must(t, err)
	if kept == 9 && len(list) == 2 && list[0].ID > analysis {
		must(t, a.Close()) // it had begun the next ones, which it had no time to say
		return
	}
	if len(numbers) != kept && len(numbers) != kept+1 || len(list) != 2 || list[0].ID != analysis {
		t.Fatalf("segments %v of %d are there, %d were said to be kept: %v", numbers, analysis, kept, list)
	}
	must(t, a.EachSegment(ctx, analysis, true, func(n int, data, _ []byte) error {
		if n >= len(numbers) || !bytes.Equal(data, childSegment(analysis, n)) {
			t.Errorf("segment %d is another", n)
		}
		return nil
	}))
	must(t, a.Close())
	if _, err := os.Stat(path + ".lock"); err == nil {
		t.Error("the lock's file is still there")
	}
}

// TestReadWhileAnotherWrites sees no half of what another process begins, and what it says is kept.
func TestReadWhileAnotherWrites(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.spotter")
	kill, wait, lines := start(t, path)
	defer wait()
	defer kill()
	if !lines.Scan() {
		t.Fatal("the child has stopped by itself")
	}
	a, ctx := read(t, path), t.Context()
	if _, err := archive.Open(ctx, path); err == nil {
		t.Fatal("opened for writing as well")
	}
	for lines.Scan() {
		var analysis int64
		var kept int
		if _, err := fmt.Sscan(lines.Text(), &analysis, &kept); err != nil {
			t.Fatalf("the child says %q", lines.Text())
		}
		list, err := a.Analyses(ctx, 1)
		must(t, err)
		if len(list) != 2 || string(list[0].Terms) != string(list[1].Terms) || list[0].ID < analysis {
			t.Fatalf("of %d: %+v", analysis, list)
		}
		numbers, err := a.Saved(ctx, analysis)
		must(t, err)
		if len(numbers) < kept && list[0].ID == analysis {
			again, err := a.Analyses(ctx, 1)
			must(t, err)
			if again[0].ID == analysis {
				t.Fatalf("%d segments of %d are kept, and %v there", kept, analysis, numbers)
			}
		}
		if round, err := strconv.Atoi(string(list[0].Terms)); err != nil || round >= 10 {
			must(t, err)
			return
		}
	}
	t.Fatal("the child has stopped by itself")
}
