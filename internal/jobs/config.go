package jobs

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Config says how tasks are run. Start from [Default].
type Config struct {
	// ID names this process among those that share the database, for as long as it lives; empty: one is made up.
	ID string
	// Workers is how many segment tasks run side by side. More of them use more cores and as much more memory.
	Workers int
	// Plans and Finishes are how many plan and finish tasks run side by side, beside the segments. Plans mostly wait for a
	// download: with fewer than there are jobs, a slow one keeps others from beginning. Finishes hold a whole video's tracklets
	// in memory.
	Plans, Finishes int

	// Attempts is how often a task may fail before it is given up.
	Attempts int
	// Crashes is how many processes may die over a task before it is given up.
	Crashes int
	// MinBackoff is the pause after the first failure, MaxBackoff the longest one; each pause is at least half as long as
	// that, at random, so that tasks that failed together do not come back together.
	MinBackoff, MaxBackoff time.Duration
	// PassOn is how soon a task that this process cannot do ([service.Elsewhere]) can be taken up again, by another process or by
	// this one; Elsewhere is how long it is passed on before it is given up.
	PassOn, Elsewhere time.Duration
	// Timeout is how long one attempt may take before its context is cancelled, and PlanTimeout one at a plan.
	Timeout, PlanTimeout time.Duration

	// Poll is how often a queue is looked at without being woken, which is how retries are found. Shorter finds them
	// sooner and costs more when idle. New tasks wake the queue by themselves.
	Poll time.Duration
	// Keep is how long rows of done tasks are kept.
	Keep time.Duration
	// SweepEvery is the time between calls of [Worker.Sweep].
	SweepEvery time.Duration
	// Grace is how long a stop waits for tasks to return that it has cancelled.
	Grace time.Duration

	// Recover takes running tasks back when the queue starts. Set it where one process owns the database, and only there. Where
	// processes share it, those that live take tasks back from those that do not.
	Recover bool

	// Serves says that this process answers requests: see [Queue.Doors].
	Serves bool
	// Beat is, where processes share the database, how often each says that it lives. One that has not for four beats counts as
	// dead, and its tasks are run by others at the next beat of theirs.
	Beat time.Duration

	// Logger takes what is worth a person's attention, and River's own messages at the debug level; nil: nobody does.
	Logger *slog.Logger
	// Now is the clock. It must be the machine's own: River compares with it.
	Now func() time.Time
}

// Default is what is right for one process on one machine, without a clock.
func Default() Config {
	return Config{
		Workers:  1,
		Plans:    20, // Rekognition's limit of open jobs
		Finishes: 2,
		// With pauses of 1, 3, 9, 27, 81, 243 and 300 s, 8 attempts ride out an outage of some 5 to 11 minutes.
		Attempts:   8,
		Crashes:    25,
		MinBackoff: time.Second,
		MaxBackoff: 5 * time.Minute,
		// Some seconds more do not count where segments take that long. A day is enough for an upgrade, machine by machine, to end
		// or to be taken back.
		PassOn:    10 * time.Second,
		Elsewhere: 24 * time.Hour,
		Timeout:   30 * time.Minute,
		// 10 GB, the largest video that Rekognition takes, in 24 hours is 1 Mb/s.
		PlanTimeout: 24 * time.Hour,
		Poll:        2 * time.Second, // measured: about 1 % of a core when idle, most of it the reading of SQL
		Keep:        2 * time.Minute,
		SweepEvery:  10 * time.Minute,
		Grace:       10 * time.Second,
		Recover:     true,
		Beat:        5 * time.Second, // tasks of a dead process wait for 25 s at most
	}
}

// Validate names the first setting that cannot be meant.
func (c Config) Validate() error {
	counts := []struct {
		name  string
		value int
	}{
		{"Workers", c.Workers},
		{"Plans", c.Plans},
		{"Finishes", c.Finishes},
		{"Attempts", c.Attempts},
		{"Crashes", c.Crashes},
	}
	for _, n := range counts {
		if n.value < 1 || n.value > mostSlots {
			return fmt.Errorf("jobs: %s is %d; set it between 1 and %d", n.name, n.value, mostSlots)
		}
	}
	return c.validateTimes()
}

// mostSlots is River's own limit for one queue's workers; for the other counts it is just as good.
const mostSlots = 10_000

func (c Config) validateTimes() error {
	times := []struct {
		name  string
		value time.Duration
		least time.Duration
	}{
		{"MinBackoff", c.MinBackoff, time.Millisecond},
		{"MaxBackoff", c.MaxBackoff, c.MinBackoff},
		{"PassOn", c.PassOn, time.Millisecond},
		{"Elsewhere", c.Elsewhere, c.PassOn},
		{"Timeout", c.Timeout, time.Millisecond},
		{"PlanTimeout", c.PlanTimeout, time.Millisecond},
		{"Poll", c.Poll, cooldown},
		{"Keep", c.Keep, time.Millisecond},
		{"SweepEvery", c.SweepEvery, time.Millisecond},
		{"Grace", c.Grace, time.Millisecond},
		{"Beat", c.Beat, time.Millisecond},
	}
	for _, d := range times {
		if d.value < d.least {
			return fmt.Errorf("jobs: %s is %v; set it to at least %v", d.name, d.value, d.least)
		}
	}
	if c.Now == nil {
		return errors.New("jobs: Now is not set; set it to the machine's clock")
	}
	return nil
}
