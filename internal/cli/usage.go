package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/spotter-video/spotter/internal/config"
)

// sectionKey marks a flag with the section of the help that it belongs to.
const sectionKey = "spotter_section"

// The sections of flags in a command's help, in their order; flags without a mark come in the last one.
const (
	keySection    = "Key"
	outputSection = "Output"
	otherSection  = "Other"
)

func sections() []string {
	return []string{
		keySection, archiveSection, sectionOf(config.Storage), sectionOf(config.Listening), sectionOf(config.Requests), sectionOf(config.Jobs),
		sectionOf(config.Running), sectionOf(config.Matching), outputSection, sectionOf(config.Environment),
		sectionOf(config.Limits), otherSection,
	}
}

func sectionOf(g config.Group) string {
	switch g {
	case config.Matching:
		return "Searching"
	case config.Environment:
		return "Environment"
	case config.Limits:
		return "Limits"
	case config.Storage:
		return "Data"
	case config.Listening:
		return "Listening"
	case config.Requests:
		return "Requests"
	case config.Jobs:
		return "Jobs"
	case config.Running:
		return "Running"
	default:
		return otherSection
	}
}

// settingValue lets the command line set a setting.
type settingValue struct{ config.Setting }

func (v settingValue) String() string {
	if v.Value == nil {
		return "" // the zero value, which pflag compares defaults with
	}
	return v.Text()
}

func (v settingValue) Set(text string) error { return v.Value.UnmarshalText([]byte(text)) }

func (v settingValue) Type() string { return v.Unit }

// addSettings adds the flags of some groups of settings to a command.
func (l *line) addSettings(cmd *cobra.Command, groups ...config.Group) {
	for _, s := range l.config.Settings() {
		if slices.Contains(groups, s.Group) {
			addSetting(cmd, s)
		}
	}
}

// addOnly adds the flags of some settings to a command.
func (l *line) addOnly(cmd *cobra.Command, keys ...string) {
	for _, s := range l.config.Settings() {
		if slices.Contains(keys, s.Key) {
			addSetting(cmd, s)
		}
	}
}

func addSetting(cmd *cobra.Command, s config.Setting) *pflag.Flag {
	flag := cmd.Flags().VarPF(settingValue{s}, s.Key, "", s.Usage)
	section(cmd, sectionOf(s.Group), s.Key)
	return flag
}

// section puts flags of a command into a section of its help.
func section(cmd *cobra.Command, name string, flags ...string) {
	for _, f := range flags {
		flag := cmd.Flags().Lookup(f)
		if flag.Annotations == nil {
			flag.Annotations = map[string][]string{}
		}
		flag.Annotations[sectionKey] = []string{name}
	}
}

// usage writes how a command is used: its line, what is below it, its flags by section.
func usage(cmd *cobra.Command) error {
	var b strings.Builder
	if cmd.Runnable() {
		line := cmd.UseLine()
		if cmd.HasAvailableSubCommands() {
			line = cmd.CommandPath() + " COMMAND"
		}
		fmt.Fprintf(&b, "Usage:\n    %s\n", line)
	}
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	listCommands(&b, "Commands", cmd, (*cobra.Command).IsAvailableCommand)
	listCommands(&b, "Help topics (spotter help TOPIC)", cmd, (*cobra.Command).IsAdditionalHelpTopicCommand)
	for _, name := range sections() {
		flags := pflag.NewFlagSet(name, pflag.ContinueOnError)
		flags.SortFlags = false
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if of := f.Annotations[sectionKey]; name == otherSection && of == nil || of != nil && of[0] == name {
				flags.AddFlag(f)
			}
		})
		if text := flags.FlagUsages(); text != "" {
			fmt.Fprintf(&b, "\n%s:\n%s", name, text)
		}
	}
	_, err := fmt.Fprint(cmd.OutOrStdout(), b.String())
	return err
}

func listCommands(b *strings.Builder, title string, cmd *cobra.Command, which func(*cobra.Command) bool) {
	var list []*cobra.Command
	for _, c := range cmd.Commands() {
		if which(c) {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n", title)
	for _, c := range list {
		fmt.Fprintf(b, "    %-12s %s\n", c.Name(), c.Short)
	}
}
