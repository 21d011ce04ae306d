package patience

import (
	"context"
	"errors"
	"os"
	"time"
)

// Patience is how much processes may spend before they have done what a test waits for.
type Patience struct {
	// Idle is how long they may do nothing, in looks of a tenth of a second. Raising it makes failures slower to show.
	Idle time.Duration
	// Effort is how much processor time they may use. Raising it makes it later that a test sees them run in circles.
	Effort time.Duration
}

// Usual is for whoever waits for programs and has no reason for another: nothing that a test waits for takes a program a tenth of
// it, and a whole suite's programs use less when all of them count.
func Usual() Patience { return Patience{Idle: 2 * time.Minute, Effort: 30 * time.Minute} }

// ErrOver is the cause of a context that ended because patience did.
var ErrOver = errors.New("the processes waited for have done nothing, or too much, for too long")

const (
	// lookEvery is the time between two looks at processes.
	lookEvery = 100 * time.Millisecond
	// leastMove is how much of that time they use or want a processor if they do something: what only wakes up to look for
	// work uses less than a hundredth.
	leastMove = lookEvery / 20
	// starved is how many looks at processes that want a processor are as one at processes that want none: some always
	// want one on a busy machine, although all that they do is to look for work.
	starved = 20
	// askEvery is the time between two questions of Until.
	askEvery = 10 * time.Millisecond
)

// Context is one that ends with the parent, or when patience with the processes and all that they have started is over; then
// its cause is [ErrOver]. Without processes it is this one. The function ends it and must be called.
func (p Patience) Context(parent context.Context, processes ...int) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	if len(processes) == 0 {
		processes = []int{os.Getpid()}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if p.spend(ctx, processes) {
			cancel(ErrOver)
		}
	}()
	return ctx, func() {
		cancel(context.Canceled)
		<-ended
	}
}

// Until asks again and again until the answer is yes, and says false if patience with the processes is over before.
func (p Patience) Until(ctx context.Context, yes func() bool, processes ...int) bool {
	ctx, cancel := p.Context(ctx, processes...)
	defer cancel()
	ask := time.NewTicker(askEvery)
	defer ask.Stop()
	for !yes() {
		select {
		case <-ask.C:
		case <-ctx.Done():
			return yes() // it may have become true while nobody asked
		}
	}
	return true
}

// spend returns true when patience is over, and false when the context is.
func (p Patience) spend(ctx context.Context, processes []int) bool {
	watch := newWatch(processes)
	defer watch.close()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for p.Idle > 0 && p.Effort > 0 {
		select {
		case <-ctx.Done():
			return false
		case <-look.C:
		}
		used, waited := watch.look()
		p.Effort -= used
		if used+waited < leastMove {
			p.Idle -= lookEvery
		} else {
			p.Idle -= lookEvery / starved
		}
	}
	return true
}
