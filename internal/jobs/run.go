package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/spotter-video/spotter/internal/service"
)

const (
	// suspect is how many processes die over a task before it is no longer run beside others under suspicion. A process that dies
	// counts against every task that it was running; from then on it counts against one of these only, and those that have
	// nothing to do with it come through. One death may be anything: an operator's kill, a machine that is switched off.
	suspect = 2
	// wait is when a task under suspicion that must wait is looked at again.
	wait = time.Second
	// giveUpTimeout is for one call of GiveUp, which writes one transaction. It is not taken from the task's own time,
	// which may just have run out.
	giveUpTimeout = time.Minute
	// expediteTimeout is for one small write, which a stop may have to wait for.
	expediteTimeout = 5 * time.Second
)

// runner is River's worker for all kinds of tasks.
type runner struct {
	river.WorkerDefaults[taskArgs]
	cfg    Config
	log    *slog.Logger
	rows   rows
	worker Worker // set before the first task is run
	alive  *alive // likewise; nil where one process owns the database
	turns  turns
	// alone is held by the task that runs of those under suspicion.
	alone sync.Mutex
}

// Timeout is how long an attempt may take; 0 for the client's own.
func (r *runner) Timeout(j *river.Job[taskArgs]) time.Duration {
	if j.Kind == string(service.PlanTask) {
		return r.cfg.PlanTimeout
	}
	return 0
}

// Work makes one attempt. What it returns decides the row's fate: done with nil, otherwise to be tried again.
func (r *runner) Work(ctx context.Context, j *river.Job[taskArgs]) error {
	if r.alive != nil {
		defer r.alive.enter(j.ID)()
	}
	t := service.Task{
		Kind: service.TaskKind(j.Kind), Job: j.Args.Job, Segment: j.Args.Segment, Attempt: attemptOf(j.JobRow),
	}
	r.turns.come(j.JobRow)
	if cause := r.exhausted(j.JobRow); cause != nil {
		return r.giveUp(ctx, t, j.JobRow, cause)
	}
	if deaths(j.JobRow) >= suspect {
		if !r.alone.TryLock() {
			return r.snooze(ctx, t, j.JobRow, wait) // which does not count
		}
		defer r.alone.Unlock()
	}
	if r.alive != nil {
		var release func()
		ctx, release = r.alive.while(ctx)
		defer release()
	}
	err := r.attempt(ctx, t)
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), errLost):
		return errLost // which does not count
	case stopping(ctx):
		return r.handBack(ctx, t, j.JobRow)
	case service.KindOf(err) == service.Elsewhere:
		return r.passOn(ctx, t, j.JobRow, err)
	case mayPass(err) && len(failures(j.JobRow))+1 < r.cfg.Attempts:
		r.log.LogAttrs(ctx, slog.LevelWarn, "task failed and is tried again", attrs(t, j.JobRow, err)...)
		r.expedite(ctx, t, j.JobRow)
		return err
	default:
		return r.giveUp(ctx, t, j.JobRow, err)
	}
}

// attemptOf tells attempts apart that may run at the same time: also those of two rows, as a task whose row was lost is enqueued anew.
// The number of a start that was taken back is given again, when nobody works on that any more.
func attemptOf(row *rivertype.JobRow) int64 { return row.ID*(mostStarts+1) + int64(row.Attempt) }

// exhausted says why a task is not to be tried any more; nil if it is. It finds a task like that when GiveUp has failed,
// or when processes died.
func (r *runner) exhausted(row *rivertype.JobRow) error {
	if failed := failures(row); len(failed) >= r.cfg.Attempts {
		return errors.New(failed[r.cfg.Attempts-1].Error)
	}
	if died := deaths(row); died >= r.cfg.Crashes {
		return service.Errorf(service.Unavailable, "The server died %d times while it was at this video, so it is not tried again: "+
			"the video may be what it died of, or the machine has too little memory. Look at the server's log, and start the job anew.", died)
	}
	return nil
}

// failures are the attempts that failed. One that was stopped because the database was away says nothing of the task.
func failures(row *rivertype.JobRow) []rivertype.AttemptError {
	return slices.DeleteFunc(slices.Clone(row.Errors), func(e rivertype.AttemptError) bool { return e.Error == errLost.Error() })
}

// deaths is how many processes have died while they ran a task.
func deaths(row *rivertype.JobRow) int { return row.Attempt - 1 - len(row.Errors) }

// mayPass says whether it makes sense to try again.
func mayPass(err error) bool {
	k := service.KindOf(err)
	return k == service.Unavailable || k == service.Internal
}

// stopping says whether the attempt was cut short by a stop, and not by its own timeout: River cancels with a cause.
func stopping(ctx context.Context) bool {
	return ctx.Err() != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded)
}

