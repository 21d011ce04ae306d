package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/video"
)

// tracks are the video tracks of a file that are searched, one after another. Most files have one; recorders of two
// cameras and of several programmes write more.
type tracks struct {
	*searching
	n    int // the video's number in the search
	file *os.File
	list []int32 // the tracks to search, as the decoder numbers them; known once the first has been planned
	all  []int32 // the tracks that there are
}

// plan plans the i-th track to be searched.
func (t *tracks) plan(ctx context.Context, i int) (*video.Plan, error) {
	planTrack := func(track int32) (*video.Plan, error) {
		return onceMore(ctx, func() (*video.Plan, error) { return t.engine.decoder.PlanTrack(ctx, t.file, track) })
	}
	if i > 0 {
		return planTrack(t.list[i])
	}
	var err error
	// Opening must not wait for the other end of a pipe; the decoder refuses what is no file.
	if t.file, err = os.OpenFile(t.videos[t.n], os.O_RDONLY|syscall.O_NONBLOCK, 0); err != nil {
		return nil, errors.New(fault.Reason(err))
	}
	const marked = -1 // the one that the file marks, or the first
	plan, err := planTrack(marked)
	if err != nil {
		return nil, err
	}
	t.all = plan.Videos
	switch {
	case t.track > max(len(t.all), 1):
		return nil, fmt.Errorf("the file has %s, and so no track %d", plural(len(t.all), "video track"), t.track)
	case t.track > 0 && len(t.all) > 1:
		t.list = t.all[t.track-1 : t.track]
	default:
		t.list = t.all
	}
	if len(t.list) == 0 || plan.Track.Stream == t.list[0] {
		return plan, nil
	}
	return planTrack(t.list[0])
}

// number is the i-th track's number in the file, from 1; 0 where the file has no other, or not as many.
func (t *tracks) number(i int) int {
	if len(t.all) < 2 || i >= len(t.list) {
		return 0
	}
	return slices.Index(t.all, t.list[i]) + 1
}

// close closes the file; that it was only read makes any error irrelevant.
func (t *tracks) close() {
	if t.file != nil {
		_ = t.file.Close()
	}
}

func trackName(n int) string { return fmt.Sprintf("track %d", n) }

// partialMessage says what of a video was not searched; empty where all was.
func partialMessage(missing []string) string {
	if len(missing) == 0 {
		return ""
	}
	return "Searched in part: " + strings.Join(missing, "; ") + "."
}
