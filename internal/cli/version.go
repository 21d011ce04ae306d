package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/spotter-video/spotter/internal/fault"
)

// release is what the program was built from.
type release struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (l *line) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			r := thisRelease()
			if asJSON {
				return writeJSON(l.Stdout, r)
			}
			revision := ""
			if r.Revision != "" {
				revision = " (" + r.Revision[:min(len(r.Revision), 12)] + map[bool]string{true: ", modified"}[r.Modified] + ")"
			}
			_, err := fmt.Fprintf(l.Stdout, "spotter %s%s, %s, %s\n", r.Version, revision, r.Go, r.Platform)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

// thisRelease reads what the Go linker wrote into the program.
func thisRelease() release {
	r := release{Version: "(unknown)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return r
	}
	r.Version = strings.Trim(info.Main.Version, "()") // (devel) where nothing was stamped
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			r.Revision = s.Value
		case "vcs.modified":
			r.Modified = s.Value == "true"
		}
	}
	return r
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &fault.UsageError{Err: fmt.Errorf("no argument is expected, and %q was given", shown(args[0]))}
	}
	return nil
}

// shown is an argument as an error may have it: in a URL there may be a password.
func shown(argument string) string {
	if scheme, _, is := strings.Cut(argument, "://"); is {
		return scheme + "://..."
	}
	return argument
}

func writeJSON(w interface{ Write([]byte) (int, error) }, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
