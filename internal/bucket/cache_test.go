package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// reporter is a test, rapid's included.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// clock is one that tests set.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func testCache(t *testing.T, change func(*Cache)) (*lane, *clock) {
	t.Helper()
	cfg := Cache{Folder: t.TempDir(), MaxBytes: 100, Idle: time.Hour}
	if change != nil {
		change(&cfg)
	}
	clk := &clock{}
	c, err := newCache(cfg, clk.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return c.lane(2), clk
}

func keyOf(name string, size int64) cacheKey {
	return cacheKey{object: Object{Bucket: "films", Key: name}, pinned: Info{Size: size, ETag: "x"}}
}

// fill writes as many bytes as are asked for, and counts how often it is.
func fill(count *atomic.Int32) rangeRead {
	return func(_ context.Context, from, to int64, w io.Writer) error {
		count.Add(1)
		_, err := w.Write(make([]byte, to-from))
		return err
	}
}

// openAll opens an object and waits until all of it is there.
func openAll(ctx context.Context, l *lane, key cacheKey, read rangeRead) (*File, error) {
	f, err := l.open(ctx, key, read)
	if err != nil {
		return nil, err
	}
	if _, err = f.Fetch(ctx, 0, key.pinned.Size); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func openTest(t *testing.T, c *lane, name string, size int64, count *atomic.Int32) *File {
	t.Helper()
	f, err := openAll(context.Background(), c, keyOf(name, size), fill(count))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func wantUsage(t reporter, c *lane, want Usage) {
	t.Helper()
	if got := c.usage(); got != want {
		t.Errorf("usage is %+v, want %+v", got, want)
	}
}

func TestCacheShares(t *testing.T) {
	t.Parallel()
	c, _ := testCache(t, nil)
	var count atomic.Int32
	var wg sync.WaitGroup
	files := make([]*File, 10)
	for i := range files {
		wg.Go(func() {
			f, err := openAll(t.Context(), c, keyOf("a", 10), fill(&count))
			if err != nil {
				t.Error(err)
			}
			files[i] = f
		})
	}
	wg.Wait()
	if count.Load() != 1 {
		t.Errorf("downloaded %d times", count.Load())
	}
	wantUsage(t, c, Usage{Files: 1, Bytes: 10, InUse: 1})
	for _, f := range files {
		_ = f.Close()
		_ = f.Close() // counts once
	}
	wantUsage(t, c, Usage{Files: 1, Bytes: 10})
	_ = openTest(t, c, "a", 10, &count).Close()
	if count.Load() != 1 {
		t.Error("it was not kept")
	}
	if f := openTest(t, c, "a", 11, &count); count.Load() != 2 {
		t.Error("another state has the same file")
	} else {
		_ = f.Close()
	}
}

func TestCacheForgetsIdle(t *testing.T) {
	t.Parallel()
	c, clk := testCache(t, nil)
	var count atomic.Int32
	used := openTest(t, c, "used", 1, &count)
	_ = openTest(t, c, "early", 10, &count).Close()
	clk.advance(30 * time.Minute)
	_ = openTest(t, c, "late", 20, &count).Close()
	clk.advance(30*time.Minute - 1)
	c.sweep()
	wantUsage(t, c, Usage{Files: 3, Bytes: 31, InUse: 1})
	clk.advance(1)
	c.sweep()
	wantUsage(t, c, Usage{Files: 2, Bytes: 21, InUse: 1})
	clk.advance(24 * time.Hour)
	c.sweep()
	wantUsage(t, c, Usage{Files: 1, Bytes: 1, InUse: 1})
	_ = used.Close()
}

func TestCacheKeepsNothing(t *testing.T) {
	t.Parallel()
	c, _ := testCache(t, func(cfg *Cache) { cfg.Idle = 0 })
	var count atomic.Int32
	_ = openTest(t, c, "a", 10, &count).Close()
	wantUsage(t, c, Usage{})
}

func TestCacheMakesRoom(t *testing.T) {
	t.Parallel()
	c, _ := testCache(t, nil)
	var count atomic.Int32
	for _, name := range []string{"a", "b", "a"} { // b is the longest unused
		_ = openTest(t, c, name, 40, &count).Close()
	}
	_ = openTest(t, c, "c", 60, &count).Close()
	wantUsage(t, c, Usage{Files: 2, Bytes: 100})
	count.Store(0)
	a := openTest(t, c, "a", 40, &count)
	if count.Load() != 0 {
		t.Error("what was used last made room")
	}
	_, err := openAll(t.Context(), c, keyOf("d", 61), fill(&count))
	wantErrorKind(t, err, Unavailable) // a is in use
	_, err = openAll(t.Context(), c, keyOf("d", 101), fill(&count))
	wantErrorKind(t, err, TooLarge)
	_, err = openAll(t.Context(), c, keyOf("d", math.MaxInt64), fill(&count))
	wantErrorKind(t, err, TooLarge)
	_ = a.Close()
	_ = openTest(t, c, "d", 61, &count).Close()
}

func wantErrorKind(t reporter, err error, kind Kind) {
	t.Helper()
	if KindOf(err) != kind {
		t.Errorf("got %v, want kind %v", err, kind)
	}
}

func TestCacheLeavesDiskFree(t *testing.T) {
	t.Parallel()
	c, _ := testCache(t, func(cfg *Cache) { cfg.MinFree = math.MaxInt64 / 2 })
	var count atomic.Int32
	_, err := openAll(t.Context(), c, keyOf("a", 1), fill(&count))
	wantErrorKind(t, err, Unavailable)
	wantErrorKind(t, c.check(), Unavailable)
	wantUsage(t, c, Usage{})
	if count.Load() != 0 {
		t.Error("it was downloaded all the same")
	}
}

// TestTempFileStops stops writing when others fill the disk meanwhile.
func TestTempFileStops(t *testing.T) {
	t.Parallel()
	f, err := newTempFile(t.TempDir(), "x", 0, math.MaxInt64/2)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(f.file)
	f.unseen.Store(floorEvery - 1)
	_, err = f.writeAt([]byte("x"), 0)
	wantErrorKind(t, err, Unavailable)
}

func TestCacheNoSpace(t *testing.T) {
	t.Parallel()
	if reserveSpace(mustTemp(t), 1) != nil {
		t.Skip("the file system cannot set space aside")
	}
	_, err := newTempFile(t.TempDir(), "x", 1<<62, 0) // more than file systems take, so that nothing is allocated
	wantErrorKind(t, err, Unavailable)
}

func mustTemp(t *testing.T) *os.File {
	t.Helper()
	f, err := openNamed(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestCacheLeavesNoTrace(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(folder string) (*os.File, error){
		"without a name": func(folder string) (*os.File, error) { return openUnnamed(folder, "x") },
		"removed":        openNamed,
	} {
		folder := t.TempDir()
		f, err := open(folder)
		if err != nil {
			t.Fatal(err)
		}
		left, err := os.ReadDir(folder)
		if err != nil || len(left) != 0 {
			t.Errorf("%s: the folder has %v, error %v", name, left, err)
		}
		if _, err = f.WriteString("content"); err != nil {
			t.Error(err)
		}
		again, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", f.Fd())) // as readers do
		if err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(again); string(data) != "content" {
			t.Errorf("%s: read %q, error %v", name, data, err)
		}
		_ = again.Close()
		_ = f.Close()
	}
}

// TestCacheOutlivesFirst goes on for the second caller when the first has left.
func TestCacheOutlivesFirst(t *testing.T) {
	t.Parallel()
	c, _ := testCache(t, nil)
	started, finish := make(chan struct{}), make(chan struct{})
	slow := func(ctx context.Context, _, _ int64, to io.Writer) error {
		close(started)
		select {
		case <-finish:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		_, err := to.Write(make([]byte, 10))
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := openAll(ctx, c, keyOf("a", 10), slow)
		first <- err
	}()
	<-started
	second := make(chan error)
	go func() {
		f, err := openAll(t.Context(), c, keyOf("a", 10), slow)
		if err == nil {
			_ = f.Close()
		}
		second <- err
	}()
	for c.refs(keyOf("a", 10)) != 2 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the first got %v", err)
	}
	close(finish)
	if err := <-second; err != nil {
		t.Errorf("the second got %v", err)
	}
}

func (c *lane) refs(key cacheKey) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[key]; e != nil {
		return e.refs
	}
	return 0
}

// TestCacheEndsWithLast cancels a download when the last caller leaves, and starts anew for the next.
func TestCacheEndsWithLast(t *testing.T) {
	t.Parallel()
	c, _ := testCache(t, nil)
	started, ended := make(chan struct{}), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	_, err := openAll(ctx, c, keyOf("a", 10), func(ctx context.Context, _, _ int64, _ io.Writer) error {
		close(started)
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return context.Cause(ctx)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the download ended with %v", err)
	}
	var count atomic.Int32
	_ = openTest(t, c, "a", 10, &count).Close()
}

// TestCacheDropsUnwanted has a download succeed that nobody waits for any more.
func TestCacheDropsUnwanted(t *testing.T) {
	t.Parallel()
	c, _ := testCache(t, nil)
	finish := make(chan struct{})
	var file *os.File
	ctx, cancel := context.WithCancel(t.Context())
	_, err := openAll(ctx, c, keyOf("a", 10), func(_ context.Context, _, _ int64, to io.Writer) error {
		if w, ok := to.(*runWriter); ok {
			file = w.parts.file.file
		}
		cancel()
		<-finish
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(finish)
	c.close()
	wantUsage(t, c, Usage{})
	if _, err := file.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file is open: %v", err)
	}
}

func TestCacheForgetsFailures(t *testing.T) {
	t.Parallel()
	c, _ := testCache(t, nil)
	_, err := openAll(t.Context(), c, keyOf("a", 10), func(context.Context, int64, int64, io.Writer) error { return errClosed() })
	wantErrorKind(t, err, Unavailable)
	wantUsage(t, c, Usage{})
	var count atomic.Int32
	_ = openTest(t, c, "a", 10, &count).Close()
}

func TestCacheBoundsDownloads(t *testing.T) {
	t.Parallel()
	c, _ := testCache(t, nil)
	var running atomic.Int32
	var mu sync.Mutex
	var most int32
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			f, err := openAll(t.Context(), c, keyOf(strconv.Itoa(i), 1), func(_ context.Context, _, _ int64, w io.Writer) error {
				n := running.Add(1)
				defer running.Add(-1)
				mu.Lock()
				most = max(most, n)
				mu.Unlock()
				time.Sleep(time.Millisecond)
				_, err := w.Write([]byte{1})
				return err
			})
			if err != nil {
				t.Error(err)
				return
			}
			_ = f.Close()
		})
	}
	wg.Wait()
	if most != 2 {
		t.Errorf("%d downloads at a time, want 2", most)
	}
}

func TestCacheCloses(t *testing.T) {
	t.Parallel()
	c, _ := testCache(t, nil)
	var count atomic.Int32
	used := openTest(t, c, "used", 1, &count)
	_ = openTest(t, c, "idle", 1, &count).Close()
	started, waits := make(chan struct{}), make(chan error)
	go func() {
		_, err := openAll(t.Context(), c, keyOf("running", 1), func(ctx context.Context, _, _ int64, _ io.Writer) error {
			close(started)
			<-ctx.Done()
			return context.Cause(ctx)
		})
		waits <- err
	}()
	<-started
	go c.close()
	wantErrorKind(t, <-waits, Unavailable)
	c.close()
	wantUsage(t, c, Usage{Files: 1, Bytes: 1, InUse: 1})
	if _, err := used.File().ReadAt(make([]byte, 1), 0); err != nil {
		t.Errorf("what is open cannot be read: %v", err)
	}
	_ = used.Close()
	wantUsage(t, c, Usage{})
	_, err := openAll(t.Context(), c, keyOf("x", 1), fill(&count))
	wantErrorKind(t, err, Unavailable)
}

// TestCacheModel opens and closes at random: what is open can be read, the budget holds, and what was opened and kept is
// not downloaded again.
func TestCacheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		clk := &clock{}
		made, err := newCache(Cache{Folder: t.TempDir(), MaxBytes: 100, Idle: time.Hour}, clk.now)
		if err != nil {
			rt.Fatal(err)
		}
		defer made.close()
		c := made.lane(2)
		var open []*File
		inUse := map[string]int{}
		names := map[*File]string{}
		rt.Repeat(map[string]func(*rapid.T){
			"open": func(rt *rapid.T) {
				size := rapid.Int64Range(0, 60).Draw(rt, "size")
				name := strconv.FormatInt(size, 10)
				var count atomic.Int32
				f, err := openAll(context.Background(), c, keyOf(name, size), fill(&count))
				if err != nil {
					wantErrorKind(rt, err, Unavailable)
					return
				}
				if inUse[name] > 0 && count.Load() > 0 {
					rt.Errorf("%s was downloaded again while in use", name)
				}
				inUse[name]++
				names[f] = name
				open = append(open, f)
			},
			"close": func(rt *rapid.T) {
				if len(open) == 0 {
					rt.Skip()
				}
				i := rapid.IntRange(0, len(open)-1).Draw(rt, "which")
				inUse[names[open[i]]]--
				_ = open[i].Close()
				open = append(open[:i], open[i+1:]...)
			},
			"time": func(*rapid.T) { clk.advance(20 * time.Minute); c.sweep() },
			"": func(rt *rapid.T) {
				used := 0
				for _, n := range inUse {
					used += min(n, 1)
				}
				if u := c.usage(); u.Bytes > 100 || u.InUse != used || u.Files < used || u.Files != len(c.entries) {
					rt.Errorf("usage is %+v with %d open", u, used)
				}
				for _, f := range open {
					if _, err := f.File().Stat(); err != nil {
						rt.Errorf("%s is open and cannot be read: %v", names[f], err)
					}
				}
			},
		})
		for _, f := range open {
			_ = f.Close()
		}
		c.close()
		wantUsage(rt, c, Usage{})
	})
}

