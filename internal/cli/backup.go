package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/spotter-video/spotter/internal/app"
)

func (l *line) backupCommand() *cobra.Command {
	var o operatorOptions
	return l.operatorCommand(&cobra.Command{
		Use:   "backup FILE",
		Short: "Copy a server's database, while it runs",
		Long: `Backup writes one consistent copy of the database into a new file, while the server runs and serves. A file that is there
already is not touched.

The file secret.key of the data folder is not in it, and never changes: copy it once, and keep it apart from the
backups, because who has both can sign as anybody. To restore, with the server stopped, put the copy back as spotter.db
into the data folder, without spotter.db-wal and spotter.db-shm of the old one, and secret.key beside it.`,
		Example: `    spotter backup /backup/spotter-$(date +%F).db
    spotter backup /backup/spotter.db --config /etc/spotter/spotter.yml`,
		Args: one("file to write"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, server, err := l.serverSettings(cmd.Flags(), &o.serverOptions)
			if err != nil {
				return err
			}
			made, err := app.Backup(cmd.Context(), server, args[0])
			if err != nil {
				return err
			}
			return l.print(&o, made, fmt.Sprintf("%s has the database (%.1f MB).\n"+
				"It is of use with %s only: keep a copy of that apart from the backups.\n"+
				"'spotter backup --help' says how to restore.\n",
				printable(made.File), float64(made.Size)/1e6, printable(made.KeyFile)))
		},
	}, &o)
}
