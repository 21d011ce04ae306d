package main

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

// setting is a play's.
type setting struct {
	workers int
	seed    uint64
	length  time.Duration // of the play
	// segment is how much video one is, cost how long a worker takes for it.
	segment, cost time.Duration
	// longs jobs of long videos are always open, few of them of one access key and all others of another; short ones, of a third key, begin at
	// random, on average that far apart.
	long, short, shortEvery time.Duration
	longs, few              int
	// A worker dies after so long on average, and is there again after returns. What it was running is taken from it when it has been silent
	// for noticed, and somebody looks, once a beat.
	dies, returns, noticed, beat time.Duration
}

// policy says how many segments of one job may be in the queue, and in what order they are run.
type policy struct {
	name string
	pace func(s *stage, j *job, begins bool) service.Pace
}

func policies() []policy {
	window := func(size func(workers, open int) int) func(*stage, *job, bool) service.Pace {
		return func(s *stage, _ *job, _ bool) service.Pace { return service.Pace{Ahead: size(s.workers, s.open)} }
	}
	return []policy{
		{"all at once", window(func(int, int) int { return math.MaxInt / 2 })},
		{"2 x workers for each job", window(func(workers, _ int) int { return 2 * workers })},
		{"2 x workers for all jobs", window(func(workers, open int) int { return (2*workers + open - 1) / open })},
		{"turns, by access key", (*stage).turns},
	}
}

// turns is the pace of a job as a server has it.
func (s *stage) turns(j *job, begins bool) service.Pace {
	if begins || s.now >= s.counted+countEvery {
		s.counted, s.loads = s.now, s.loads[:0]
		for o := range s.jobs {
			s.count(o)
		}
	}
	about := service.OpenJobs{Key: j.key, Segments: int64(j.all - j.saved)}
	return service.PaceOf(about, begins, s.loads, 2*s.workers, s.turn)
}

// countEvery is how often processes count the open jobs, while none begins.
const countEvery = 2 * time.Second

// count adds a job to the loads.
func (s *stage) count(j *job) {
	i := slices.IndexFunc(s.loads, func(o service.OpenJobs) bool { return o.Key == j.key })
	if i < 0 {
		i, s.loads = len(s.loads), append(s.loads, service.OpenJobs{Key: j.key, Turn: j.turn})
	}
	o := &s.loads[i]
	o.Jobs, o.Working, o.Segments, o.Turn = o.Jobs+1, o.Working+1, o.Segments+int64(j.all-j.saved), min(o.Turn, j.turn)
}

// outcome is what a play has come to.
type outcome struct {
	waits       []time.Duration // of short jobs, from the beginning to that of their only segment
	busy        float64         // share of the workers' time
	deaths      int
	longestLost time.Duration  // from a death to the new beginning of what was running
	segments    map[string]int // by access key
}

// wait is that of a share of the short jobs at most.
func (o *outcome) wait(share float64) time.Duration {
	if len(o.waits) == 0 {
		return 0
	}
	slices.Sort(o.waits)
	return o.waits[min(len(o.waits)-1, int(math.Ceil(share*float64(len(o.waits))))-1)]
}

// share is how many of the segments of long videos are of the key with few of them.
func (o *outcome) share() float64 {
	return float64(o.segments[fewJobs]) / float64(o.segments[fewJobs]+o.segments[manyJobs])
}

// job is one that is open.
type job struct {
	key           string
	began         time.Duration
	all           int
	queued, saved int
	turn          int64
}

// Access keys.
const (
	manyJobs  = "many long videos"
	fewJobs   = "few long videos"
	shortJobs = "short videos"
)

// task is a segment that waits or is worked on. Those that were begun before go first.
type task struct {
	job   *job
	turn  int64
	seq   int
	again bool
	lost  time.Duration // when its worker died; 0 if none has
}

type event struct {
	at  time.Duration
	seq int
	do  func()
}

// events are what is to happen, the soonest first, and of those at one time the one that was planned first.
type events []event

// Len, Less, Swap, Push and Pop implement [heap.Interface].
func (e events) Len() int { return len(e) }

// Less says which comes first.
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}

// Swap exchanges two.
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Push appends one.
func (e *events) Push(x any) { *e = append(*e, x.(event)) } //nolint:errcheck,forcetypeassert // it is one

// Pop takes the last one.
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}

// tasks are those that wait, by their turns, and of those with one turn the one that came first.
type tasks []*task

// Len, Less, Swap, Push and Pop implement [heap.Interface].
func (q tasks) Len() int { return len(q) }

// Less says which comes first.
func (q tasks) Less(i, j int) bool {
	return q[i].turn < q[j].turn || q[i].turn == q[j].turn && q[i].seq < q[j].seq
}

// Swap exchanges two.
func (q tasks) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push appends one.
func (q *tasks) Push(x any) { *q = append(*q, x.(*task)) } //nolint:errcheck,forcetypeassert // it is one

// Pop takes the last one.
func (q *tasks) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}

