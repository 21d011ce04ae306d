package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/spotter-video/spotter/internal/app"
)

func (l *line) copyCommand() *cobra.Command {
	var from, to string
	var o operatorOptions
	cmd := &cobra.Command{
		Use:   "copy --from FOLDER --to URL",
		Short: "Copy a server's database into PostgreSQL",
		Long: `Copy moves a server of one process to a PostgreSQL database that many share. It copies every row, reads all of them again on both
sides and compares them. Either everything is copied or nothing. Stop the server first; the database it had is brought up to this
version, as a start of the server would do, and else stays as it is.

The PostgreSQL database must be empty. Afterwards start servers with --database and the same key file as before: access
keys, collections, faces, users, results and request tokens are there, and open jobs go on.`,
		Example: `    spotter copy --from /var/lib/spotter --to postgres://spotter@db.example.org/spotter
    spotter copy --from sqlite:backup.db --to postgres://spotter@db/spotter --json`,
		Args:              noArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			done, err := app.Copy(cmd.Context(), app.CopyRequest{From: from, To: to, Progress: l.copyProgress()})
			if err != nil {
				return err
			}
			return l.print(&o, done, copied(done))
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&from, "from", "", "the server's data `folder`, or sqlite:FILE")
	f.StringVar(&to, "to", "", "the PostgreSQL database's `URL`")
	f.BoolVar(&o.json, "json", false, "print JSON")
	section(cmd, outputSection, "from", "to", "json")
	return cmd
}

// copyProgress writes one line for each table.
func (l *line) copyProgress() func(step, table string, rows, of int64) {
	done := map[string]string{"copy": "copied", "compare": "compared"}
	return func(step, table string, rows, of int64) {
		switch {
		case of == 0:
		case rows == of:
			fmt.Fprintf(l.Stderr, "%s: %d rows %s\n", table, rows, done[step])
		case rows%100_000 == 0:
			fmt.Fprintf(l.Stderr, "%s: %d of %d rows %s\n", table, rows, of, done[step])
		}
	}
}

func copied(r *app.CopyResult) string {
	var b strings.Builder
	rows := int64(0)
	for _, n := range r.Rows {
		rows += n
	}
	fmt.Fprintf(&b, "%d rows were copied and compared: %d collections, %d faces, %d jobs, %d access keys.\n",
		rows, r.Rows["collections"], r.Rows["faces"], r.Rows["jobs"], r.Rows["access_keys"])
	if r.Mended > 0 {
		fmt.Fprintf(&b, "In %d texts bytes that are no text were replaced.\n", r.Mended)
	}
	fmt.Fprintf(&b, "Start servers with --database and this key file: --sealing-key %s\n", shellWord(r.KeyFile))
	return b.String()
}
