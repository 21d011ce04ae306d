package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/spotter-video/spotter/internal/app"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/operator"
)

func (l *line) keyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Make, list, change and delete access keys of a server",
		Long: `Access keys let programs in: they sign their requests with a key's secret, and the key's policy says what they may do.

The commands work on the server's data folder, whether it is running or not, and hold at once. Each change is written to
the audit log.`,
		Args:                       subcommandsOnly,
		RunE:                       showHelp,
		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(l.keyCreateCommand(), l.keyListCommand(), l.keyShowCommand(), l.keyPolicyCommand(), l.keySessionCommand(),
		l.keyDisableCommand(), l.keyEnableCommand(),
		l.keyBackgroundCommand(), l.keyForegroundCommand(), l.keyDeleteCommand())
	return cmd
}

// policyFlags are the flags that give a policy document.
type policyFlags struct{ file, text string }

func (p *policyFlags) add(cmd *cobra.Command, otherwise string) {
	f := cmd.Flags()
	f.StringVar(&p.file, "policy", "", "`file` with an IAM policy document"+otherwise)
	f.StringVar(&p.text, "policy-json", "", "the policy document itself, as `text`")
	section(cmd, keySection, "policy", "policy-json")
}

// read is the document, empty if none was given.
func (p *policyFlags) read() (string, error) {
	if p.file != "" && p.text != "" {
		return "", &fault.UsageError{Err: errors.New("--policy and --policy-json are two ways to say the same; choose one")}
	}
	if p.file == "" {
		return p.text, nil
	}
	content, err := config.ReadFile(p.file, app.MaxPolicyFile)
	if err != nil {
		return "", &fault.UsageError{Err: fmt.Errorf("read the policy: %w", err)}
	}
	if len(bytes.TrimSpace(content)) == 0 {
		return "", &fault.UsageError{Err: fmt.Errorf("read the policy: %s is empty", p.file)}
	}
	return string(content), nil
}

func (l *line) keyCreateCommand() *cobra.Command {
	var (
		o          operatorOptions
		name       string
		background bool
		policy     policyFlags
	)
	cmd := &cobra.Command{
		Use:   "create --name NAME",
		Short: "Make an access key",
		Long: `Create makes an access key and prints it as a file of credentials for AWS's tools and SDKs. The secret can be seen this
once: the server keeps it encrypted.

Without a policy the key may do everything. Give an application one that allows what it does and no more. The jobs of a key
that is made with --background wait for those of others, see 'spotter key background'.`,
		Example: `    spotter key create --name portal --policy portal.json > portal-credentials
    spotter key create --name night --background
    spotter key create --name anna --policy-json \
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"rekognition:Search*","Resource":"*"}]}'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if name == "" {
				return errors.New("say whose key it is: --name NAME")
			}
			return noArguments(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			document, err := policy.read()
			if err != nil {
				return err
			}
			return l.operate(cmd, &o, func(ctx context.Context, op *operator.Operator) error {
				key, err := op.CreateKey(ctx, name, document, background)
				if err != nil {
					return err
				}
				return l.print(&o, key, credentials(key))
			})
		},
	}
	l.operatorCommand(cmd, &o)
	cmd.Flags().StringVar(&name, "name", "", "`name` of whose key it is, for logs and messages: letters, digits and _+=,.@- (required)")
	cmd.Flags().BoolVar(&background, "background", false, "have its jobs wait for those of others")
	section(cmd, keySection, "name", "background")
	policy.add(cmd, "; unset: may do everything")
	return cmd
}

// credentials is a key as a file of credentials.
func credentials(k *operator.MadeKey) string {
	may := "may do what its policy says"
	if k.Administrator {
		may = "may do everything"
	}
	return fmt.Sprintf("# The access key of %s, which %s. The secret is shown this once.\n"+
		"[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", k.Name, may, k.ID, k.Secret)
}

func (l *line) keySessionCommand() *cobra.Command {
	var (
		o      operatorOptions
		role   string
		lasts  = usualSession
		policy policyFlags
	)
	cmd := &cobra.Command{
		Use:   "session KEY",
		Short: "Make temporary credentials of an access key",
		Long: `Session makes credentials that end by themselves, for a program that should not hold the key: an access key id, a secret and a
session token. They have the key's rights, or those of a role of the configuration, and end early when the key is disabled.
Programs get such credentials themselves with STS's GetSessionToken and AssumeRole, which the server answers too.

With --json they are in the form that AWS's tools read from a credential_process.`,
		Example: `    spotter key session AKIAIOSFODNN7EXAMPLE --for 1h > one-hour
    aws configure set profile.night.credential_process \
      'spotter key session AKIAIOSFODNN7EXAMPLE --data /srv/spotter --json'`,
		Args: one("access key"),
		RunE: func(cmd *cobra.Command, args []string) error {
			document, err := policy.read()
			if err != nil {
				return err
			}
			return l.operate(cmd, &o, func(ctx context.Context, op *operator.Operator) error {
				made, err := op.CreateSession(ctx, operator.SessionRequest{Key: args[0], Role: role, Policy: document, For: lasts})
				if err != nil {
					return err
				}
				return l.print(&o, made, temporary(made))
			})
		},
	}
	l.operatorCommand(cmd, &o)
	cmd.Flags().DurationVar(&lasts, "for", lasts, "how `long` they last: 15m to 36h")
	cmd.Flags().StringVar(&role, "role", "", "`name` of the role that they have taken on; unset: the key's own rights")
	section(cmd, keySection, "for", "role")
	policy.add(cmd, " that narrows the rights; unset: all of them")
	return cmd
}

