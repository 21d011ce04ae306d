package video

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/video/wire"
)

// holes is a file that has only what was asked for.
type holes struct {
	*os.File
	mu    sync.Mutex
	from  *os.File
	size  int64
	have  map[int64]bool // windows of which anything was fetched
	calls int
	fail  func(n int) error
}

func newHoles(tb testing.TB, path string) *holes {
	tb.Helper()
	h := &holes{from: open(tb, path), have: map[int64]bool{}}
	info, err := h.from.Stat()
	if err != nil {
		tb.Fatal(err)
	}
	h.size = info.Size()
	if h.File, err = os.Create(filepath.Join(tb.TempDir(), filepath.Base(path))); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = h.Close() })
	if err := h.Truncate(h.size); err != nil {
		tb.Fatal(err)
	}
	return h
}

func (h *holes) fetch(_ context.Context, from, to int64) (int64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.calls++; h.fail != nil {
		if err := h.fail(h.calls); err != nil {
			return 0, err
		}
	}
	b := make([]byte, to-from)
	if _, err := h.from.ReadAt(b, from); err != nil {
		return 0, err
	}
	for w := from / wire.Window; w*wire.Window < to; w++ {
		h.have[w] = true
	}
	_, err := h.WriteAt(b, from)
	return to, err
}

// share is how much of the file was fetched.
func (h *holes) share() float64 { return float64(len(h.have)*wire.Window) / float64(h.size) }

// fetched plans and decodes a video out of a file that has only what was asked for.
func fetched(t *testing.T, d *Decoder, path string, o StreamOptions) (*Plan, []shot) {
	t.Helper()
	h := newHoles(t, path)
	d = d.Fetching(h.fetch)
	p := plan(t, d, h.File)
	shots, _ := watch(t, d, h.File, p, o)
	return p, shots
}

// large is a video of noise, with a megabyte and a half a second.
func large(t *testing.T, name string, seconds int, args string) string {
	t.Helper()
	return media(t, name, fmt.Sprintf("-f lavfi -i nullsrc=size=320x240:rate=25:duration=%d ", seconds)+"-vf geq=random(1)*255:128:128 -c:v libx264 -preset ultrafast -g 25 -b:v 12M "+args)
}

// TestFetchesWhatItNeeds decodes the last of many segments, and fetches a small part of the file for it.
func TestFetchesWhatItNeeds(t *testing.T) {
	t.Parallel()
	d := newDecoder(t, segmentsOf(time.Second))
	for _, c := range []struct {
		name, args string
		planned    float64 // the share of the file that planning may need
	}{
		{"index at the end.mp4", "", 0.4},
		{"index at the start.mp4", "-movflags faststart", 0.4},
		{"cues.mkv", "", 0.4},
		{"packets.ts", "", 1}, // which has no index
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHoles(t, large(t, c.name, 20, c.args))
			if h.size < 20<<20 {
				t.Fatalf("the video has %d bytes only", h.size)
			}
			p := plan(t, d.Fetching(h.fetch), h.File)
			planned := h.share()
			if share := planned; share > c.planned+0.05 {
				t.Errorf("planning has fetched %.2f of the file: %v of %d", share, slices.Sorted(maps.Keys(h.have)), h.size)
			}
			if len(p.Segments) < 15 {
				t.Fatalf("%d segments", len(p.Segments))
			}
			last := p.Segments[len(p.Segments)-2]
			h = newHoles(t, h.from.Name())
			s, err := d.Fetching(h.fetch).Open(t.Context(), h.File, p, last, StreamOptions{SampleRate: 5})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close() //nolint:errcheck // it is nil
			if n := len(drain(t, s)); n < 4 {
				t.Errorf("%d frames", n)
			}
			t.Logf("%d MB, %d segments: planning fetches %.2f of them, one segment %.2f", h.size>>20, len(p.Segments), planned, h.share())
			if share := h.share(); share > 0.5 {
				t.Errorf("one of %d segments has fetched %.2f of the file", len(p.Segments), share)
			}
		})
	}
}

// TestFetchThatFails gives the error of the fetch, wherever it comes, and no plan and no frame that is made of holes.
func TestFetchThatFails(t *testing.T) {
	t.Parallel()
	d := newDecoder(t, segmentsOf(time.Second))
	away := errors.New("the bucket is away")
	hungUp := fmt.Errorf("%w: %w", away, &os.PathError{Op: "get", Err: io.EOF}) // which is not the end of the frames
	path := large(t, "a.mp4", 5, "")
	good := plan(t, d, open(t, path))
	whole, _ := watch(t, d, open(t, path), good, StreamOptions{SampleRate: 5})
	planned, watched := false, false
	for n := 1; !planned || !watched; n += 1 + n/3 {
		h := newHoles(t, path)
		h.fail = func(calls int) error {
			if calls >= n {
				return hungUp
			}
			return nil
		}
		fetching := d.Fetching(h.fetch)
		switch p, err := fetching.Plan(t.Context(), h.File); {
		case err == nil:
			planned = true
			if diff := cmp.Diff(good, p); diff != "" {
				t.Fatal(diff)
			}
		case !errors.Is(err, away) || !errors.As(err, new(*os.PathError)):
			t.Fatalf("the %d. fetch fails: %v", n, err)
		}
		h.calls = 0
		var shots []shot
		var err error
		for _, seg := range good.Segments {
			var s *Stream
			if s, err = fetching.Open(t.Context(), h.File, good, seg, StreamOptions{SampleRate: 5}); err != nil {
				break
			}
			for {
				frame, failed := s.Next(t.Context())
				if failed != nil {
					err = failed
					break
				}
				shots = append(shots, shot{frame.Time, hashOf(&frame.Full), hashOf(&frame.Small)})
			}
			_ = s.Close()
			if !errors.Is(err, io.EOF) {
				break
			}
			err = nil
		}
		if watched = err == nil; err != nil && !errors.Is(err, away) {
			t.Fatalf("the %d. fetch fails: %v", n, err)
		}
		if len(shots) > 0 {
			same(t, "before it failed", shots, whole[:len(shots)])
		}
	}
}

// TestToolFetchesAll: the command line cannot ask for parts.
func TestToolFetchesAll(t *testing.T) {
	t.Parallel()
	d := newTool(t)
	h := newHoles(t, media(t, "a.mp4", "@pattern -c:v libx264 -g 25"))
	want, got := plan(t, d, h.from), plan(t, d.Fetching(h.fetch), h.File)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	h = newHoles(t, h.from.Name())
	o := StreamOptions{SampleRate: 5}
	wanted, _ := watch(t, d, h.from, want, o)
	shots, _ := watch(t, d.Fetching(h.fetch), h.File, got, o)
	same(t, "fetched", shots, wanted)
}