func (r *runner) attempt(ctx context.Context, t service.Task) error {
	return r.guarded(ctx, t, func() error { return r.worker.Run(ctx, t) })
}

// guarded calls f and makes an error of a panic.
func (r *runner) guarded(ctx context.Context, t service.Task, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.LogAttrs(ctx, slog.LevelError, "task panicked", append(ids(t),
				slog.Any("panic", p), slog.String("stack", string(debug.Stack())))...)
			err = fmt.Errorf("run %s task of job %s: panic: %v", t.Kind, t.Job, p)
		}
	}()
	return f()
}

// handBack returns the error that makes River forget that the attempt was begun.
func (r *runner) handBack(ctx context.Context, t service.Task, row *rivertype.JobRow) error {
	r.log.LogAttrs(ctx, slog.LevelInfo, "task handed back by a stop", ids(t)...)
	r.expedite(ctx, t, row)
	return context.Cause(ctx)
}

// passedOn is where a row's metadata say how often the task was passed on.
const passedOn = "passed_on"

// tellPassedOn is how many times a task is passed on for each time that the log says so: with the usual pause, five minutes.
const tellPassedOn = 30

// passOn hands back a task that this process cannot do, for another one to take it, which costs no attempt. A task that nobody can
// do is given up in the end.
func (r *runner) passOn(ctx context.Context, t service.Task, row *rivertype.JobRow, cause error) error {
	var kept map[string]json.RawMessage
	var times int
	if err := errors.Join(json.Unmarshal(row.Metadata, &kept), optional(kept[passedOn], &times)); err != nil {
		return fmt.Errorf("read what is kept of a task: %w", err)
	}
	if times++; time.Duration(times) > r.cfg.Elsewhere/r.cfg.PassOn {
		return r.giveUp(ctx, t, row, &service.Error{Kind: service.Unavailable, Err: cause, Message: fmt.Sprintf(
			"No server could go on with it for %v, so it is not tried any more: start the job anew. The last one said: %v", r.cfg.Elsewhere, cause)})
	}
	if err := river.MetadataSet(ctx, passedOn, times); err != nil {
		return err
	}
	if times%tellPassedOn == 1 {
		r.log.LogAttrs(ctx, slog.LevelWarn, "task left to another server, as this one cannot do it",
			append(ids(t), slog.Int("left_before", times-1), slog.Any("error", cause))...)
	}
	return r.snooze(ctx, t, row, r.cfg.PassOn)
}

// snooze has a task be looked at again after a while, when it goes before others: it has lost its turn.
func (r *runner) snooze(ctx context.Context, t service.Task, row *rivertype.JobRow, d time.Duration) error {
	r.expedite(ctx, t, row)
	return river.JobSnooze(d)
}

// optional reads a value that may be missing.
func optional(data json.RawMessage, to any) error {
	if data == nil {
		return nil
	}
	return json.Unmarshal(data, to)
}

// expedite is a matter of order only, so that the task must not fail by it.
func (r *runner) expedite(ctx context.Context, t service.Task, row *rivertype.JobRow) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), expediteTimeout)
	defer cancel()
	if err := r.rows.expedite(ctx, row.ID); err != nil {
		r.log.LogAttrs(ctx, slog.LevelWarn, "task keeps its place behind others", attrs(t, row, err)...)
	}
}

func (r *runner) giveUp(ctx context.Context, t service.Task, row *rivertype.JobRow, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveUpTimeout)
	defer cancel()
	r.log.LogAttrs(ctx, slog.LevelError, "task given up", attrs(t, row, cause)...)
	err := r.guarded(ctx, t, func() error { return r.worker.GiveUp(ctx, t, cause) })
	if err == nil {
		return nil
	}
	r.log.LogAttrs(ctx, slog.LevelError, "giving up failed and is tried again", attrs(t, row, err)...)
	// The cause stays first: it is what the row keeps of this failure.
	return fmt.Errorf("%w (giving up failed: %w)", cause, err)
}

func ids(t service.Task) []slog.Attr {
	return []slog.Attr{slog.String("task", string(t.Kind)), slog.String("job_id", string(t.Job)), slog.Int("segment", t.Segment)}
}

func attrs(t service.Task, row *rivertype.JobRow, err error) []slog.Attr {
	return append(ids(t), slog.Int("failed_before", len(row.Errors)), slog.Any("error", err))
}

// turns are the highest that have come in this process, of background jobs (1) and of others (0).
type turns [2]atomic.Int64

// come takes note of the turn of a row that is begun.
func (t *turns) come(row *rivertype.JobRow) {
	turn, ok := turnOf(row.ScheduledAt)
	if !ok {
		return
	}
	of := &t[0]
	if row.Priority > priorityFresh {
		of = &t[1]
	}
	for {
		if had := of.Load(); had >= turn || of.CompareAndSwap(had, turn) {
			return
		}
	}
}
