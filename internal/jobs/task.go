package jobs

import (
	"fmt"

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

// Priorities are River's, 1 goes first.
const (
	priorityAgain = 1 // was started before
	priorityFresh = 2
)

// mostStarts is how often River may start one task: as often as its column can count. When a task has been tried often
// enough is decided here and not by River, which would drop it without a word to anybody.
const mostStarts = 1<<15 - 1

func params(tasks []service.Task) ([]river.InsertManyParams, error) {
	seen := make(map[service.Task]bool, len(tasks))
	out := make([]river.InsertManyParams, 0, len(tasks))
	for _, t := range tasks {
		if err := check(t); err != nil {
			return nil, err
		}
		if seen[t] { // one statement cannot meet the same row twice on every engine
			continue
		}
		seen[t] = true
		args := taskArgs{kind: t.Kind, Job: t.Job, Segment: t.Segment}
		out = append(out, river.InsertManyParams{Args: args, InsertOpts: insertOpts(t.Kind)})
	}
	return out, nil
}

func insertOpts(k service.TaskKind) *river.InsertOpts {
	return &river.InsertOpts{
		Queue:       string(k),
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
