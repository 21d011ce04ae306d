package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/search"
	"github.com/spotter-video/spotter/internal/video"
)

// analysis is one video whose segments are analysed side by side.
type analysis struct {
	*Engine
	query *Query
	path  string
	file  *os.File
	plan  *video.Plan
	// has says which segments are known already; nil for none.
	has map[int]bool
	// keep, if set, takes over what each segment gave, and what of it is damaged; by several goroutines. Its error ends all.
	keep func(n int, found *search.Tracklets, damage video.Damage) error

	mu       sync.Mutex
	found    []*search.Tracklets // of each segment; guarded by mu, as are the following
	failures []error
	damage   video.Damage    // of all segments together
	at       []time.Duration // how far each segment has been analysed
	analysed time.Duration   // of all segments together
	faces    int             // seen, each counted at each analysed time
}

func newAnalysis(e *Engine, v *Video, plan *video.Plan, q *Query) *analysis {
	n := len(plan.Segments)
	return &analysis{
		Engine: e, query: q, path: v.path, file: v.file, plan: plan, damage: plan.Damage,
		found: make([]*search.Tracklets, n), failures: make([]error, n), at: make([]time.Duration, n),
	}
}

// run analyses all segments, each on a recognizer of its own. A segment that fails fails alone; the answer holds what the
// others found, and what it had found itself until then.
func (a *analysis) run(ctx context.Context) ([]*search.Tracklets, error) {
	var group sync.WaitGroup
	for i := range a.plan.Segments {
		if a.has[i] {
			a.reached(i, a.plan.Segments[i].To-a.plan.Segments[i].From, 0)
			continue
		}
		if a.hopeless() {
			a.failures[i] = errors.New("not searched, as the decoder took too long before")
			break
		}
		rec, err := a.recognizers.take(ctx)
		if err != nil {
			a.gave(i, nil, video.Damage{}, err)
			break
		}
		group.Go(func() {
			defer a.recognizers.give(rec)
			found, damage, err := a.segment(ctx, rec, i)
			if err == nil && a.keep != nil {
				err = a.keep(i, found, damage)
				found = nil
			}
			a.gave(i, found, damage, err)
		})
	}
	group.Wait()
	return a.collect()
}

// segment analyses one segment.
func (a *analysis) segment(ctx context.Context, rec *recognizer.Recognizer, i int) (*search.Tracklets, video.Damage, error) {
	s := &segment{
		Segment: a.plan.Segments[i], plan: a.plan, file: a.file, portraits: a.query.Portraits,
		lookahead: lookahead(len(a.plan.Segments)*max(a.query.Beside, 1), a.recognizers.size()),
	}
	s.progress = func(at time.Duration, faces int) { a.reached(i, at-s.From, faces) }
	defer a.trace.begin(a.recognizers.number(rec), fmt.Sprintf("%s from %s to %s", a.path, clipTime(s.From), clipTime(s.To)))()
	found, damage, err := a.analyse(ctx, rec, s)
	if err == nil {
		a.reached(i, s.To-s.From, 0)
	}
	return found, damage, err
}

// reached says that a segment has been analysed this far from its start, and more faces seen.
func (a *analysis) reached(segment int, analysed time.Duration, faces int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if more := analysed - a.at[segment]; more > 0 {
		a.at[segment] += more
		a.analysed += more
	}
	a.faces += faces
	if a.query.Progress != nil {
		a.query.Progress(a.analysed, a.faces)
	}
}

// hopeless says that a segment ran into the time limit: those that follow may take as long, one after another.
func (a *analysis) hopeless() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.ContainsFunc(a.failures, func(err error) bool { return video.KindOf(err) == video.Timeout })
}

// gave notes what a segment gave.
func (a *analysis) gave(segment int, found *search.Tracklets, damage video.Damage, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.found[segment], a.failures[segment] = found, err
	a.damage.Add(damage)
}

// collect puts together what the segments gave. Of several failures the earliest in the video is told.
func (a *analysis) collect() (found []*search.Tracklets, err error) {
	for i := range a.found {
		if a.found[i] != nil {
			found = append(found, a.found[i])
		}
		if err == nil && a.failures[i] != nil {
			err = a.failures[i]
			if len(a.plan.Segments) > 1 {
				seg := &a.plan.Segments[i]
				err = fmt.Errorf("between %s and %s: %w", clipTime(seg.From), clipTime(seg.To), err)
			}
		}
	}
	return found, err
}

// clipTime writes a time within a video for an error message.
func clipTime(d time.Duration) string {
	d = d.Round(time.Second)
	return fmt.Sprintf("%d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
}
