package service

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Pace says how many segments of a job are enqueued, and when they are run among those of other jobs.
//
// Jobs take turns. Each segment has a turn, a number, and those with the lowest are run first. The turns of a job's segments lie as far apart as
// there are jobs of its access key, so that all keys get through as many segments, and all jobs of a key. A job that begins, or that could not go on
// for a while, begins at the turn of now: it is not behind the others, and has nothing to catch up on. (This is start-time fair
// queueing: Goyal, Vin and Cheng, SIGCOMM 1996; a key is a flow, whose jobs share its weight.)
type Pace struct {
	// Ahead is how many segments may be in the queue and not saved.
	Ahead int
	// Turn is that of now: no segment gets a lower one. Step is how far apart those of the job are.
	Turn, Step int64
}

// OpenJobs are the jobs in progress of one access key, empty for those who need none, either of its background or of its others.
type OpenJobs struct {
	Key        string
	Background bool
	Jobs       int
	Oldest     time.Time
	// Working have segments that are not saved, and so many of them. Turn is the lowest that a next segment of theirs gets; 0 if none are.
	Working  int
	Segments int64
	Turn     int64
}

// Window is how many segments of one job of a key may wait or be worked on at once, of all that keep the workers busy. Keys share alike, but
// none gets more than it has segments, so that the rest is left to others.
func Window(all int, own OpenJobs, others []OpenJobs) int {
	demands := make([]int64, 0, 1+len(others))
	demands = append(demands, own.Segments)
	for i := range others {
		demands = append(demands, others[i].Segments)
	}
	share := int(min(own.Segments, level(int64(all), demands)))
	return max(1, ceil(share, max(1, own.Working)))
}

// level is the most that anybody gets where all is shared: who wants less gets what it wants, and the rest is shared by the others.
func level(all int64, demands []int64) int64 {
	slices.Sort(demands)
	for i, d := range demands {
		sharing := int64(len(demands) - i)
		if d*sharing >= all {
			return (all + sharing - 1) / sharing
		}
		all -= d
	}
	return all + demands[len(demands)-1]
}

func ceil(a, b int) int { return (a + b - 1) / b }

// PaceOf is the pace of a job among those that are open, by what is known of them. The job is one of its key, with the segments that it has not
// saved; it begins if it is not among those with segments yet. All is how many segments together keep the workers busy, and turn the
// highest that has come, if that is known.
func PaceOf(j OpenJobs, begins bool, open []OpenJobs, all int, turn int64) Pace {
	own, others := OpenJobs{}, make([]OpenJobs, 0, len(open))
	for _, o := range open {
		switch {
		case o.Background != j.Background:
		case o.Key == j.Key:
			own = o
		case o.Working > 0:
			others = append(others, o)
		}
	}
	if begins {
		turn = max(turn, turnOfNow(all, append(others, own)))
	}
	if begins || own.Working == 0 {
		own.Working, own.Segments = own.Working+1, own.Segments+j.Segments
	}
	return Pace{Ahead: Window(all, own, others), Turn: turn, Step: int64(own.Working)}
}

// pace is that of a job now, of which so many segments are not saved. A job without a plan is about to get one.
func (s *Service) pace(ctx context.Context, j *Job, left int) Pace {
	all, turn := s.settings.SegmentsAhead, int64(0)
	if s.ports.Slots != nil {
		all = max(all, 2*s.ports.Slots())
	}
	if s.ports.Turn != nil {
		turn = s.ports.Turn(j.Background)
	}
	about := OpenJobs{Key: j.Key, Background: j.Background, Segments: int64(left)}
	begins := j.Plan == nil // many may begin at the same time
	return PaceOf(about, begins, s.open.list(ctx, s.ports.Store, s.ports.Now(), begins), all, turn)
}

// turnOfNow is about the turn that segments have which wait, as far as the jobs say: what is theirs are the turns after those.
func turnOfNow(all int, open []OpenJobs) (turn int64) {
	first := true
	for i, o := range open {
		if o.Turn == 0 {
			continue
		}
		others := slices.Delete(slices.Clone(open), i, i+1)
		waiting := o.Turn - int64(Window(all, o, others)*o.Working)
		if first || waiting < turn {
			turn, first = waiting, false
		}
	}
	return max(0, turn)
}

// openJobs are the jobs that are open, as of a moment ago.
type openJobs struct {
	mu    sync.Mutex
	all   []OpenJobs
	asked time.Time
	fresh time.Duration
}

// openFresh is how long what is open is good for: less than a segment takes. Many jobs are counted less often.
const (
	openFresh    = 2 * time.Second
	openFreshFor = 500 // jobs
)

// list is what is open, at this moment or lately; if that cannot be read, what was. Nobody changes it.
func (o *openJobs) list(ctx context.Context, store Store, at time.Time, exact bool) []OpenJobs {
	o.mu.Lock()
	defer o.mu.Unlock()
	if exact || o.asked.IsZero() || at.Sub(o.asked) >= o.fresh || at.Before(o.asked) {
		if all, err := store.OpenJobs(ctx); err == nil {
			n := count(all)
			o.all, o.asked, o.fresh = all, at, openFresh*time.Duration(1+n/openFreshFor)
		}
	}
	return o.all
}

// count of the jobs.
func count(open []OpenJobs) (n int) {
	for i := range open {
		n += open[i].Jobs
	}
	return n
}