// stage is a play under way.
type stage struct {
	setting
	policy policy
	random *rand.Rand
	now    time.Duration
	events events
	seq    int

	first   []*task // that were begun before, in their order
	queue   tasks
	open    int
	idle    []*worker
	outcome outcome
	worked  time.Duration

	jobs    map[*job]bool
	turn    int64 // the highest that has come
	counted time.Duration
	loads   []service.OpenJobs
}

// worker does one segment at a time. Each of its lives has a number.
type worker struct {
	life int
	task *task
}

func play(s setting, p policy) *outcome {
	st := &stage{setting: s, policy: p, jobs: map[*job]bool{}, outcome: outcome{segments: map[string]int{}}, random: rand.New(rand.NewPCG(s.seed, uint64(s.workers)))} //nolint:gosec // G404, G115: to be repeated
	for range s.workers {
		w := &worker{}
		st.idle = append(st.idle, w)
		st.mortal(w)
	}
	for n := range s.longs {
		if n < s.few {
			st.begin(fewJobs, s.long)
		} else {
			st.begin(manyJobs, s.long)
		}
	}
	st.shorts()
	for len(st.events) > 0 && st.events[0].at < s.length {
		e := heap.Pop(&st.events).(event) //nolint:errcheck,forcetypeassert // it is one
		st.now = e.at
		e.do()
	}
	st.outcome.busy = st.worked.Seconds() / s.length.Seconds() / float64(s.workers)
	return &st.outcome
}

func (s *stage) after(d time.Duration, do func()) {
	s.seq++
	heap.Push(&s.events, event{s.now + d, s.seq, do})
}

func (s *stage) random0(mean time.Duration) time.Duration {
	return time.Duration(s.random.ExpFloat64() * float64(mean))
}

// shorts has short jobs begin.
func (s *stage) shorts() {
	s.after(s.random0(s.shortEvery), func() {
		s.begin(shortJobs, s.short)
		s.shorts()
	})
}

func (s *stage) begin(key string, length time.Duration) {
	j := &job{key: key, began: s.now, all: int(math.Ceil(length.Seconds() / s.segment.Seconds()))}
	s.open++
	pace := s.policy.pace(s, j, true)
	s.jobs[j] = true
	s.ahead(j, pace)
}

// ahead puts as many segments of a job into the queue as may be there.
func (s *stage) ahead(j *job, pace service.Pace) {
	for ; j.queued < min(j.all, j.saved+pace.Ahead); j.queued++ {
		j.turn = max(j.turn, pace.Turn)
		s.seq++
		heap.Push(&s.queue, &task{job: j, turn: j.turn, seq: s.seq})
		j.turn += pace.Step
	}
	s.hire()
}

// hire gives tasks to workers that have none.
func (s *stage) hire() {
	for len(s.idle) > 0 {
		var t *task
		switch {
		case len(s.first) > 0:
			t, s.first = s.first[0], s.first[1:]
		case len(s.queue) > 0:
			t = heap.Pop(&s.queue).(*task) //nolint:errcheck,forcetypeassert // it is one
			s.turn = max(s.turn, t.turn)
		default:
			return
		}
		w := s.idle[len(s.idle)-1]
		s.idle = s.idle[:len(s.idle)-1]
		s.work(w, t)
	}
}

func (s *stage) work(w *worker, t *task) {
	if t.job.key == shortJobs && !t.again {
		s.outcome.waits = append(s.outcome.waits, s.now-t.job.began)
	}
	if t.again {
		s.outcome.longestLost = max(s.outcome.longestLost, s.now-t.lost)
	}
	w.task = t
	life := w.life
	took := time.Duration((.7 + .6*s.random.Float64()) * float64(s.cost)) // some show more than others
	s.after(took, func() {
		if w.life != life {
			return // it died over it
		}
		s.worked += took
		w.task = nil
		s.idle = append(s.idle, w)
		s.save(t.job)
		s.hire()
	})
}

func (s *stage) save(j *job) {
	s.outcome.segments[j.key]++
	if j.saved++; j.saved < j.all {
		s.ahead(j, s.policy.pace(s, j, false))
		return
	}
	s.open--
	delete(s.jobs, j)
	if j.key != shortJobs {
		s.begin(j.key, s.long) // another long video
	}
}

// mortal has a worker die one day, and come back.
func (s *stage) mortal(w *worker) {
	s.after(s.random0(s.dies), func() {
		s.outcome.deaths++
		w.life++
		if t := w.task; t != nil {
			died := s.now
			silent := s.noticed + time.Duration(s.random.Float64()*float64(s.beat)) // until somebody looks
			s.after(silent, func() {
				t.again, t.lost = true, died
				s.first = append(s.first, t)
				s.hire()
			})
		} else {
			s.idle = slices.DeleteFunc(s.idle, func(o *worker) bool { return o == w })
		}
		w.task = nil
		s.after(s.returns, func() {
			s.idle = append(s.idle, w)
			s.hire()
			s.mortal(w)
		})
	})
}