// usualSession is AWS's for GetSessionToken.
const usualSession = 12 * time.Hour

// temporary is temporary credentials as a file of credentials.
func temporary(c *operator.TemporaryCredentials) string {
	whose := c.Name
	if c.Role != "" {
		whose += " in the role " + c.Role
	}
	return fmt.Sprintf("# Temporary credentials of %s, until %s.\n"+
		"[default]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n",
		whose, moment(c.Expiration), c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
}

func (l *line) keyListCommand() *cobra.Command {
	var o operatorOptions
	return l.operatorCommand(&cobra.Command{
		Use:     "list",
		Short:   "List the access keys",
		Example: `    spotter key list --json | jq -r '.[] | select(.disabled) | .access_key_id'`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return l.operate(cmd, &o, func(ctx context.Context, op *operator.Operator) error {
				keys, err := op.Keys(ctx)
				if err != nil {
					return err
				}
				rows := [][]string{{"ACCESS KEY", "NAME", "STATE", "CREATED", "MAY DO", "JOBS"}}
				for i := range keys {
					k := &keys[i]
					rows = append(rows, []string{k.ID, k.Name, keyState(k), moment(k.Created), keyReach(k), keyJobs(k)})
				}
				return l.print(&o, keys, grid(rows...))
			})
		},
	}, &o)
}

func keyState(k *operator.AccessKey) string {
	if k.Disabled {
		return "disabled"
	}
	return "enabled"
}

func keyJobs(k *operator.AccessKey) string {
	if k.Background {
		return "in the background"
	}
	return "take turns"
}

func keyReach(k *operator.AccessKey) string {
	if k.Administrator {
		return "everything"
	}
	return "what its policy says"
}

func (l *line) keyShowCommand() *cobra.Command {
	var o operatorOptions
	return l.operatorCommand(&cobra.Command{
		Use:     "show KEY",
		Short:   "Show an access key with its policy, without its secret",
		Example: `    spotter key show AKIAIOSFODNN7EXAMPLE`,
		Args:    one("access key"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return l.operate(cmd, &o, func(ctx context.Context, op *operator.Operator) error {
				k, err := op.Key(ctx, args[0])
				if err != nil {
					return err
				}
				return l.print(&o, k, describeKey(&k))
			})
		},
	}, &o)
}

func describeKey(k *operator.AccessKey) string {
	text := grid([]string{"access key", k.ID}, []string{"name", k.Name}, []string{"state", keyState(k)},
		[]string{"created", moment(k.Created)}, []string{"jobs", keyJobs(k)}, []string{"may do", keyReach(k)})
	var policy bytes.Buffer
	if err := json.Indent(&policy, k.Policy, "", "  "); err != nil {
		return text + "\n" + printableLines(string(k.Policy)) + "\n"
	}
	return text + "\n" + printableLines(policy.String()) + "\n"
}
