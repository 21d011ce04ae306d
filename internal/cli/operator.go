package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/spotter-video/spotter/internal/app"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/operator"
)

// operatorOptions are the flags that all commands of an operator have.
type operatorOptions struct {
	serverOptions
	json bool
}

// operatorCommand adds what the commands of an operator have in common: they name a server's data and can print JSON.
func (l *line) operatorCommand(cmd *cobra.Command, o *operatorOptions) *cobra.Command {
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&o.json, "json", false, "print JSON")
	section(cmd, outputSection, "json")
	addData(cmd, &o.serverOptions)
	return cmd
}

// addData adds the flags that say where a server's data are.
func addData(cmd *cobra.Command, o *serverOptions) {
	f := cmd.Flags()
	f.StringVarP(&o.file, "config", "c", "", "the server's configuration `file`; unset: $"+config.FileVariable)
	section(cmd, sectionOf(config.Storage), "config")
	server := config.DefaultServer()
	for _, s := range server.Settings() {
		if slices.Contains([]string{"data", "database", "sealing-key", "audit-log"}, s.Key) {
			f.Var(settingValue{s}, s.Key, s.Usage)
			section(cmd, sectionOf(s.Group), s.Key)
		}
	}
}

// operate opens the data that the flags name.
func (l *line) operate(
	cmd *cobra.Command, o *operatorOptions, do func(context.Context, *operator.Operator) error,
) (err error) {
	engine, server, err := l.serverSettings(cmd.Flags(), &o.serverOptions)
	if err != nil {
		return err
	}
	op, err := app.OpenOperator(cmd.Context(), engine, server, app.OperatorRequest{User: thisUser(), Now: l.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, op.Close()) }()
	return do(cmd.Context(), op)
}

// thisUser is the name of the user of the operating system who runs the program.
func thisUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "uid " + strconv.Itoa(os.Getuid())
}

// print writes v as JSON if that was asked for, and the text otherwise.
func (l *line) print(o *operatorOptions, v any, text string) error {
	if o.json {
		return writeJSON(l.Stdout, v)
	}
	_, err := fmt.Fprint(l.Stdout, text)
	return err
}

// one takes the only argument of a command, which is called so in its help.
func one(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 || args[0] == "" {
			return fmt.Errorf("name one %s", what)
		}
		return nil
	}
}

// some takes one argument or more.
func some(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("name one %s at least", what)
		}
		return nil
	}
}

// grid lays rows out in columns, two spaces apart.
func grid(rows ...[]string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columns(printable(cell)))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			cell = printable(cell)
			b.WriteString(cell)
			if i+1 < len(row) {
				b.WriteString(strings.Repeat(" ", widths[i]-columns(cell)+2))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// moment writes a time as programs and people can read it; empty for one that has not come.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
