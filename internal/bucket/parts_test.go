package bucket

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// origin is where parts come from: bytes that tell their place, counted.
type origin struct {
	content []byte
	mu      sync.Mutex
	sent    []int // how often each block was begun
	asked   int
	fail    func(n int) error // of the n-th request, after half of it
}

func newOrigin(size int) *origin {
	o := &origin{content: make([]byte, size), sent: make([]int, size/blockSize+1)}
	random := rand.New(rand.NewPCG(1, uint64(size)))
	for i := range o.content {
		o.content[i] = byte(random.Uint32())
	}
	return o
}

func (o *origin) read(ctx context.Context, from, to int64, w io.Writer) error {
	o.mu.Lock()
	o.asked++
	n := o.asked
	o.mu.Unlock()
	var failure error
	if o.fail != nil {
		failure = o.fail(n)
	}
	for at := from; at < to; {
		if context.Cause(ctx) != nil {
			return context.Cause(ctx)
		}
		if failure != nil && at >= (from+to)/2 {
			return failure
		}
		if at%blockSize == 0 {
			o.mu.Lock()
			o.sent[at/blockSize]++
			o.mu.Unlock()
		}
		end := min(at+100_000, to, at-at%blockSize+blockSize)
		if _, err := w.Write(o.content[at:end]); err != nil {
			return err
		}
		at = end
	}
	return nil
}

func openOrigin(t *testing.T, o *origin) (*lane, *File) {
	t.Helper()
	l, _ := testCache(t, func(c *Cache) { c.MaxBytes = 1 << 30 })
	f, err := l.open(t.Context(), keyOf("a", int64(len(o.content))), o.read)
	if err != nil {
		t.Fatal(err)
	}
	return l, f
}

// TestPartsAreThere fetches at random, by many at once: what was fetched is there, and came once only.
func TestPartsAreThere(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, blockSize - 1, blockSize, blockSize + 1, 30*blockSize + 77} {
		o := newOrigin(size)
		_, f := openOrigin(t, o)
		var readers sync.WaitGroup
		for seed := range uint64(8) {
			readers.Go(func() {
				random := rand.New(rand.NewPCG(seed, 3))
				for range 30 {
					from := random.Int64N(int64(size))
					to := from + 1 + random.Int64N(min(int64(size)-from, 5*blockSize))
					end, err := f.Fetch(t.Context(), from, to)
					if err != nil || end < to || end > int64(size) {
						t.Errorf("Fetch(%d, %d) of %d = %d, %v", from, to, size, end, err)
						return
					}
					got := make([]byte, end-from)
					if _, err := f.File().ReadAt(got, from); err != nil || !bytes.Equal(got, o.content[from:end]) {
						t.Errorf("%d to %d of %d differ: %v", from, end, size, err)
						return
					}
				}
			})
		}
		readers.Wait()
		if _, err := f.Fetch(t.Context(), -1, int64(size)+5); err != nil {
			t.Error(err)
		}
		_ = f.Close()
		for b, n := range o.sent {
			if n > 1 {
				t.Errorf("block %d came %d times", b, n)
			}
		}
	}
}

// TestReadingOn asks for more at once from whoever reads on, whatever others read, and for a block where one jumps.
func TestReadingOn(t *testing.T) {
	t.Parallel()
	const blocks = 64
	o := newOrigin(blocks * blockSize)
	_, f := openOrigin(t, o)
	for at := range int64(blocks / 2) { // two readers in turn
		for _, from := range []int64{at, blocks/2 + at} {
			if _, err := f.Fetch(t.Context(), from*blockSize, (from+1)*blockSize); err != nil {
				t.Fatal(err)
			}
		}
	}
	if o.asked > blocks/2 {
		t.Errorf("asked %d times for %d blocks", o.asked, blocks)
	}
	_ = f.Close()
	o = newOrigin(blocks * blockSize)
	l, f := openOrigin(t, o)
	for _, at := range []int64{60, 5, 40, 20} {
		if _, err := f.Fetch(t.Context(), at*blockSize+7, at*blockSize+8); err != nil {
			t.Fatal(err)
		}
	}
	_ = f.Close()
	l.close()
	sum := 0
	for _, n := range o.sent {
		sum += n
	}
	if sum != 4 {
		t.Errorf("four jumps have brought %d blocks", sum)
	}
}

