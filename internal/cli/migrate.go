package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/spotter-video/spotter/internal/app"
)

func (l *line) migrateCommand() *cobra.Command {
	var o operatorOptions
	return l.operatorCommand(&cobra.Command{
		Use:   "migrate",
		Short: "Bring the tables of a PostgreSQL database up to date",
		Long: `Migrate makes the tables of the PostgreSQL database that --database or the configuration names, or brings them up to date.
'spotter serve' does the same at its start, if its role may; this command is for another role to do it, or for another time.

Servers of the version before may run meanwhile, and go on afterwards: tables are added to, and what older servers use
stays. Where that is not so the release notes say it, and older servers say at their start that they are too old.`,
		Example: `    spotter migrate --database postgres://owner@db.example.org/spotter
    spotter migrate --config /etc/spotter.yml --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, server, err := l.serverSettings(cmd.Flags(), &o.serverOptions)
			if err != nil {
				return err
			}
			done, err := app.Migrate(cmd.Context(), server, func() {
				fmt.Fprintln(cmd.ErrOrStderr(), "Another process is bringing the tables up to date: waiting for it.")
			})
			if err != nil {
				return err
			}
			text := fmt.Sprintf("The tables are of version %d, as they were.\n", done.To)
			if done.From != done.To {
				text = fmt.Sprintf("The tables were of version %d, and are of version %d now.\n", done.From, done.To)
			}
			return l.print(&o, done, text)
		},
	}, &o)
}
