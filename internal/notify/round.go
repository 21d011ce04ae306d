package notify

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

// startGrace is how long the notices that became too old while nothing ran are tried nevertheless.
const startGrace = 10 * time.Minute

var errUnmapped = errors.New("the topic has no sinks: add it to the configuration")

// round is one attempt to deliver a notice to all sinks that have not taken it yet.
type round struct {
	*run
	notice service.Notice
	tally  tally
}

// tally is what a round has come to.
type tally struct {
	taken    int
	failures int
	open     int // sinks that have not taken it, for whatever reason
	next     time.Duration
}

func newRound(r *run, n service.Notice) *round { return &round{run: r, notice: n} }

// play delivers and keeps the result. It says whether the notice is still in the outbox.
func (r *round) play(waiting, sending context.Context) bool {
	if mine, err := r.claim(sending); !mine {
		if err != nil && sending.Err() == nil {
			r.log.LogAttrs(sending, slog.LevelWarn, "cannot take a notice from the outbox", append(r.attrs(), slog.Any("error", err))...)
		}
		return false // it is looked for again at the usual time
	}
	m, lanes, err := r.prepare()
	if err != nil {
		r.failed(sending, "", err)
		return r.settle(waiting, sending)
	}
	outcomes := make(chan outcome, len(lanes))
	for _, l := range lanes {
		go func() { outcomes <- l.deliver(waiting, sending, m) }()
	}
	for i := range lanes {
		o := <-outcomes
		r.count(sending, o)
		// What a quick sink has taken is kept before a slow one is waited for: a kill meanwhile must not repeat it.
		if o.taken() && i+1 < len(lanes) {
			_ = r.keep(sending, false) // settle keeps it again, and repeats that if need be
		}
	}
	return r.settle(waiting, sending)
}

// prepare finds what is to be sent and to whom. A topic without sinks, and a notice that cannot be written, are tried again
// like a sink that is away: the next start may know better.
func (r *round) prepare() (*message, []*lane, error) {
	all := r.routes.lanes(r.notice.Topic)
	if all == nil {
		return nil, nil, errUnmapped
	}
	m, err := newMessage(&r.notice)
	if err != nil {
		return nil, nil, err
	}
	lanes := slices.DeleteFunc(slices.Clone(all), func(l *lane) bool { return slices.Contains(r.notice.Sinks, l.name) })
	return m, lanes, nil
}

func (r *round) count(ctx context.Context, o outcome) {
	switch {
	case o.taken():
		r.tally.taken++
		r.notice.Sinks = append(slices.Clip(r.notice.Sinks), o.lane.name)
	case errors.Is(o.err, errStopped):
		r.tally.open++
	case o.spared > 0:
		r.tally.open++
		r.soonest(o.spared)
	default:
		r.failed(ctx, o.lane.name, o.err)
		if pause := min(asFailure(o.err).pause, r.retry.Most); pause > 0 {
			o.lane.rest(pause)
		}
	}
}

func (r *round) failed(ctx context.Context, sink string, err error) {
	r.tally.open++
	r.tally.failures++
	r.counts.failed.Add(1)
	wait := r.retry.after(asFailure(err), r.notice.Attempts+1, r.random())
	r.soonest(wait)
	r.log.LogAttrs(ctx, slog.LevelWarn, "a notice was not taken", append(r.attrs(),
		slog.String("sink", sink), slog.Int("attempt", r.notice.Attempts+1), slog.Duration("retry_in", wait),
		slog.Any("error", err))...)
}

// soonest makes the next attempt come no later than that.
func (r *round) soonest(wait time.Duration) {
	if r.tally.next == 0 || wait < r.tally.next {
		r.tally.next = wait
	}
}

// settle keeps what the round has come to, and says whether the notice is still in the outbox.
func (r *round) settle(waiting, sending context.Context) bool {
	done := r.tally.open == 0
	if !done && r.tally.next > 0 { // not broken off by a stop
		now := r.now()
		r.notice.Due = now.Add(r.tally.next)
		r.notice.Attempts += min(r.tally.failures, 1)
		done = r.tooOld(sending, now)
	} else if !done && r.tally.taken == 0 {
		return true // a stop, and nothing to be kept
	}
	r.keepAtLast(waiting, sending, done)
	switch {
	case r.tally.open == 0:
		r.counts.delivered.Add(1)
		r.log.LogAttrs(sending, slog.LevelDebug, "a notice was delivered", r.attrs()...)
	case done:
		r.counts.dropped.Add(1)
	}
	if done {
		r.counts.waiting.Add(-1)
	}
	return !done
}

// tooOld says whether this was the last attempt. Nobody but the log is told.
func (r *round) tooOld(ctx context.Context, now time.Time) bool {
	end := r.notice.Ended.Add(r.retry.GiveUpAfter)
	if grace := r.started.Add(startGrace); grace.After(end) && r.notice.Ended.Before(r.started) {
		end = grace
	}
	if now.Before(end) {
		return false
	}
	r.log.LogAttrs(ctx, slog.LevelError, "a notice is dropped because it could not be delivered in time", append(r.attrs(),
		slog.Int("attempts", r.notice.Attempts), slog.Any("taken_by", r.notice.Sinks))...)
	return true
}

// keepAtLast keeps a result and repeats that until it has succeeded or the notifier stops. The notice stays in hand as long,
// so that an outbox that cannot be written does not make receivers see it over and over.
func (r *round) keepAtLast(waiting, sending context.Context, done bool) {
	for wait := r.retry.First; ; wait = min(2*wait, time.Minute) {
		err := r.keep(sending, done)
		if err == nil {
			return
		}
		r.log.LogAttrs(sending, slog.LevelWarn, "cannot write into the outbox", append(r.attrs(), slog.Any("error", err))...)
		timer := time.NewTimer(wait)
		select {
		case <-waiting.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// keep writes into the outbox, also when deliveries have been broken off.
func (r *round) keep(ctx context.Context, done bool) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	n := r.notice
	return r.store.NoticeTried(limited, &n, done)
}

func (r *round) claim(ctx context.Context) (bool, error) {
	limited, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return r.store.ClaimNotice(limited, &r.notice)
}

func (r *round) attrs() []slog.Attr {
	return []slog.Attr{
		slog.String("notice_id", r.notice.ID), slog.String("job_id", string(r.notice.Job)),
		slog.String("topic", r.notice.Topic),
	}
}

func (o *outcome) taken() bool { return o.err == nil && o.spared <= 0 }