// TestPartsThatFail tells everybody who waits for what has failed, and begins anew for who comes later, with what is there.
func TestPartsThatFail(t *testing.T) {
	t.Parallel()
	broken := errors.New("the line is broken")
	o := newOrigin(4 * blockSize)
	o.fail = func(n int) error {
		if n == 1 {
			return broken
		}
		return nil
	}
	l, f := openOrigin(t, o)
	if _, err := f.Fetch(t.Context(), 0, 4*blockSize); !errors.Is(err, broken) {
		t.Errorf("Fetch = %v", err)
	}
	if _, err := f.Fetch(t.Context(), 0, 4*blockSize); err != nil || o.sent[0] != 1 || o.sent[3] != 1 {
		t.Errorf("afterwards: %v, blocks came %v times", err, o.sent)
	}
	_ = f.Close()
	wantUsage(t, l, Usage{}) // a download that has failed is not kept
	short, g := openOrigin(t, newOrigin(10))
	_ = g.Close()
	h, err := short.open(t.Context(), keyOf("b", 10), func(_ context.Context, _, _ int64, w io.Writer) error {
		_, err := w.Write([]byte("short"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Fetch(t.Context(), 0, 1); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("less came than was to: %v", err)
	}
	short.close()
	if _, err := h.Fetch(t.Context(), 0, 1); err == nil {
		t.Error("fetched after the end")
	}
	_ = h.Close()
}

// TestWhatIsReadAheadFails right after what is waited for has come: that is there.
func TestWhatIsReadAheadFails(t *testing.T) {
	t.Parallel()
	for range 300 {
		o := newOrigin(3 * blockSize)
		o.fail = func(n int) error {
			if n == 2 { // of two blocks, between them
				return errors.New("the line is broken")
			}
			return nil
		}
		_, f := openOrigin(t, o)
		for b := range int64(2) {
			if _, err := f.Fetch(t.Context(), b*blockSize, (b+1)*blockSize); err != nil {
				t.Fatalf("block %d has come, and Fetch = %v", b, err)
			}
		}
		_ = f.Close()
	}
}

// TestWhoGoesAway leaves while others wait for the same, and alone.
func TestWhoGoesAway(t *testing.T) {
	t.Parallel()
	begun, goOn := make(chan struct{}, 10), make(chan struct{})
	var ended atomic.Int32
	o := newOrigin(2 * blockSize)
	l, _ := testCache(t, func(c *Cache) { c.MaxBytes = 1 << 30 })
	f, err := l.open(t.Context(), keyOf("a", 2*blockSize), func(ctx context.Context, from, to int64, w io.Writer) error {
		begun <- struct{}{}
		select {
		case <-goOn:
			return o.read(ctx, from, to, w)
		case <-ctx.Done():
			ended.Add(1)
			return context.Cause(ctx)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it is nil
	ctx, cancel := context.WithCancel(t.Context())
	alone := make(chan error)
	go func() {
		_, err := f.Fetch(ctx, 0, 1)
		alone <- err
	}()
	<-begun
	cancel()
	if err := <-alone; !errors.Is(err, context.Canceled) {
		t.Errorf("who went away got %v", err)
	}
	// The next one is not told of it.
	ctx, cancel = context.WithCancel(t.Context())
	first, second := make(chan error), make(chan error)
	go func() {
		_, err := f.Fetch(ctx, 0, 1)
		first <- err
	}()
	<-begun
	go func() {
		_, err := f.Fetch(t.Context(), 1, 2)
		second <- err
	}()
	for f.waiters() != 2 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the first got %v", err)
	}
	close(goOn)
	if err := <-second; err != nil || ended.Load() != 1 {
		t.Errorf("the second got %v; %d were ended", err, ended.Load())
	}
}

// waiters is how many wait for what is coming.
func (f *File) waiters() (n int) {
	f.parts.mu.Lock()
	defer f.parts.mu.Unlock()
	for _, r := range f.parts.runs {
		n += r.waiters
	}
	return n
}

// TestPartsModel does everything at random.
func TestPartsModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.IntRange(1, 6*blockSize).Draw(rt, "size")
		o := newOrigin(size)
		failed := errors.New("no")
		o.fail = func(n int) error {
			if n%5 == 0 {
				return failed
			}
			return nil
		}
		made, err := newCache(Cache{Folder: t.TempDir(), MaxBytes: 1 << 30, Idle: time.Hour}, time.Now)
		if err != nil {
			rt.Fatal(err)
		}
		defer made.close()
		l := made.lane(2)
		for range 8 {
			f, err := l.open(t.Context(), keyOf("a", int64(size)), o.read)
			if err != nil {
				rt.Fatal(err)
			}
			for range 3 {
				from := rapid.IntRange(0, size-1).Draw(rt, "from")
				to := rapid.IntRange(from+1, size).Draw(rt, "to")
				end, err := f.Fetch(t.Context(), int64(from), int64(to))
				if errors.Is(err, failed) {
					continue
				}
				got := make([]byte, end-int64(from))
				if _, failed := f.File().ReadAt(got, int64(from)); err != nil || failed != nil || !bytes.Equal(got, o.content[from:end]) {
					rt.Fatalf("Fetch(%d, %d) of %d = %d, %v, %v", from, to, size, end, err, failed)
				}
			}
			_ = f.Close()
		}
	})
}
