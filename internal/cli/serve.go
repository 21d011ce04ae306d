package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/spotter-video/spotter/internal/app"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
)

// serverOptions are the flags of the commands that work with a server's settings.
type serverOptions struct {
	file    string
	buckets []string
}

func (l *line) serveCommand() *cobra.Command {
	var o serverOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve Amazon Rekognition's face search API",
		Long: `Serve answers the face search API of Amazon Rekognition: collections, faces, users, photos and stored videos. Code
written for AWS works with it once its endpoint URL is set.

Everything runs in this one process, and only this machine can reach it unless --listen says otherwise. The first start
makes the database and an administrator's access key in the data folder.

With --database many processes share a PostgreSQL database: those of --mode api answer requests, those of --mode worker
work on jobs, on any number of machines. docs/OPERATIONS.md says what they must have in common.

A bucket is a folder of this machine (--bucket NAME=FOLDER, any number of times), or one of an S3 server, which the
configuration file names; spotter.example.yml shows every key of that file. Flags win over environment variables, and
these over the file.

Ctrl-C or SIGTERM stops in good order: requests are answered, and what running jobs have done is kept. SIGHUP has
certificates and topics read again.`,
		Example: `    spotter serve --bucket archive=/srv/videos
    spotter serve --config /etc/spotter.yml
    spotter serve --data /var/lib/spotter --listen 127.0.0.1:9000 --log-format json
    spotter serve --mode worker --database postgres://spotter@db/spotter --config /etc/spotter.yml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			engine, server, err := l.serverSettings(cmd.Flags(), &o)
			if err != nil {
				return err
			}
			reread := func() (config.Server, error) {
				_, again, wrong := l.serverSettings(cmd.Flags(), &o)
				return again, wrong
			}
			version := thisRelease()
			return app.Serve(cmd.Context(), engine, server, app.ServeRequest{
				Version: version.Version, Revision: version.Revision, Now: l.Now, Log: l.Stderr,
				Started: func(w app.Welcome) { fmt.Fprint(l.Stdout, welcome(w)) }, Reload: l.hangUps.take(), Reread: reread,
			})
		},
	}
	l.addServerSettings(cmd, &o)
	return cmd
}

// addServerSettings adds the flags of a server's settings. Their values are read again by serverSettings, in their order
// of precedence; what the flags themselves are set to serves the help and the check of each.
func (l *line) addServerSettings(cmd *cobra.Command, o *serverOptions) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.file, "config", "c", "", "configuration `file`; unset: $"+config.FileVariable)
	f.StringArrayVar(&o.buckets, "bucket", nil, "make a folder a bucket: `NAME=FOLDER`; may be repeated")
	section(cmd, sectionOf(config.Storage), "config", "bucket")
	server := config.DefaultServer()
	for _, s := range server.Settings() {
		flag := addSetting(cmd, s)
		if _, is := s.Value.(*config.Switch); is {
			flag.NoOptDefVal = "true"
		}
	}
	for _, s := range l.config.Shared() {
		addSetting(cmd, s)
	}
}

// serverSettings puts the settings together.
func (l *line) serverSettings(f *pflag.FlagSet, o *serverOptions) (config.Config, config.Server, error) {
	flags := map[string]string{}
	f.Visit(func(flag *pflag.Flag) {
		if _, is := flag.Value.(settingValue); is {
			flags[flag.Name] = flag.Value.String()
		}
	})
	engine, server, err := config.Sources{
		File: o.file, LookupEnv: l.LookupEnv, Flags: flags, Buckets: o.buckets,
	}.Read()
	if err != nil {
		return engine, server, &fault.UsageError{Err: err}
	}
	return engine, server, nil
}

// welcome says how to use a server.
func welcome(w app.Welcome) string {
	var b strings.Builder
	if w.URL == "" {
		fmt.Fprintf(&b, "Spotter works on the jobs of its database, on %d segments of videos at once\n", w.Workers)
		return b.String()
	}
	fmt.Fprintf(&b, "Spotter serves Rekognition's face search API on %s\n", w.URL)
	if len(w.Buckets) > 0 {
		fmt.Fprintf(&b, "Buckets: %s\n", strings.Join(w.Buckets, ", "))
	} else {
		b.WriteString("No buckets: photos can be sent in requests; --bucket NAME=FOLDER lets videos be searched\n")
	}
	switch {
	case w.Unsigned:
		b.WriteString("Requests need no signature: whoever can run a program on this machine is administrator\n")
	case w.NewKey:
		b.WriteString("An administrator's access key has been made. To use it:\n")
	case w.Credentials != "":
		b.WriteString("To use the administrator's access key:\n")
	}
	b.WriteByte('\n')
	if !w.Unsigned && w.Credentials != "" {
		fmt.Fprintf(&b, "    export AWS_SHARED_CREDENTIALS_FILE=%s\n", shellWord(w.Credentials))
	}
	fmt.Fprintf(&b, "    export AWS_ENDPOINT_URL_REKOGNITION=%s\n", w.URL)
	fmt.Fprintf(&b, "    export AWS_REGION=%s\n", w.Region)
	fmt.Fprintf(&b, "    export AWS_DEFAULT_REGION=%s\n\n", w.Region) // which Python reads, and the command line
	unsigned := ""
	if w.Unsigned { // without it, the command wants credentials to sign with
		unsigned = " --no-sign-request"
	}
	fmt.Fprintf(&b, "    aws --endpoint-url %s%s rekognition create-collection --collection-id people\n\n", w.URL, unsigned)
	// docs/COMPATIBILITY.md says where these versions are from.
	b.WriteString("AWS_ENDPOINT_URL_REKOGNITION is read by boto3 1.28.0, the AWS command line 2.13.0 and 1.29.0, the SDKs for Go v2 of\n" +
		"November 2023, JavaScript v3 3.428.0, Java v2 2.28.1, and newer ones. Older clients, and the SDKs for Go v1, JavaScript v2 and\n" +
		"Java v1, would send photos to AWS: give them the URL in their code.\n\n")
	return b.String()
}

// shellWord quotes what a shell would take apart.
func shellWord(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
