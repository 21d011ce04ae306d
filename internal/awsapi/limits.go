package awsapi

import (
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits hold callers back. Rates are requests a second, of which a second's worth, and one at least, may come at once; 0
// is no limit.
type Limits struct {
	// PerOperation is how often an access key may call an operation, by the operation's name. More are answered with a
	// ProvisionedThroughputExceededException.
	PerOperation map[string]float64
	// PerKey is how often an access key may call anything, Overall how often all of them together may. More are answered
	// with a ThrottlingException.
	PerKey, Overall float64
	// Doors is how many doors share the rates: each lets its part through. It may change at any time; nil for this one alone.
	Doors func() int
	// InFlight is how many requests are worked on at a time, and an eighth of how many may be on their way in: as many again
	// of callers whose headers prove who they are, and of others, a quarter of these from one address. More are answered with a
	// ThrottlingException. The server in front of the door must give slow senders a deadline. Holders of web identities are worked on
	// in places of their own, a quarter as many, of which a quarter for one address.
	InFlight int
	// Bodies is how many bytes the bodies of all requests together may take in memory, from when they arrive until they are
	// answered, not counting the first 64 KiB of each; 0 for 512 MiB. Of those whose signature has not been checked, all together
	// may take half of it, and those of one address a quarter. More are answered with a ThrottlingException.
	Bodies int64
}

// check says which limit means nothing.
func (l *Limits) check(t table) error {
	for name, perSecond := range l.PerOperation {
		if t[targetOf(name)] == nil {
			return fmt.Errorf("rate limit of operation %q: there is no such operation", name)
		}
		if !meaningful(perSecond) {
			return fmt.Errorf("rate limit of operation %s: %v requests a second", name, perSecond)
		}
	}
	if !meaningful(l.PerKey) || !meaningful(l.Overall) || l.InFlight < 0 || l.Bodies < 0 {
		return fmt.Errorf("rate limits: %v requests a second per key, %v overall, %d in flight of %d bytes",
			l.PerKey, l.Overall, l.InFlight, l.Bodies)
	}
	return nil
}

func meaningful(perSecond float64) bool { return perSecond >= 0 && !math.IsInf(perSecond, 1) }

// throttle applies [Limits]. Safe for concurrent use.
type throttle struct {
	limits  Limits
	now     func() time.Time
	overall *limiter
	// places has one for each request in flight, arrivals one for each that is on its way in of somebody who is known; nil for
	// no limit. unproven has one for each of the others.
	places, arrivals chan struct{}
	unproven         *shares
	// strangers has a place for each request in flight of somebody who may never be known.
	strangers *shares

	mu sync.Mutex
	// limiters are made when first needed. They are only ever asked for keys that exist, so there are not many.
	limiters map[limited]*limiter
}

// limited is what a rate is kept of: a key's calls of one operation, or of all with none named.
type limited struct{ key, operation string }

func newThrottle(l Limits, now func() time.Time) *throttle {
	t := &throttle{limits: l, now: now, overall: newLimiter(l.Overall, l.Doors), limiters: map[limited]*limiter{}}
	if l.InFlight > 0 {
		t.places, t.arrivals = make(chan struct{}, l.InFlight), make(chan struct{}, senders*l.InFlight)
		t.unproven = newShares(int64(senders*l.InFlight), int64(senders*l.InFlight/part))
		t.strangers = newShares(int64(max(l.InFlight/part, 1)), int64(l.InFlight/part/part))
	}
	return t
}

// enter takes a place to be worked on, to be given back by calling leave; there may be none. Who is not known, and so has an
// address, may have to be asked about elsewhere, which takes long, and so takes no place of those who are.
func (t *throttle) enter(sender string) (leave func(), ok bool) {
	if sender == "" || t.strangers == nil {
		return take(t.places)
	}
	return t.strangers.place(sender)
}

// arrive takes a place to come in, as enter does: for an address, or with none for somebody who is known. Known or not, nobody
// takes the others' places.
func (t *throttle) arrive(sender string) (leave func(), ok bool) {
	if sender == "" || t.unproven == nil {
		return take(t.arrivals)
	}
	return t.unproven.place(sender)
}

func take(places chan struct{}) (leave func(), ok bool) {
	if places == nil {
		return func() {}, true
	}
	select {
	case places <- struct{}{}:
		return func() { <-places }, true
	default:
		return nil, false
	}
}

// call counts a call of a key, whatever it is.
func (t *throttle) call(key string) bool {
	now := t.now()
	// The key's own limit first: who is over it must not use up what others may.
	return t.of(limited{key: key}, t.limits.PerKey).AllowN(now, 1) && t.overall.AllowN(now, 1)
}

// stranger counts a call of somebody who is not known. They share the rate of one key, and use up nothing of what others may.
func (t *throttle) stranger() bool { return t.of(limited{}, t.limits.PerKey).AllowN(t.now(), 1) }

// operation counts a call of an operation by a key.
func (t *throttle) operation(key, operation string) bool {
	return t.of(limited{key, operation}, t.limits.PerOperation[operation]).AllowN(t.now(), 1)
}

func (t *throttle) of(what limited, perSecond float64) *limiter {
	if perSecond <= 0 {
		return newLimiter(0, nil)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	l, there := t.limiters[what]
	if !there {
		l = newLimiter(perSecond, t.limits.Doors)
		t.limiters[what] = l
	}
	return l
}

// limiter holds a rate that doors share.
type limiter struct {
	*rate.Limiter
	perSecond float64 // of all doors together; 0 for no limit
	doors     func() int

	mu     sync.Mutex
	shared int // by how many
}

func newLimiter(perSecond float64, doors func() int) *limiter {
	if perSecond <= 0 {
		return &limiter{Limiter: rate.NewLimiter(rate.Inf, 0)}
	}
	return &limiter{Limiter: rate.NewLimiter(rateOf(perSecond)), perSecond: perSecond, doors: doors, shared: 1}
}

// rateOf is a rate, and how much may come at once.
func rateOf(perSecond float64) (rate.Limit, int) {
	return rate.Limit(perSecond), int(math.Min(math.Max(math.Ceil(perSecond), 1), math.MaxInt32))
}

// AllowN lets n through if the rate has room for them.
func (l *limiter) AllowN(now time.Time, n int) bool {
	if l.perSecond > 0 && l.doors != nil {
		l.share(now, max(1, l.doors()))
	}
	return l.Limiter.AllowN(now, n)
}

// share makes the rate this door's part of it.
func (l *limiter) share(now time.Time, doors int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shared == doors {
		return
	}
	l.shared = doors
	limit, burst := rateOf(l.perSecond / float64(doors))
	l.SetLimitAt(now, limit)
	l.SetBurstAt(now, burst)
}
