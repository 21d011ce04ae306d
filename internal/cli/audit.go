package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/operator"
)

func (l *line) auditCommand() *cobra.Command {
	var (
		o            operatorOptions
		r            operator.AuditRequest
		since, until string
	)
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show who did what: the audit log",
		Long: `Audit prints the entries of the audit log, the oldest first, one a line: when, who, what, what came of it, and what it was
about. With --json each line is the entry as a document of JSON.

It reads the database where the log is kept there, which has the entries of all processes that share it, and the file audit.log of
the data folder otherwise. Files that log rotation has moved away have the form that --json prints.`,
		Example: `    spotter audit --since 24h
    spotter audit --face 6f2b7d0e-8a43-4c1a-9f0e-5d3c2b1a0f9e     # who enrolled it, who deleted it, and when
    spotter audit --since 2026-11-01 --until 2026-12-01 --key AKIAIOSFODNN7EXAMPLE --operation DeleteFaces
    spotter audit --json | jq -r 'select(.outcome == "AccessDeniedException") | [.time, .name, .operation] | @tsv'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if r.Since, err = l.instant("since", since); err != nil {
				return err
			}
			if r.Until, err = l.instant("until", until); err != nil {
				return err
			}
			return l.operate(cmd, &o, func(ctx context.Context, op *operator.Operator) error {
				damaged, err := op.Audit(ctx, r, func(e operator.AuditEntry) error { return l.printEntry(&o, &e) })
				if damaged > 0 {
					fmt.Fprintf(l.Stderr, "%s of the file cannot be read: a crash or a full disk may have cut them short.\n",
						plural(damaged, "line", "lines"))
				}
				return err
			})
		},
	}
	l.operatorCommand(cmd, &o)
	f := cmd.Flags()
	f.StringVar(&since, "since", "", "only from this `time` on: 2026-11-23, 2026-11-23T12:00:00Z, or how long ago, as in 36h")
	f.StringVar(&until, "until", "", "only before this `time`")
	f.StringVar(&r.Key, "key", "", "only of this access key (its `id`)")
	f.StringVar(&r.Operation, "operation", "", "only this `operation`, such as DeleteFaces or FacesDeleted")
	f.StringVar(&r.Face, "face", "", "only what has become of the face of this `id`")
	section(cmd, sectionOf(config.Requests), "since", "until", "key", "operation", "face")
	return cmd
}

// instant reads a time that a flag gives; the zero time if it is empty.
func (l *line) instant(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return l.Now().Add(-ago), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, &fault.UsageError{Err: fmt.Errorf("--%s: %q is no time: write 2026-11-23, 2026-11-23T12:00:00Z, or how long ago, as in 36h",
		flag, text)}
}

func (l *line) printEntry(o *operatorOptions, e *operator.AuditEntry) error {
	if o.json {
		return json.NewEncoder(l.Stdout).Encode(e)
	}
	who := e.Name
	if e.Key != "" {
		who = strings.TrimSpace(e.Key + " " + e.Name)
	}
	words := []string{e.Time.UTC().Format(time.RFC3339), who, e.Operation, e.Outcome}
	words = append(words, e.Resources...)
	if e.More > 0 {
		words = append(words, strconv.Itoa(e.More)+" more")
	}
	for _, faces := range []struct {
		what string
		ids  []string
	}{{"enrolled", e.Enrolled}, {"deleted", e.Deleted}} {
		if len(faces.ids) > 0 {
			words = append(words, faces.what+" "+strings.Join(faces.ids, " "))
		}
	}
	if e.Address != "" {
		words = append(words, "from "+e.Address)
	}
	if e.Process != "" {
		words = append(words, "at "+e.Process)
	}
	_, err := fmt.Fprintln(l.Stdout, printable(strings.Join(words, "  ")))
	return err
}
