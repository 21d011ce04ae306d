package video_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spotter-video/spotter/internal/video"
)

// Five frames a second of a whole video, segment by segment.
func Example() {
	watch := func(ctx context.Context, path string) error {
		d, err := video.New(video.DefaultConfig())
		if err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		plan, err := d.Plan(ctx, f)
		if err != nil {
			return err
		}
		for _, seg := range plan.Segments {
			s, err := d.Open(ctx, f, plan, seg, video.StreamOptions{SampleRate: 5, Lookahead: 2})
			if err != nil {
				return err
			}
			for err == nil {
				if _, err = s.Next(ctx); err == nil {
					continue // a frame to look at, until the next one
				}
			}
			_ = s.Close()
			if !errors.Is(err, io.EOF) {
				return err
			}
		}
		return nil
	}
	err := watch(context.Background(), os.DevNull)
	fmt.Println(video.KindOf(err), "-", err)
	// Output: invalid - null is not a regular file: a video must be a file on a disk, not a folder, pipe or device.
}