// TestCacheWaitsForDownloads: lanes are as many as there are servers, and all of them together may want more than there is room for.
func TestCacheWaitsForDownloads(t *testing.T) {
	t.Parallel()
	slow, _ := testCache(t, nil)
	other := slow.lane(2)
	var count atomic.Int32
	begun, end := make(chan struct{}), make(chan struct{})
	files := make(chan *File, 2)
	for _, name := range []string{"a", "b"} {
		go func() {
			f, err := openAll(context.Background(), slow, keyOf(name, 50), func(ctx context.Context, from, to int64, w io.Writer) error {
				begun <- struct{}{}
				<-end
				return fill(&count)(ctx, from, to, w)
			})
			if err != nil {
				t.Error(err)
			}
			files <- f
		}()
		<-begun
	}
	impatient, cancel := context.WithCancelCause(context.Background())
	left := errors.New("left")
	outcome := make(chan error, 2)
	go func() {
		_, err := openAll(impatient, other, keyOf("c", 60), fill(&count))
		outcome <- err
	}()
	for other.refs(keyOf("c", 60)) == 0 && len(outcome) == 0 {
		runtime.Gosched()
	}
	cancel(left)
	if err := <-outcome; !errors.Is(err, left) {
		t.Errorf("who waits for room and leaves: %v", err)
	}
	go func() {
		f, err := openAll(context.Background(), other, keyOf("d", 60), fill(&count))
		if err == nil {
			err = f.Close()
		}
		outcome <- err
	}()
	for other.refs(keyOf("d", 60)) == 0 && len(outcome) == 0 {
		runtime.Gosched()
	}
	_, err := openAll(context.Background(), other, keyOf("large", 101), fill(&count))
	wantErrorKind(t, err, TooLarge)
	end <- struct{}{}
	_ = (<-files).Close()
	end <- struct{}{}
	_ = (<-files).Close()
	if err := <-outcome; err != nil {
		t.Errorf("a download that there is room for when others have ended: %v", err)
	}
}
