package batch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/report"
)

func TestInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		n, most := rapid.IntRange(0, 40).Draw(rt, "pieces"), rapid.IntRange(1, 6).Draw(rt, "most")
		takes := rapid.SliceOfN(rapid.IntRange(0, 50), n, n).Draw(rt, "durations")
		synctest.Test(t, func(t *testing.T) {
			var open atomic.Int64
			next := 0
			err := inOrder(t.Context(), n, most, func(_ context.Context, i int) (int, error) {
				if now := open.Add(1); now > int64(most) {
					t.Errorf("%d pieces are open at once, want %d at most", now, most)
				}
				time.Sleep(time.Duration(takes[i]) * time.Millisecond)
				return i, nil
			}, func(i int) error {
				if i != next {
					t.Errorf("piece %d was handed on, want %d", i, next)
				}
				next++
				open.Add(-1)
				return nil
			})
			if err != nil || next != n {
				t.Errorf("%d of %d pieces were handed on (%v)", next, n, err)
			}
		})
	})
}

func TestInOrderStops(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		work func(ctx context.Context, i int) (int, error)
		each func(int) error
		want error
	}{
		"work fails": {
			work: func(ctx context.Context, i int) (int, error) {
				if i == 3 {
					return 0, broken
				}
				<-ctx.Done()
				return 0, ctx.Err()
			},
			want: broken,
		},
		"handing on fails": {
			work: func(_ context.Context, i int) (int, error) { return i, nil },
			each: func(i int) error {
				if i == 2 {
					return broken
				}
				return nil
			},
			want: broken,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // which fails when a goroutine is left
				if err := inOrder(t.Context(), 100, 4, c.work, c.each); !errors.Is(err, c.want) {
					t.Errorf("error %v, want %v", err, c.want)
				}
			})
		})
	}
}

func TestInOrderIsCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := inOrder(ctx, 100, 4, func(ctx context.Context, _ int) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		}, func(int) error { return nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

// TestALimitIsOfVideos has a video of two tracks, the second of which comes after that of another one.
func TestALimitIsOfVideos(t *testing.T) {
	t.Parallel()
	for most, want := range []string{"a1 b1 a2 c1", "a1 a2", "a1 b1 a2", "a1 b1 a2 c1", "a1 b1 a2 c1"} {
		var names []string
		for _, f := range ofVideos([]*Found{found("a", 1), found("b", 1), found("a", 2), found("c", 1)}, most) {
			names = append(names, fmt.Sprint(f.path, f.video.Track))
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("of %d videos: %s, want %s", most, got, want)
		}
	}
}

func found(path string, track int) *Found {
	return &Found{path: path, video: report.Video{Track: track}}
}
