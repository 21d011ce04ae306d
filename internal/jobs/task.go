package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/spotter-video/spotter/internal/service"
)

// taskArgs is a task as River keeps it: the kind in its own column, the exported fields as JSON. Everything kept tells one
// task from another, so that a row is unique by all of it.
type taskArgs struct {
	kind service.TaskKind

	Job     service.JobID `json:"job"`
	Segment int           `json:"segment"`
}

// Kind is River's name for the task's kind.
func (a taskArgs) Kind() string { return string(a.kind) }

func kinds() []service.TaskKind {
	return []service.TaskKind{service.PlanTask, service.SegmentTask, service.FinishTask}
}

// Priorities are River's, 1 goes first. Background tasks have the lower two.
const (
	priorityAgain = 1 // was started before
	priorityFresh = 2

	background = 2 // is added
)

// River runs tasks of one priority in the order of the times for which they are scheduled. Those of segments are times long past that
// stand for turns, a millisecond each, which is what every engine tells apart. There are enough for a thousand segments a second for twenty years.
const (
	turnsBegin = 946_684_800_000   // 2000, in milliseconds since 1970
	turnsEnd   = 1_577_836_800_000 // 2020
)

// scheduled is the time that stands for a turn.
func scheduled(turn int64) time.Time {
	return time.UnixMilli(min(turnsBegin+max(turn, 0), turnsEnd-1)).UTC()
}

// turnOf says for which turn a time stands; ok is false for one that is none.
func turnOf(t time.Time) (turn int64, ok bool) {
	ms := t.UnixMilli()
	return ms - turnsBegin, turnsBegin <= ms && ms < turnsEnd
}

// atOnce has what is scheduled for its turn be run when it comes: River would keep it back until somebody looks for times that are over.
type atOnce struct{ river.HookDefaults }

// InsertBegin implements [rivertype.HookInsertBegin].
func (*atOnce) InsertBegin(_ context.Context, p *rivertype.JobInsertParams) error {
	if p.ScheduledAt != nil && p.State == rivertype.JobStateScheduled {
		if _, ok := turnOf(*p.ScheduledAt); ok {
			p.State = rivertype.JobStateAvailable
		}
	}
	return nil
}

// mostStarts is how often River may start one task: as often as its column can count. When a task has been tried often
// enough is decided here and not by River, which would drop it without a word to anybody.
const mostStarts = 1<<15 - 1

func params(tasks []service.Task) ([]river.InsertManyParams, error) {
	seen := make(map[taskArgs]bool, len(tasks))
	out := make([]river.InsertManyParams, 0, len(tasks))
	for _, t := range tasks {
		if err := check(t); err != nil {
			return nil, err
		}
		args := taskArgs{kind: t.Kind, Job: t.Job, Segment: t.Segment}
		if seen[args] { // one statement cannot meet the same row twice on every engine
			continue
		}
		seen[args] = true
		out = append(out, river.InsertManyParams{Args: args, InsertOpts: insertOpts(t)})
	}
	return out, nil
}

func insertOpts(t service.Task) *river.InsertOpts {
	o := &river.InsertOpts{
		Queue:       string(t.Kind),
		Priority:    priorityFresh,
		MaxAttempts: mostStarts,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable,
			rivertype.JobStatePending,
			rivertype.JobStateRetryable,
			rivertype.JobStateRunning,
			rivertype.JobStateScheduled,
		}},
	}
	if t.Background {
		o.Priority += background
	}
	if t.Kind == service.SegmentTask {
		o.ScheduledAt = scheduled(t.Turn)
	}
	return o
}

func check(t service.Task) error {
	switch t.Kind {
	case service.PlanTask, service.SegmentTask, service.FinishTask:
	default:
		return fmt.Errorf("there is no kind of task %q", t.Kind)
	}
	if t.Job == "" {
		return fmt.Errorf("a %s task names no job", t.Kind)
	}
	if t.Segment < 0 {
		return fmt.Errorf("a task of job %s names segment %d", t.Job, t.Segment)
	}
	return nil
}
