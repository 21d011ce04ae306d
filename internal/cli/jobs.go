package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/operator"
)

func (l *line) jobsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "jobs",
		Short: "List, show, cancel and delete the jobs of a server",
		Long: `Jobs are the videos that a server searches, or has searched.

The commands work on the server's data folder, whether it is running or not. Each change is written to the audit log.`,
		Args:                       subcommandsOnly,
		RunE:                       showHelp,
		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(l.jobsListCommand(), l.jobsShowCommand(), l.jobsCancelCommand(), l.jobsDeleteCommand())
	return cmd
}

// usualJobs is how many jobs are listed where nothing is said: some screens full.
const usualJobs = 100

func (l *line) jobsListCommand() *cobra.Command {
	var (
		o     operatorOptions
		state string
		limit int
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List jobs, newest first",
		Example: `    spotter jobs list --state in-progress
    spotter jobs list --json | jq -r '.[] | select(.state == "failed") | [.job_id, .message] | @tsv'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if limit < 0 {
				return errors.New("--limit must be 0 or more")
			}
			return noArguments(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return l.operate(cmd, &o, func(ctx context.Context, op *operator.Operator) error {
				jobs, more, err := op.Jobs(ctx, state, limit)
				if err != nil {
					return err
				}
				if more {
					defer fmt.Fprintln(l.Stderr, "There are older ones: --limit 0 lists all.")
				}
				return l.print(&o, jobs, listOfJobs(jobs))
			})
		},
	}
	l.operatorCommand(cmd, &o)
	f := cmd.Flags()
	f.StringVar(&state, "state", "", "only jobs in this `state`: "+strings.Join(operator.JobStates(), ", "))
	f.IntVar(&limit, "limit", usualJobs, "most jobs that are listed; 0: all")
	section(cmd, sectionOf(config.Jobs), "state", "limit")
	// This fails for a flag that does not exist only.
	if err := cmd.RegisterFlagCompletionFunc("state",
		cobra.FixedCompletions(operator.JobStates(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		cmd.PrintErrln(err)
	}
	return cmd
}

func listOfJobs(jobs []operator.Job) string {
	rows := make([][]string, 0, 1+len(jobs))
	rows = append(rows, []string{"JOB", "STATE", "DONE", "CREATED", "VIDEO"})
	for i := range jobs {
		j := &jobs[i]
		rows = append(rows, []string{j.ID, j.State, jobProgress(j), moment(j.Created), videoOf(j)})
	}
	return grid(rows...)
}

// jobProgress is how many of the video's segments are done.
func jobProgress(j *operator.Job) string {
	if j.Segments == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d", j.SegmentsDone, j.Segments)
}

func videoOf(j *operator.Job) string { return "s3://" + j.Video.Bucket + "/" + j.Video.Key }

func (l *line) jobsShowCommand() *cobra.Command {
	var o operatorOptions
	return l.operatorCommand(&cobra.Command{
		Use:   "show JOB",
		Short: "Show how far a job is, or what has become of it",
		Args:  one("job"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return l.operate(cmd, &o, func(ctx context.Context, op *operator.Operator) error {
				j, err := op.Job(ctx, args[0])
				if err != nil {
					return err
				}
				return l.print(&o, j, describeJob(&j))
			})
		},
	}, &o)
}

// progressOf is how far a job in progress is, and how long it may take yet; how fast one was that has ended.
func progressOf(j *operator.Job) string {
	if j.Progress == nil || j.Progress.TimesRealTime == 0 {
		return ""
	}
	text := fmt.Sprintf("%.0f %%, %.1f x real time", j.Progress.Percent, j.Progress.TimesRealTime)
	if left := time.Duration(j.Progress.SecondsLeft * float64(time.Second)); left > 0 {
		text += ", about " + clock(left.Round(time.Second)) + " left"
	}
	return text
}

func segmentsOf(j *operator.Job) string {
	text := fmt.Sprintf("%d of %d done", j.SegmentsDone, j.Segments)
	if j.Shared {
		text += ", by another job on the same video"
	}
	return text
}

// describeJob leaves out what there is nothing to say about.
func describeJob(j *operator.Job) string {
	rows := [][]string{
		{"job", j.ID},
		{"operation", j.Operation},
		{"state", j.State},
		{"message", j.Message},
		{"video", videoOf(j)},
		{"version", j.Video.Version},
		{"size", fmt.Sprintf("%.1f MB", float64(j.Video.Size)/1e6)},
	}
	if j.Segments > 0 {
		rows = append(rows, []string{"length", clock(time.Duration(j.Video.Seconds * float64(time.Second)))},
			[]string{"segments", segmentsOf(j)})
	}
	rows = append(rows, []string{"progress", progressOf(j)})
	if j.Collection != "" {
		rows = append(rows, []string{"collection", j.Collection},
			[]string{"threshold", strconv.FormatFloat(float64(j.Threshold), 'g', 5, 32) + " %"})
	}
	if j.Background {
		rows = append(rows, []string{"priority", "in the background"})
	}
	rows = append(rows, []string{"access key", j.AccessKey}, []string{"tag", j.Tag}, []string{"topic", j.Topic}, []string{"created", moment(j.Created)},
		[]string{"finished", moment(j.Finished)}, []string{"expires", moment(j.Expires)})
	if j.Results != nil {
		rows = append(rows, []string{"found", fmt.Sprintf("%s, %s", plural(j.Results.Persons, "person", "persons"),
			plural(j.Results.Sightings, "sighting", "sightings"))})
	}
	for _, warning := range j.Warnings {
		rows = append(rows, []string{"warning", warning})
	}
	said := rows[:0]
	for _, row := range rows {
		if row[1] != "" {
			said = append(said, row)
		}
	}
	return grid(said...)
}

func (l *line) jobsCancelCommand() *cobra.Command {
	var o operatorOptions
	return l.operatorCommand(&cobra.Command{
		Use:   "cancel JOB...",
		Short: "End jobs that are in progress",
		Long: `Cancel ends jobs that are in progress. They have failed then, with the message "The job was cancelled.", and whoever is
to be told of their end is told. A running server stops working on them within seconds.`,
		Example: `    spotter jobs list --state in-progress --json | jq -r '.[].job_id' | xargs spotter jobs cancel`,
		Args:    some("job"),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return l.each(cmd, &o, ids, "cancelled", (*operator.Operator).CancelJob)
		},
	}, &o)
}

func (l *line) jobsDeleteCommand() *cobra.Command {
	var o operatorOptions
	return l.operatorCommand(&cobra.Command{
		Use:   "delete JOB...",
		Short: "Delete jobs that have ended, with their results",
		Long: `Delete removes jobs that have ended, with their results, at once. By themselves they go when the time is over that
the setting keep-results gives.`,
		Args: some("job"),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return l.each(cmd, &o, ids, "deleted", (*operator.Operator).DeleteJob)
		},
	}, &o)
}

// outcome says what has become of a job.
type outcome struct {
	Job     string `json:"job_id"`
	Outcome string `json:"outcome"`
}

// each does something to each of several jobs, also when it fails for one of them, and prints those for which it did not.
func (l *line) each(
	cmd *cobra.Command, o *operatorOptions, ids []string, done string, do func(*operator.Operator, context.Context, string) error,
) error {
	return l.operate(cmd, o, func(ctx context.Context, op *operator.Operator) error {
		var text strings.Builder
		var errs []error
		outcomes := []outcome{}
		for _, id := range ids {
			if err := do(op, ctx, id); err != nil {
				errs = append(errs, err)
				continue
			}
			outcomes = append(outcomes, outcome{id, done})
			fmt.Fprintf(&text, "%s is %s\n", id, done)
		}
		return errors.Join(append(errs, l.print(o, outcomes, text.String()))...)
	})
}
