package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/spotter-video/spotter/internal/operator"
)

// forceFlag adds the flag that lets the last administrator go.
func forceFlag(cmd *cobra.Command, force *bool) {
	cmd.Flags().BoolVar(force, "force", false, "even if no administrator's key is left that works")
	section(cmd, keySection, "force")
}

// changed prints a key that has been changed: as it is now, or what has become of it.
func (l *line) changed(ctx context.Context, op *operator.Operator, o *operatorOptions, id, text string) error {
	k, err := op.Key(ctx, id)
	if err != nil {
		return err
	}
	return l.print(o, k, id+" "+text+"\n")
}

func (l *line) keyPolicyCommand() *cobra.Command {
	var (
		o      operatorOptions
		policy policyFlags
		force  bool
	)
	cmd := &cobra.Command{
		Use:     "policy KEY --policy FILE",
		Short:   "Give an access key another policy",
		Example: `    spotter key policy AKIAIOSFODNN7EXAMPLE --policy portal.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if policy == (policyFlags{}) {
				return errors.New("say what the key may do: --policy FILE")
			}
			return one("access key")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			document, err := policy.read()
			if err != nil {
				return err
			}
			return l.operate(cmd, &o, func(ctx context.Context, op *operator.Operator) error {
				if err := op.SetKeyPolicy(ctx, args[0], document, force); err != nil {
					return err
				}
				return l.changed(ctx, op, &o, args[0], "has the new policy")
			})
		},
	}
	l.operatorCommand(cmd, &o)
	policy.add(cmd, "")
	forceFlag(cmd, &force)
	return cmd
}

func (l *line) keyDisableCommand() *cobra.Command {
	var (
		o     operatorOptions
		force bool
	)
	cmd := &cobra.Command{
		Use:     "disable KEY",
		Short:   "Let an access key in no more, until it is enabled again",
		Example: `    spotter key disable AKIAIOSFODNN7EXAMPLE`,
		Args:    one("access key"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return l.operate(cmd, &o, func(ctx context.Context, op *operator.Operator) error {
				if err := op.DisableKey(ctx, args[0], force); err != nil {
					return err
				}
				return l.changed(ctx, op, &o, args[0], "is disabled")
			})
		},
	}
	l.operatorCommand(cmd, &o)
	forceFlag(cmd, &force)
	return cmd
}

func (l *line) keyEnableCommand() *cobra.Command {
	var o operatorOptions
	return l.operatorCommand(&cobra.Command{
		Use:     "enable KEY",
		Short:   "Let a disabled access key in again",
		Example: `    spotter key enable AKIAIOSFODNN7EXAMPLE`,
		Args:    one("access key"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return l.operate(cmd, &o, func(ctx context.Context, op *operator.Operator) error {
				if err := op.EnableKey(ctx, args[0]); err != nil {
					return err
				}
				return l.changed(ctx, op, &o, args[0], "is enabled")
			})
		},
	}, &o)
}

func (l *line) keyBackgroundCommand() *cobra.Command {
	return l.keyJobsCommand(true, "is in the background", &cobra.Command{
		Use:   "background KEY",
		Short: "Have the jobs of an access key wait for those of others",
		Long: `Background has the jobs that an access key begins from now on wait for those of other keys: they are worked on while
no others wait. Use it for what nobody waits for, such as the search of an archive overnight.

Otherwise keys take turns, so that each gets as much done as any other, however many jobs it has.`,
		Example: `    spotter key background AKIAIOSFODNN7EXAMPLE`,
	})
}

func (l *line) keyForegroundCommand() *cobra.Command {
	return l.keyJobsCommand(false, "takes turns with others", &cobra.Command{
		Use:     "foreground KEY",
		Short:   "Have the jobs of an access key take turns with those of others",
		Long:    "Foreground has the jobs that an access key begins from now on take turns with those of other keys, as they do unless told otherwise.",
		Example: `    spotter key foreground AKIAIOSFODNN7EXAMPLE`,
	})
}

// keyJobsCommand says how the jobs of a key are to be worked on.
func (l *line) keyJobsCommand(background bool, text string, cmd *cobra.Command) *cobra.Command {
	var o operatorOptions
	cmd.Args = one("access key")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return l.operate(cmd, &o, func(ctx context.Context, op *operator.Operator) error {
			if err := op.SetKeyBackground(ctx, args[0], background); err != nil {
				return err
			}
			return l.changed(ctx, op, &o, args[0], text)
		})
	}
	return l.operatorCommand(cmd, &o)
}

func (l *line) keyDeleteCommand() *cobra.Command {
	var (
		o     operatorOptions
		force bool
	)
	cmd := &cobra.Command{
		Use:   "delete KEY",
		Short: "Delete an access key for good",
		Long: `Delete removes an access key for good. Disable it first, and delete it when nobody has missed it for a while: a
disabled key can be enabled again.`,
		Example: `    spotter key delete AKIAIOSFODNN7EXAMPLE`,
		Args:    one("access key"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return l.operate(cmd, &o, func(ctx context.Context, op *operator.Operator) error {
				if err := op.DeleteKey(ctx, args[0], force); err != nil {
					return err
				}
				return l.print(&o, map[string]any{"access_key_id": args[0], "deleted": true}, args[0]+" is deleted\n")
			})
		},
	}
	l.operatorCommand(cmd, &o)
	forceFlag(cmd, &force)
	return cmd
}
