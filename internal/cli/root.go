package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
)

// line is one run of the command line.
type line struct {
	Process
	config config.Config
	// environment is what is wrong with the environment's settings; help works all the same.
	environment error
	// begun says that the arguments were understood: errors before that are the user's.
	begun bool
}

func run(ctx context.Context, p Process) Status {
	l := &line{Process: p, config: config.Default()}
	l.environment = l.config.Load(p.LookupEnv)
	root := l.root()
	command, err := root.ExecuteContextC(ctx)
	if err != nil && !l.begun {
		err = &fault.UsageError{Err: err}
	}
	status := statusOf(ctx, err)
	if err != nil && status != Interrupted && !errors.Is(err, syscall.EPIPE) {
		fmt.Fprintf(p.Stderr, "%s: %s\n", command.CommandPath(), printableLines(err.Error()))
		if status == Usage && !l.begun {
			fmt.Fprintf(p.Stderr, "Run '%s --help' for usage.\n", command.CommandPath())
		}
	}
	return status
}

func (l *line) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "spotter",
		Short: "Find known faces in stored video, on your own machine",
		Long: `Spotter finds known faces in stored video, on your own machine: nothing leaves it.

Give it a folder with photos of the people that you look for and the videos to search:

    spotter search clip.mp4 --faces people/

or have it serve Amazon Rekognition's face search API to your programs:

    spotter serve --bucket archive=/srv/videos`,
		Args:              subcommandsOnly,
		RunE:              showHelp,
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		// Two wrong letters in a command's name are seen through.
		SuggestionsMinimumDistance: 2,
		PersistentPreRun:           func(*cobra.Command, []string) { l.begun = true },
	}
	root.SetArgs(l.Args)
	root.SetOut(l.Stdout)
	root.SetErr(l.Stderr)
	root.SetUsageFunc(usage)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(l.searchCommand(), l.indexCommand(), l.findCommand(), l.facesCommand(), l.serveCommand(), l.keyCommand(), l.jobsCommand(), l.auditCommand(), l.backupCommand(), l.migrateCommand(), l.copyCommand(), l.doctorCommand(),
		l.modelsCommand(), l.versionCommand(), exitCodesTopic(), l.settingsTopic())
	return root
}

// flagError leaves out what was given as a URL that may hold a password.
func flagError(_ *cobra.Command, err error) error {
	if wrong := (*pflag.InvalidValueError)(nil); errors.As(err, &wrong) && wrong.GetFlag().Name == "database" {
		return fmt.Errorf("invalid argument for %q flag: %w", "--database", wrong.Unwrap())
	}
	return err
}

// ready checks the settings, once flags have been read. Every command that uses them calls it first.
func (l *line) ready() error {
	if err := errors.Join(l.environment, l.config.Validate()); err != nil {
		return &fault.UsageError{Err: err}
	}
	return nil
}

// subcommandsOnly refuses arguments of a command that only has commands below it.
func subcommandsOnly(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	message := fmt.Sprintf("there is no command %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		message += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return errors.New(message)
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit statuses mean",
		Long:  strings.TrimSpace(exitCodesHelp),
	}
}

// settingsTopic lists the environment variables.
func (l *line) settingsTopic() *cobra.Command {
	var b strings.Builder
	b.WriteString("Settings can be given as flags or as environment variables; flags win.\n")
	engine, server := config.Default(), config.DefaultServer()
	listVariables(&b, engine.Settings())
	b.WriteString("\n\nA server's configuration file may have these too, but for the threshold and the size of photos, which are of\n" +
		"'spotter search'. The environment wins over the file. What follows is of servers alone.\n")
	fmt.Fprintf(&b, variableLine, config.FileVariable, "the configuration file")
	listVariables(&b, server.Settings())
	return &cobra.Command{
		Use:   "environment",
		Short: "The environment variables that are read",
		Long:  b.String(),
	}
}

// variableLine is the format of a variable and what it sets.
const variableLine = "\n    %-32s %s"

func listVariables(b *strings.Builder, settings []config.Setting) {
	for _, s := range settings {
		fmt.Fprintf(b, variableLine, s.Variable(), s.Usage)
		if text := s.Text(); text != "" {
			fmt.Fprintf(b, " (default %s)", text)
		}
	}
}

// printableLines is printable, with the line ends kept.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}
