package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/spotter-video/spotter/internal/app"
	"github.com/spotter-video/spotter/internal/config"
)

func (l *line) doctorCommand() *cobra.Command {
	var (
		asJSON bool
		o      serverOptions
	)
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check what a search needs, and say how to mend what is missing",
		Long: `Doctor checks what a search needs: the decoder and how well it is confined, onnxruntime, the model pack, the
processor, memory and disk. It says what is in force, and how to mend what is not right.

With --config or --data it looks at what a server with these settings needs as well: its data, key file, buckets and
certificate. Run it as the server's user.

The exit status is 0 when all can run, even if not at its best, and 5 when it cannot.`,
		Example: `    spotter doctor
    spotter doctor --json --models /opt/pack
    spotter doctor --config /etc/spotter/spotter.yml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := l.ready(); err != nil {
				return err
			}
			checkup, err := l.checkup(cmd, &o)
			if err != nil {
				return err
			}
			if asJSON {
				if err := writeJSON(l.Stdout, checkup); err != nil {
					return err
				}
			} else if _, err := fmt.Fprint(l.Stdout, describe(checkup)); err != nil {
				return err
			}
			return checkup.Err()
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the checks as JSON")
	section(cmd, outputSection, "json")
	addData(cmd, &o)
	l.addSettings(cmd, config.Environment)
	return cmd
}

// checkup looks at a server's settings where one is named.
func (l *line) checkup(cmd *cobra.Command, o *serverOptions) (app.Checkup, error) {
	if f := cmd.Flags(); !f.Changed("config") && !f.Changed("data") && !f.Changed("database") {
		return app.Doctor(cmd.Context(), l.config), nil
	}
	engine, server, err := l.serverSettings(cmd.Flags(), o)
	if err != nil {
		return app.Checkup{}, err
	}
	return app.DoctorServer(cmd.Context(), engine, server), nil
}

// describe writes a check a line, with what to do below it where there is something to do.
func describe(c app.Checkup) string {
	name := 0
	for _, check := range c.Checks {
		name = max(name, columns(printable(check.Name)))
	}
	var b strings.Builder
	margin := len(app.Problem) + 2 + name + 2
	for _, check := range c.Checks {
		fmt.Fprintf(&b, "%-*s%-*s%s\n", len(app.Problem)+2, check.State, name+2, printable(check.Name),
			indented(check.Found, margin))
		if check.Mend != "" {
			fmt.Fprintf(&b, "%*s-> %s\n", margin, "", indented(check.Mend, margin+3))
		}
	}
	if c.Ready {
		b.WriteString("\nSpotter is ready.\n")
	}
	return b.String()
}

// indented makes text safe to print and puts its further lines below the first.
func indented(text string, by int) string {
	return strings.ReplaceAll(printableLines(text), "\n", "\n"+strings.Repeat(" ", by))
}
