package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spotter-video/spotter/internal/archive"
	"github.com/spotter-video/spotter/internal/engine"
	"github.com/spotter-video/spotter/internal/testkit/media"
)

// shown is how many clips a page of answers has.
const shown = 10

// questions asks an archive.
type questions struct {
	*settings
	engine  *engine.Engine
	archive *archive.Archive
	folder  string
	crowd   *engine.Crowd
}

func (q *questions) run(ctx context.Context) (_ *report, err error) {
	people, err := q.people(ctx)
	if err != nil {
		return nil, err
	}
	r := &report{}
	if q.crowd, err = q.engine.NewCrowd(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, q.crowd.Close()) }()
	began := time.Now()
	var numbers []int64
	err = q.archive.EachCodes(ctx, func(number int64, codes []byte) error {
		numbers = append(numbers, number)
		return q.crowd.Add(number, codes)
	})
	if err != nil {
		return nil, err
	}
	r.Load, r.Clips, r.Tracklets = milliseconds(time.Since(began)), len(numbers), q.crowd.Len()
	r.Memory = float64(q.crowd.Bytes()) / float64(max(r.Tracklets, 1))
	r.Read = plainRead(int(q.crowd.Bytes()))
	for _, number := range numbers {
		a, err := q.archive.Analysis(ctx, number)
		if err != nil {
			return nil, err
		}
		r.Hours += (time.Duration(a.Segments) * stretch).Hours()
	}
	if err := q.ask(ctx, r, people); err != nil {
		return nil, err
	}
	return r, q.check(ctx, r, people, numbers)
}

// people enrols those of the film, each alone.
func (q *questions) people(ctx context.Context) (list []*engine.People, err error) {
	folder := filepath.Join(q.folder, "people")
	if err := media.MakePeople(ctx, filepath.FromSlash(media.Folder), folder); err != nil {
		return nil, err
	}
	for _, p := range media.Portraits() {
		name, _, _ := strings.Cut(p.File, "/")
		who, err := q.engine.Enrol(ctx, []engine.Photo{{Path: filepath.Join(folder, p.File), Person: name, ExternalID: name}}, engine.Enrolment{
			Progress: func(int) {}, Note: func(string, string, bool) {},
		})
		if err != nil {
			return nil, err
		}
		list = append(list, who)
	}
	return list, nil
}

// ask asks all questions and measures.
func (q *questions) ask(ctx context.Context, r *report, people []*engine.People) error {
	var look, best, clip []float64
	candidates, found := 0, 0
	for n := range q.questions {
		who := people[n%len(people)]
		began := time.Now()
		list, err := q.crowd.Candidates(ctx, who)
		if err != nil {
			return err
		}
		look = append(look, milliseconds(time.Since(began)))
		candidates += len(list)
		took, in, err := q.finish(ctx, list[:min(len(list), shown)], who)
		if err != nil {
			return err
		}
		clip, found = append(clip, took...), found+in
		best = append(best, milliseconds(time.Since(began)))
	}
	r.Look, r.Best, r.Clip = spreadOf(look), spreadOf(best), spreadOf(clip).Median
	r.Candidates, r.Found = float64(candidates)/float64(q.questions), float64(found)/float64(q.questions)
	return nil
}

// finish finishes clips side by side, and says how long each took and how many show somebody.
func (q *questions) finish(ctx context.Context, list []engine.Candidate, who *engine.People) (took []float64, found int, err error) {
	took = make([]float64, len(list))
	var in atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, c := range list {
		group.Go(func() error {
			began := time.Now()
			shown, failed := q.finds(ctx, c.Number, who)
			if took[i] = milliseconds(time.Since(began)); shown {
				in.Add(1)
			}
			return failed
		})
	}
	err = group.Wait()
	return took, int(in.Load()), err
}

// finds says whether a clip shows somebody, by finishing it.
func (q *questions) finds(ctx context.Context, number int64, who *engine.People) (bool, error) {
	a, err := q.archive.Analysis(ctx, number)
	if err != nil {
		return false, err
	}
	found, err := q.engine.Recall(ctx, &engine.Record{
		Terms: a.Terms, Plan: a.Plan, Each: func(pictures bool, each func(int, []byte, []byte) error) error {
			return q.archive.EachSegment(ctx, a.ID, pictures, each)
		},
	}, who, false)
	if err != nil {
		return false, err
	}
	for _, s := range found.Sightings {
		if len(s.Matches) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// check finishes some clips for somebody, candidates or not: nobody may be found in one that is none.
func (q *questions) check(ctx context.Context, r *report, people []*engine.People, numbers []int64) error {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	for n := range q.checked {
		who := people[n%len(people)]
		list, err := q.crowd.Candidates(ctx, who)
		if err != nil {
			return err
		}
		number := numbers[random.IntN(len(numbers))]
		in, err := q.finds(ctx, number, who)
		if err != nil {
			return err
		}
		if in && !slices.ContainsFunc(list, func(c engine.Candidate) bool { return c.Number == number }) {
			return fmt.Errorf("analysis %d shows somebody who was not looked for there", number)
		}
		r.Checked++
	}
	return nil
}

func spreadOf(list []float64) spread {
	if len(list) == 0 {
		return spread{}
	}
	slices.Sort(list)
	return spread{Median: list[len(list)/2], Worst: list[len(list)*99/100]}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// plainRead is how long it takes to read so many bytes of memory once, on one core: the best of some times.
func plainRead(size int) float64 {
	words := make([]uint64, size/8)
	for i := range words {
		words[i] = uint64(i)
	}
	best := time.Duration(1<<63 - 1)
	sum := uint64(0)
	for range 5 {
		began := time.Now()
		var s [4]uint64
		for i := 0; i+4 <= len(words); i += 4 {
			s[0] += words[i]
			s[1] += words[i+1]
			s[2] += words[i+2]
			s[3] += words[i+3]
		}
		best = min(best, time.Since(began))
		sum += s[0] + s[1] + s[2] + s[3]
	}
	if sum == 0 {
		return 0
	}
	return milliseconds(best)
}
